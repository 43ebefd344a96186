#include "user/shell/size_text.h"

#include "abi/memory_layout.h"
#include "lib/check.h"
#include "lib/format.h"

struct size_text size_text_of_bytes(uint64_t bytes)
{
	static const char *const unit[] = { "bytes", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB" };
	struct size_text size = { "" };
	uint64_t whole = bytes;
	uint64_t tenths = 0;
	uint32_t step = 0;

	while (whole >= 1024 && step + 1 < COUNT_OF(unit)) {
		tenths = whole % 1024 * 10 / 1024;
		whole /= 1024;
		step++;
	}
	if (tenths == 0 || whole >= 100)
		(void)format(size.text, sizeof(size.text), "%lu %s", whole, unit[step]);
	else
		(void)format(size.text, sizeof(size.text), "%lu.%lu %s", whole, tenths, unit[step]);
	return size;
}

struct size_text size_text_of_pages(uint64_t pages)
{
	return size_text_of_bytes(pages < UINT64_MAX / PAGE_SIZE ? pages * PAGE_SIZE : UINT64_MAX);
}
