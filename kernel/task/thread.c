#include "kernel/task/thread.h"

#include <stddef.h>

#include "kernel/arch/x86_64/context.h"
#include "kernel/arch/x86_64/cpu_local.h"
#include "kernel/arch/x86_64/fpu.h"
#include "kernel/arch/x86_64/instructions.h"
#include "kernel/arch/x86_64/user_mode.h"
#include "kernel/mem/kernel_stack.h"
#include "kernel/mem/paging.h"
#include "kernel/task/process.h"
#include "lib/check.h"

static uint64_t runner_context; /* of the boot CPU, while it runs a thread */

static void begin_in_user_mode(void *argument)
{
	struct thread *thread = argument;

	fpu_reset_user();
	user_mode_reset_segments(thread->fs_base);
	user_mode_enter(thread->entry, thread->user_stack);
}

enum status thread_create(struct thread *thread, struct process *process)
{
	*thread = (struct thread){ .process = process };
	TRY(kernel_stack_create(&thread->stack_top));
	thread->context = context_prepare(thread->stack_top, begin_in_user_mode, thread);
	return STATUS_OK;
}

void thread_destroy(struct thread *thread)
{
	if (thread->stack_top != 0)
		kernel_stack_destroy(thread->stack_top);
	thread->stack_top = 0;
}

struct thread *thread_current(void)
{
	return cpu_current()->current_thread;
}

static void load_space(struct address_space *space)
{
	uint64_t root = address_space_enter_cpu(space, cpu_index());

	cr3_write(root);
	cpu_current()->active_root = root & ~PTE_ROOT_NO_FLUSH;
}

void thread_run(struct thread *thread)
{
	CHECK(cpu_current()->current_thread == NULL);
	cpu_current()->current_thread = thread;
	cpu_set_kernel_stack(thread->stack_top);
	load_space(&thread->process->space);
	context_switch(&runner_context, thread->context);
	paging_load_kernel_root();
	address_space_leave_cpu(&thread->process->space, cpu_index());
	cpu_current()->current_thread = NULL;
}

_Noreturn void thread_leave(void)
{
	struct thread *thread = thread_current();

	context_switch(&thread->context, runner_context);
	CHECK(false && "a thread that ended was run again");
	__builtin_unreachable();
}

enum status thread_open(struct thread *thread, const struct open_operation *operation)
{
	for (uint32_t i = 0; i < THREAD_MAX_OPEN; i++) {
		if (thread->open[i].kind != OPEN_NONE)
			continue;
		thread->open[i] = *operation;
		thread->open_count++;
		return STATUS_OK;
	}
	return STATUS_BUSY;
}
