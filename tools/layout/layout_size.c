#include "tools/layout/layout_size.h"

#include <stdio.h>

void layout_size_text(uint64_t bytes, char *text, uint32_t size)
{
	static const char *const units[] = { "bytes", "KiB", "MiB", "GiB", "TiB", "PiB" };
	double value = (double)bytes;
	uint32_t unit = 0;

	while (value >= 1024 && unit + 1 < sizeof(units) / sizeof(units[0])) {
		value /= 1024;
		unit++;
	}
	(void)snprintf(text, size, value < 100 && value != (double)(uint64_t)value ? "%.1f %s" : "%.0f %s", value,
		       units[unit]);
}
