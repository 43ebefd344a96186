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
#include "kernel/arch/x86_64/instructions.h"
#include "kernel/arch/x86_64/serial.h"
#include "kernel/arch/x86_64/user_mode.h"
#include "kernel/cap/console_cap.h"
#include "kernel/cap/dispatch.h"
#include "kernel/task/thread.h"
#include "lib/check.h"

#define CONSOLE_POLL_NS UINT64_C(1000000)

/* Most calls are a null operation or one call; the loop keeps what it needs in registers. */
static enum status drain(struct thread *thread, uint32_t *waiting)
{
	struct ring_page *ring = thread->ring;
	struct ring_submission submission;
	struct ring_completion completion;
	uint32_t pending;
	uint32_t space;
	uint32_t taken = 0;
	uint32_t opened = 0;

	TRY(ring_kernel_pending(&thread->ring_state, ring, &pending));
	TRY(ring_kernel_space(&thread->ring_state, ring, &space));
	*waiting = RING_CQ_ENTRIES - space;
	while (taken < pending && space > thread->open_count) {
		ring_kernel_read_head(&thread->ring_state, ring, &submission);
		if ((submission.opcode | submission.flags) == RING_NOP) {
			completion = (struct ring_completion){ .user_data = submission.user_data };
		} else {
			ring_kernel_read_arguments(&thread->ring_state, ring, &submission);
			if (!dispatch_submission(thread, &submission, &completion)) {
				ring_kernel_advance(&thread->ring_state);
				taken++;
				opened++;
				continue;
			}
		}
		ring_kernel_advance(&thread->ring_state);
		ring_kernel_write(&thread->ring_state, ring, &completion);
		taken++;
		space--;
		(*waiting)++;
	}
	thread->submissions += taken;
	thread->completions += taken - opened;
	ring_kernel_publish(&thread->ring_state, ring);
	return STATUS_OK;
}

/* Whether an open operation can complete now, and with what. */
static bool try_complete(struct thread *thread, const struct open_operation *open, struct ring_completion *completion)
{
	*completion = (struct ring_completion){ .user_data = open->user_data };
	switch (open->kind) {
	case OPEN_SLEEP:
		return clock_now_ns() >= open->deadline;
	case OPEN_CONSOLE_READ:
		return console_try_read(thread->process, open, completion);
	case OPEN_NONE:
		return false;
	}
	return false;
}

/* Completions of open operations; each has its place in the queue since it was opened. */
static uint32_t complete_open(struct thread *thread)
{
	struct ring_completion completion;
	uint32_t done = 0;

	for (uint32_t i = 0; i < THREAD_MAX_OPEN && thread->open_count > 0; i++) {
		struct open_operation *open = &thread->open[i];

		if (open->kind == OPEN_NONE || !try_complete(thread, open, &completion))
			continue;
		open->kind = OPEN_NONE;
		thread->open_count--;
		ring_kernel_write(&thread->ring_state, thread->ring, &completion);
		done++;
	}
	thread->completions += done;
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

static uint32_t wait_for(struct thread *thread, uint32_t waiting, uint32_t min_complete, uint64_t timeout_ns)
{
	uint64_t now = clock_now_ns();
	uint64_t deadline = timeout_ns > UINT64_MAX - now ? UINT64_MAX : now + timeout_ns;

	for (;;) {
		waiting += complete_open(thread);
		if (waiting >= min_complete || clock_now_ns() >= deadline)
			break;
		if (thread->open_count == 0 && timeout_ns == CAP_ENTER_FOREVER)
			break;
		clock_set_alarm(next_look(thread, deadline));
		sti_hlt_cli();
	}
	clock_set_alarm(0);
	return waiting;
}

uint64_t syscall_cap_enter(uint64_t min_complete, uint64_t timeout_ns)
{
	struct thread *thread = thread_current();
	enum status status;
	uint32_t waiting;

	status = drain(thread, &waiting);
	if (UNLIKELY(status != STATUS_OK || min_complete > RING_CQ_ENTRIES))
		return (uint64_t) - (int64_t)(status != STATUS_OK ? status : STATUS_BAD_ARGUMENT);
	if (UNLIKELY(thread->open_count != 0))
		waiting += complete_open(thread);
	if (LIKELY(waiting >= min_complete) || timeout_ns == 0)
		return waiting;
	return wait_for(thread, waiting, (uint32_t)min_complete, timeout_ns);
}

_Noreturn void syscall_exit(uint64_t code)
{
	thread_current()->process->exit_code = (int64_t)code;
	thread_leave();
}
