#include "tests/host/task_scheduler.h"

#include <setjmp.h>
#include <stddef.h>
#include <string.h>

#include "kernel/arch/x86_64/cpu_local.h"
#include "kernel/arch/x86_64/trap.h"
#include "kernel/task/process_end.h"
#include "lib/check.h"

struct task_scheduler_log task_scheduler_log;

static void (*block_act)(void *argument);
static void *block_argument;
static jmp_buf end_of_thread;
static bool may_end;

void task_scheduler_start(void)
{
	memset(&task_scheduler_log, 0, sizeof(task_scheduler_log));
	block_act = NULL;
	task_scheduler_run_as(NULL);
}

void task_scheduler_run_as(struct thread *thread)
{
	cpu_current()->current_thread = thread;
	if (thread != NULL)
		thread->state = THREAD_RUNNING;
}

void task_scheduler_on_block(void (*act)(void *argument), void *argument)
{
	block_act = act;
	block_argument = argument;
}

bool task_scheduler_run(struct thread *thread, void (*act)(void *argument), void *argument)
{
	CHECK(!may_end);
	may_end = true;
	task_scheduler_run_as(thread);
	if (setjmp(end_of_thread) == 0) {
		act(argument);
		may_end = false;
		return false;
	}
	may_end = false;
	CHECK(thread_current() == thread && thread->state == THREAD_DEAD);
	task_scheduler_run_as(NULL);
	process_reclaim_thread(thread);
	return true;
}

/* ---- what kernel/task calls ---- */

struct thread *thread_current(void)
{
	return cpu_current()->current_thread;
}

void scheduler_add(struct thread *thread)
{
	thread->state = THREAD_READY;
	task_scheduler_log.added++;
	task_scheduler_log.last_added = thread;
}

void scheduler_wake(struct thread *thread)
{
	CHECK(thread->state != THREAD_DEAD);
	thread->wake_pending = true;
	task_scheduler_log.woken[task_scheduler_log.wakes++ % TASK_SCHEDULER_WAKES] = thread;
}

void scheduler_hand_over(struct thread *thread)
{
	scheduler_wake(thread);
	task_scheduler_log.handed_over = thread;
}

void scheduler_keep_running(void)
{
	task_scheduler_log.kept++;
	task_scheduler_log.handed_over = NULL;
}

void scheduler_prod(struct thread *thread)
{
	scheduler_wake(thread);
}

void scheduler_set_priority(struct thread *thread, uint32_t priority)
{
	CHECK(thread->state != THREAD_DEAD);
	thread->priority = priority;
	task_scheduler_log.prioritised = thread;
}

void scheduler_block(uint64_t deadline)
{
	struct thread *thread = thread_current();

	task_scheduler_log.blocks++;
	task_scheduler_log.deadline = deadline;
	CHECK(thread->wake_pending || block_act != NULL);
	if (!thread->wake_pending)
		block_act(block_argument);
	task_scheduler_run_as(thread);
	thread->wake_pending = false;
}

void scheduler_yield(void)
{
	task_scheduler_log.yielded++;
}

_Noreturn void scheduler_end(void)
{
	CHECK(may_end);
	thread_current()->state = THREAD_DEAD;
	longjmp(end_of_thread, 1);
}

void scheduler_leave_space(void)
{
	task_scheduler_log.left_space++;
}

void scheduler_begin(void)
{
	CHECK(false && "no thread runs by itself");
}

void task_before_user(void)
{
	task_scheduler_log.attended++;
	process_end_if_asked();
	cpu_current()->attention = 0;
}
