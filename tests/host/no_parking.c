/* For tests of kernel/mem alone: no thread sleeps on a word of any space (kernel/task/park.c). */
#include "kernel/mem/address_space.h"
#include "lib/check.h"

void task_pages_gone(struct address_space *space, struct uaddr_range range)
{
	(void)space;
	(void)range;
	CHECK(false && "nobody is parked here");
}
