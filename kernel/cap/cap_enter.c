/*
 * The system call cap_enter: take submissions in order, carry them out, complete; then wait for as many completions as
 * the program asked for, or its timeout.
 *
 * It returns the number of completions that wait in the queue, or a negated status: BAD_ARGUMENT if the program's
 * indices are none that a ring can have (nothing was taken then) or min_complete is more than the queue holds. It does
 * not wait for ever for what cannot come: with no operation open and no timeout it returns at once.
 *
 * Operations that complete later are posted here, by the thread itself (kernel/task/operation.h). A thread that waits
 * sleeps; so do those whose process is ending, for the last time.
 */
#include <stddef.h>

#include "abi/syscall_abi.h"
#include "kernel/arch/x86_64/clock.h"
#include "kernel/arch/x86_64/cpu_local.h"
#include "kernel/arch/x86_64/lock_watch.h"
#include "kernel/arch/x86_64/time_limit.h"
#include "kernel/arch/x86_64/trap.h"
#include "kernel/arch/x86_64/user_mode.h"
#include "kernel/cap/dispatch.h"
#include "kernel/task/process_end.h"
#include "kernel/task/scheduler.h"
#include "kernel/task/thread.h"
#include "lib/check.h"

/* When a wait of that length from now ends; the clock is only looked at if it does. */
static uint64_t deadline_of(uint64_t timeout_ns)
{
	uint64_t now;

	if (timeout_ns == CAP_ENTER_FOREVER || timeout_ns == 0)
		return timeout_ns;
	now = clock_now_ns();
	return timeout_ns > UINT64_MAX - now ? UINT64_MAX : now + timeout_ns;
}

static bool has_passed(uint64_t deadline)
{
	return deadline != SCHEDULER_FOREVER && (deadline == 0 || clock_now_ns() >= deadline);
}

/* Whether an operation of the thread may be complete: others said so, or it is to look itself. */
static bool has_news(const struct thread *thread)
{
	return __atomic_load_n(&thread->called, __ATOMIC_RELAXED) != 0 ||
	       __atomic_load_n(&thread->done, __ATOMIC_RELAXED) != NULL || thread->looking != 0;
}

/* Complete what is open, until enough has completed or the time is over. */
static uint64_t wait_for(struct thread *thread, uint64_t waiting, uint64_t min_complete, uint64_t timeout_ns)
{
	uint64_t deadline = deadline_of(timeout_ns);

	for (;;) {
		uint64_t next_look = deadline;

		if (has_news(thread))
			waiting += operation_post_done(thread, &next_look);
		if (waiting >= min_complete || has_passed(deadline))
			return waiting;
		if (thread->open_count == 0 && timeout_ns == CAP_ENTER_FOREVER)
			return waiting;
		if (UNLIKELY(process_end_is_asked(thread->process)))
			process_end_if_asked();
		scheduler_block(next_look);
	}
}

static uint64_t negated(enum status status)
{
	return (uint64_t) - (int64_t)status;
}

/* All that the shortest way does not need, apart from it so that it does not pay for the registers. */
static __attribute__((noinline)) uint64_t enter_with_calls(struct thread *thread, struct ring_look look,
							   uint64_t min_complete, uint64_t timeout_ns)
{
	uint64_t waiting;

	GUARD(min_complete <= RING_CQ_ENTRIES, negated(STATUS_BAD_ARGUMENT));
	GUARD(ring_look_is_possible(look), negated(STATUS_BAD_ARGUMENT));
	waiting = dispatch_queue(thread, look.pending, look.waiting);
	if (UNLIKELY(waiting < min_complete || thread->open_count != 0))
		waiting = wait_for(thread, waiting, min_complete, timeout_ns);
	scheduler_keep_running();
	/* What others asked came in an interrupt window, or while the thread stood in a queue. */
	if (UNLIKELY(cpu_current()->attention != 0) || UNLIKELY(process_end_is_asked(thread->process)))
		task_before_user();
	return waiting;
}

/*
 * The shortest way: null operations alone, all of which have room, with nothing open and no need to wait. It calls
 * nothing and keeps all it needs in registers. The first other submission, and all else, goes to enter_with_calls.
 */
static inline uint64_t enter(uint64_t min_complete, uint64_t timeout_ns)
{
	struct thread *thread = cpu_current()->current_thread;
	struct ring_page *ring = thread->ring;
	struct ring_look look = ring_kernel_look(&thread->ring_state, ring);
	uint64_t waiting = look.waiting + look.pending; /* when all are done */
	uint64_t left;

	/* What fits is at most RING_CQ_ENTRIES, so min_complete is in range here. */
	if (LIKELY(ring_look_fits(look)) && LIKELY(waiting >= min_complete) && LIKELY(thread->open_count == 0)) {
		left = ring_kernel_answer_nulls(&thread->ring_state, ring, look.pending);
		if (LIKELY(left == 0)) {
			ring_kernel_publish(&thread->ring_state, ring);
			return waiting;
		}
		look = (struct ring_look){ .pending = left, .waiting = waiting - left };
	}
	return enter_with_calls(thread, look, min_complete, timeout_ns);
}

uint64_t syscall_cap_enter(uint64_t min_complete, uint64_t timeout_ns)
{
	uint64_t result;

	time_limit_interrupts_off();
	result = enter(min_complete, timeout_ns);
	lock_watch_none_held();
	time_limit_interrupts_on();
	return result;
}

_Noreturn void syscall_exit(uint64_t code)
{
	struct process_exit exit = { .code = (int64_t)code, .end = PROCESS_EXITED };

	time_limit_interrupts_off();
	process_end_begin(thread_current()->process, &exit);
	process_end_thread(exit.code);
}
