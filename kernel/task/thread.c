#include "kernel/task/thread.h"

#include <stddef.h>

#include "kernel/arch/x86_64/context.h"
#include "kernel/arch/x86_64/lock_watch.h"
#include "kernel/arch/x86_64/time_limit.h"
#include "kernel/arch/x86_64/trap.h"
#include "kernel/mem/frame.h"
#include "kernel/mem/kernel_stack.h"
#include "kernel/task/process.h"
#include "kernel/task/scheduler.h"
#include "lib/check.h"

_Static_assert(sizeof(struct thread) <= PAGE_SIZE, "one frame");
_Static_assert(THREAD_KERNEL_BYTES == (1 + KERNEL_STACK_PAGES) * PAGE_SIZE, "frame and stack");

static uint32_t kernel_threads; /* boot CPU, before the others run threads */

uint32_t thread_kernel_count(void)
{
	return kernel_threads;
}

static void begin(void *argument)
{
	struct thread *thread = argument;

	scheduler_begin();
	if (thread->process == NULL) {
		thread->kernel_main();
		CHECK(false && "a kernel thread does not end");
	}
	task_before_user();
	lock_watch_none_held();
	time_limit_interrupts_on();
	user_mode_enter(thread->entry, thread->user_stack, thread->argument, thread->ring_address);
}

/* Frame first, then stack: thread_destroy can take back either. */
static enum status create_parts(struct process *process, struct thread **thread)
{
	frame_t frame;

	TRY(frame_allocate(FRAME_TASK, NULL, &frame));
	*thread = direct_map_of_frame(frame);
	spinlock_name(&(*thread)->lock, LOCK_THREAD);
	(*thread)->process = process;
	fpu_state_init(&(*thread)->fpu);
	(*thread)->fpu_cpu = UINT32_MAX;
	return kernel_stack_create(&(*thread)->stack_top);
}

static void destroy_parts(struct thread *thread)
{
	if (thread->stack_top != 0)
		kernel_stack_destroy(thread->stack_top);
	frame_free(direct_map_frame(thread), FRAME_TASK, NULL);
}

enum status thread_create(struct process *process, struct thread **thread)
{
	struct charge charge = { .kinds = 0 };
	enum status status;

	*thread = NULL;
	charge_add(&charge, LEDGER_KERNEL_OBJECT, THREAD_KERNEL_BYTES);
	if (process != NULL)
		TRY(account_charge_and_promise(&process->account, &charge, 0));
	status = create_parts(process, thread);
	if (status == STATUS_OK) {
		(*thread)->context = context_prepare((*thread)->stack_top, begin, *thread);
		kernel_threads += process == NULL;
		return STATUS_OK;
	}
	if (*thread != NULL)
		destroy_parts(*thread);
	if (process != NULL)
		account_cancel(&process->account, &charge);
	return status;
}

void thread_destroy(struct thread *thread)
{
	struct process *process = thread->process;

	destroy_parts(thread);
	if (process != NULL)
		account_refund_one(&process->account, LEDGER_KERNEL_OBJECT, THREAD_KERNEL_BYTES);
}

void thread_cancel(struct thread *thread)
{
	struct process *process = thread->process;
	struct charge charge = { .kinds = 0 };

	destroy_parts(thread);
	charge_add(&charge, LEDGER_KERNEL_OBJECT, THREAD_KERNEL_BYTES);
	account_cancel(&process->account, &charge);
}
