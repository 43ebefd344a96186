#include "kernel/arch/x86_64/smap.h"

uint8_t smap_is_on;

void smap_set_on(void)
{
	smap_is_on = 1;
}
