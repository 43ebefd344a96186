#include "lib/range.h"

enum status uaddr_range_of_bytes(uint64_t start, uint64_t length, struct uaddr_range *range)
{
	GUARD(length <= UINT64_MAX - start, STATUS_RANGE_WRAPS);
	GUARD(start < USER_LIMIT && length <= USER_LIMIT - start, STATUS_NOT_USER_ADDRESS);
	*range = (struct uaddr_range){ { start }, { start + length } };
	return STATUS_OK;
}
