#include "kernel/arch/x86_64/context.h"

/* What context_switch pops, lowest address first. */
struct context_frame {
	uint64_t r15, r14, r13, r12, rbx, rbp;
	uint64_t rip;
};

/* context_switch.S */
void context_begin(void);

uint64_t context_prepare(uint64_t stack_top, void (*entry)(void *argument), void *argument)
{
	struct context_frame *frame = (struct context_frame *)stack_top - 1;

	*frame = (struct context_frame){
		.r12 = (uint64_t)entry,
		.r13 = (uint64_t)argument,
		.rip = (uint64_t)context_begin,
	};
	return (uint64_t)frame;
}
