/*
 * The system call cap_enter: take submissions in order, carry them out, complete; then wait for as many completions as
 * the program asked for, or its timeout.
 *
 * It returns the number of completions that wait in the queue, or a negated status: BAD_ARGUMENT if the program's
 * indices are none that a ring can have (nothing was taken then) or min_complete is more than the queue holds. It does
 * not wait for ever for what cannot come: with no operation open and no timeout it returns at once.
 */
#include "abi/syscall_abi.h"
#include "kernel/arch/x86_64/clock.h"
#include "kernel/arch/x86_64/cpu_local.h"
#include "kernel/arch/x86_64/instructions.h"
#include "kernel/arch/x86_64/serial.h"
#include "kernel/arch/x86_64/user_mode.h"
#include "kernel/cap/console_cap.h"
#include "kernel/cap/dispatch.h"
#include "kernel/task/thread.h"
#include "lib/check.h"

#define CONSOLE_POLL_NS UINT64_C(1000000)

/* Whether an open operation can complete now, and with what. */
static bool try_complete(struct thread *thread, const struct open_operation *open, struct ring_completion *completion)
{
	*completion = (struct ring_completion){ .user_data = open->user_data };
	switch (open->kind) {
	case OPEN_SLEEP:
		return clock_now_ns() >= open->deadline;
	case OPEN_CONSOLE_READ:
		return console_cap_try_read(thread->process, open, completion);
	case OPEN_NONE:
		return false;
	}
	return false;
}

/* Completions of open operations; each has its place in the queue since it was opened. */
static uint64_t complete_open(struct thread *thread)
{
	struct ring_completion completion;
	uint64_t done = 0;

	for (uint32_t i = 0; i < THREAD_MAX_OPEN && thread->open_count > 0; i++) {
		struct open_operation *open = &thread->open[i];

		if (open->kind == OPEN_NONE || !try_complete(thread, open, &completion))
			continue;
		open->kind = OPEN_NONE;
		thread->open_count--;
		ring_kernel_write(&thread->ring_state, thread->ring, &completion);
		done++;
	}
	if (done != 0)
		ring_kernel_publish(&thread->ring_state, thread->ring);
	return done;
}

/* When to look again: the earliest deadline, and soon if input is awaited (the serial line is polled). */
static uint64_t next_look(const struct thread *thread, uint64_t deadline)
{
	uint64_t next = deadline;

	for (uint32_t i = 0; i < THREAD_MAX_OPEN; i++) {
		const struct open_operation *open = &thread->open[i];
		uint64_t look = UINT64_MAX;

		if (open->kind == OPEN_SLEEP)
			look = open->deadline;
		else if (open->kind == OPEN_CONSOLE_READ)
			look = clock_now_ns() + CONSOLE_POLL_NS;
		if (look < next)
			next = look;
	}
	return next;
}

/* Complete what is open, until enough has completed or the time is over. */
static uint64_t wait_for(struct thread *thread, uint64_t waiting, uint64_t min_complete, uint64_t timeout_ns)
{
	uint64_t now = clock_now_ns();
	uint64_t deadline = timeout_ns > UINT64_MAX - now ? UINT64_MAX : now + timeout_ns;

	for (;;) {
		waiting += complete_open(thread);
		if (waiting >= min_complete || timeout_ns == 0 || clock_now_ns() >= deadline)
			break;
		if (thread->open_count == 0 && timeout_ns == CAP_ENTER_FOREVER)
			break;
		clock_set_alarm(next_look(thread, deadline));
		sti_hlt_cli();
	}
	clock_set_alarm(0);
	return waiting;
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
	if (LIKELY(waiting >= min_complete && thread->open_count == 0))
		return waiting;
	return wait_for(thread, waiting, min_complete, timeout_ns);
}

/*
 * The shortest way: null operations alone, all of which have room, with nothing open and no need to wait. It calls
 * nothing and keeps all it needs in registers. The first other submission, and all else, goes to enter_with_calls.
 */
uint64_t syscall_cap_enter(uint64_t min_complete, uint64_t timeout_ns)
{
	struct thread *thread = cpu_current()->current_thread;
	struct ring_page *ring = thread->ring;
	struct ring_look look = ring_kernel_look(&thread->ring_state, ring);
	uint64_t waiting = look.waiting + look.pending; /* when all are done */
	uint64_t left;

	/* What fits is at most RING_CQ_ENTRIES, so min_complete is in range here. */
	if (LIKELY(ring_look_fits(look)) && LIKELY(waiting >= min_complete) && LIKELY(thread->open_count == 0)) {
		left = ring_kernel_answer_nulls(&thread->ring_state, ring, look.pending);
		ring_kernel_publish(&thread->ring_state, ring);
		if (LIKELY(left == 0))
			return waiting;
		look = (struct ring_look){ .pending = left, .waiting = waiting - left };
	}
	return enter_with_calls(thread, look, min_complete, timeout_ns);
}

_Noreturn void syscall_exit(uint64_t code)
{
	thread_current()->process->exit_code = (int64_t)code;
	thread_leave();
}
