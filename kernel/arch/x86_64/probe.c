#include "kernel/arch/x86_64/probe.h"

#include <stddef.h>

#include "kernel/arch/x86_64/fixup.h"
#include "kernel/arch/x86_64/instructions.h"
#include "kernel/arch/x86_64/offsets.h"
#include "kernel/arch/x86_64/smap.h"
#include "lib/check.h"

#define FLAGS_OF_KERNEL UINT64_C(2) /* the bit that is always set; interrupts off, AC, DF and TF clear */

/* The call under way: what it was about to go back to, and the GS base of its CPU, which tells CPUs apart (panic.c). */
static struct {
	uint64_t stack;
	uint64_t gs_base;
	struct probe_fault *fault; /* NULL: none is under way */
} call;

/* probe_entry.S: probe_enter keeps its stack pointer in *stack; probe_leave is where a fault goes on, with that. */
bool probe_enter(void (*function)(uint64_t argument), uint64_t argument, uint64_t *stack);
extern const char probe_leave[];

bool probe_read64(uint64_t address, uint64_t *value, bool user_access)
{
	uint64_t word = 0;
	uint32_t done = 0;

	if (user_access)
		smap_open();
	__asm__ volatile("1: movq (%2), %0\n\t"
			 "movl $1, %1\n"
			 "2:\n\t" FIXUP("1b", "2b")
			 : "+&r"(word), "+&r"(done)
			 : "r"(address)
			 : "memory");
	if (user_access)
		smap_close();
	*value = word;
	return done != 0;
}

bool probe_write64(uint64_t address, uint64_t value, bool user_access)
{
	uint32_t done = 0;

	if (user_access)
		smap_open();
	__asm__ volatile("1: movq %2, (%1)\n\t"
			 "movl $1, %0\n"
			 "2:\n\t" FIXUP("1b", "2b")
			 : "+&r"(done)
			 : "r"(address), "r"(value)
			 : "memory");
	if (user_access)
		smap_close();
	return done != 0;
}

bool probe_call(void (*function)(uint64_t argument), uint64_t argument, struct probe_fault *fault)
{
	bool came_back;

	CHECK(!interrupts_are_on() && !call.fault);
	*fault = (struct probe_fault){ 0 };
	call.gs_base = rdmsr(MSR_GS_BASE);
	call.fault = fault;
	came_back = probe_enter(function, argument, &call.stack);
	call.fault = NULL;
	return came_back;
}

bool probe_ends(struct trap_frame *frame)
{
	struct probe_fault *fault = call.fault;

	if (!fault || trap_is_from_user(frame) || rdmsr(MSR_GS_BASE) != call.gs_base)
		return false;
	*fault = (struct probe_fault){
		.vector = frame->vector,
		.error = frame->error,
		.address = frame->vector == TRAP_PAGE_FAULT ? cr2_read() : 0,
		.frame = (uint64_t)frame,
	};
	frame->rip = (uint64_t)probe_leave;
	frame->rsp = call.stack;
	frame->rflags = FLAGS_OF_KERNEL;
	return true;
}
