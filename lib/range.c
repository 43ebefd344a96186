#include "lib/range.h"

#include "lib/check.h"

enum status page_count_of_length(uint64_t length, uint64_t *pages)
{
	GUARD(length != 0, STATUS_ZERO_LENGTH);
	GUARD(u64_is_page_aligned(length), STATUS_MISALIGNED);
	GUARD(length <= USER_LIMIT - USER_START, STATUS_NOT_USER_ADDRESS);
	*pages = length >> PAGE_SHIFT;
	return STATUS_OK;
}

enum status uaddr_range_of_pages(uint64_t start, uint64_t length, struct uaddr_range *range)
{
	GUARD(length != 0, STATUS_ZERO_LENGTH);
	GUARD(u64_is_page_aligned(start | length), STATUS_MISALIGNED);
	GUARD(length <= UINT64_MAX - start, STATUS_RANGE_WRAPS);
	GUARD(start >= USER_START && start < USER_LIMIT && length <= USER_LIMIT - start, STATUS_NOT_USER_ADDRESS);
	GUARD(start >= BOOTSTRAP_END || start + length <= BOOTSTRAP_START, STATUS_BOOTSTRAP_RANGE);
	*range = (struct uaddr_range){ { start }, { start + length } };
	return STATUS_OK;
}

enum status uaddr_range_of_bytes(uint64_t start, uint64_t length, struct uaddr_range *range)
{
	GUARD(length <= UINT64_MAX - start, STATUS_RANGE_WRAPS);
	GUARD(start < USER_LIMIT && length <= USER_LIMIT - start, STATUS_NOT_USER_ADDRESS);
	*range = (struct uaddr_range){ { start }, { start + length } };
	return STATUS_OK;
}

enum status protection_check(uint64_t protection)
{
	const uint64_t all = PROTECTION_READ | PROTECTION_WRITE | PROTECTION_EXECUTE;

	GUARD((protection & ~all) == 0, STATUS_BAD_PROTECTION);
	GUARD(protection == PROTECTION_NONE || (protection & PROTECTION_READ) != 0, STATUS_BAD_PROTECTION);
	GUARD((protection & PROTECTION_WRITE) == 0 || (protection & PROTECTION_EXECUTE) == 0, STATUS_BAD_PROTECTION);
	return STATUS_OK;
}
