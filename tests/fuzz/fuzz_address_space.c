/* links: kernel/mem/address_space.c kernel/mem/address_space_audit.c kernel/mem/anonymous.c
   kernel/mem/anonymous_image.c kernel/mem/demand.c kernel/mem/heap_break.c kernel/mem/page_placement.c
   kernel/mem/borrowed.c kernel/mem/page_walk.c kernel/mem/page_gap.c kernel/mem/memory_object.c kernel/mem/heap.c
   kernel/mem/frame.c kernel/mem/shortage.c kernel/mem/account.c */
#include "tests/host/space_steps.h"

#define STEPS 400u /* that one input decides at most */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/*
 * The bytes choose operations and what they are asked for (tests/host/space_steps.c). The kernel and the plain model
 * make each of them; answers, ledgers, frames and translations are compared after each, every page and table in the
 * end.
 */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct host_random choices;

	host_random_from_bytes(&choices, data, size);
	space_steps_begin(&choices, SPACE_STEPS_FRAMES);
	for (uint32_t i = 0; i < STEPS && !host_random_is_spent(&choices); i++) {
		if (i % 64 == 0)
			space_steps_set_limits();
		space_steps_take();
		if (i % 32 == 31)
			space_steps_compare();
	}
	space_steps_compare();
	space_steps_compare_listing();
	space_steps_end();
	return 0;
}
