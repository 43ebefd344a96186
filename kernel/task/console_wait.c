#include "kernel/task/console_wait.h"

#include <stddef.h>

#include "kernel/arch/x86_64/interrupt_window.h"
#include "kernel/arch/x86_64/serial.h"
#include "kernel/task/scheduler.h"

static struct spinlock wait_lock = SPINLOCK_INIT(LOCK_INPUT_WAIT);

/* wait_lock */
static struct operation_queue waiting, called;

uint64_t console_wait_deadline(void)
{
	return serial_is_polled() ? 0 : OPERATION_FOREVER;
}

void console_wait_begin(struct operation *operation, operation_look_t *look)
{
	operation->look = look;
	operation->guard = &wait_lock;
	spinlock_acquire(&wait_lock);
	operation_enqueue(&called, operation);
	operation_call(operation);
	spinlock_release(&wait_lock);
}

static void move(struct operation *operation, struct operation_queue *to)
{
	operation_dequeue(operation);
	operation_enqueue(to, operation);
}

/* It waits before it looks: what comes after the look calls it. */
bool console_wait_look(struct operation *operation)
{
	spinlock_acquire(&wait_lock);
	move(operation, &waiting);
	spinlock_release(&wait_lock);
	if (!operation->look(operation))
		return false;
	spinlock_acquire(&wait_lock);
	operation_dequeue(operation);
	spinlock_release(&wait_lock);
	return true;
}

/* A step of at most so many; how many of them are left. */
static uint32_t call_some(uint32_t most)
{
	uint32_t step = most < OPERATION_STEP ? most : OPERATION_STEP;

	spinlock_acquire(&wait_lock);
	for (; step != 0 && waiting.first != NULL; step--, most--) {
		struct operation *operation = waiting.first;

		move(operation, &called);
		operation_call(operation);
		scheduler_wake(operation->thread);
	}
	most = most < waiting.count ? most : waiting.count;
	spinlock_release(&wait_lock);
	return most;
}

/* Those that look in vain meanwhile wait again; they are not called twice. */
void console_wait_call(void)
{
	uint32_t left = call_some(UINT32_MAX);

	while (left != 0) {
		interrupt_window_open();
		left = call_some(left);
	}
}

static bool queue_is_valid(const struct operation_queue *queue)
{
	for (const struct operation *operation = queue->first; operation != NULL; operation = operation->next)
		if (operation->kind != OPERATION_CONSOLE_READ || operation->guard != &wait_lock)
			return false;
	return operation_queue_is_valid(queue);
}

bool console_wait_is_valid(void)
{
	return queue_is_valid(&waiting) && queue_is_valid(&called);
}
