#include "kernel/arch/x86_64/lock_watch.h"

#ifdef KERNEL_WATCH

#include <stddef.h>

#include "kernel/arch/x86_64/clock.h"
#include "kernel/arch/x86_64/cpu_local.h"
#include "kernel/arch/x86_64/instructions.h"
#include "kernel/arch/x86_64/panic.h"
#include "kernel/arch/x86_64/time_limit.h"

static struct lock_stack stacks[CPU_MAX]; /* each its CPU's alone */

static struct lock_stack *own_stack(void)
{
	return &stacks[cpu_index()];
}

void lock_watch_taking(const void *lock, enum lock_class class, uint64_t where)
{
	const struct lock_held next = { .lock = lock, .class = class, .where = where };
	const struct lock_held *against;
	enum lock_fault fault;

	if (interrupts_are_on())
		panic("%s taken with interrupts on, at 0x%lx", lock_order_name(class), where);
	fault = lock_order_take(own_stack(), &next, &against);
	if (fault == LOCK_FAULT_NONE)
		return;
	if (against == NULL)
		panic("%s taken at 0x%lx: %s", lock_order_name(class), where, lock_order_fault_name(fault));
	else
		panic("%s taken at 0x%lx: %s, under %s taken at 0x%lx", lock_order_name(class), where,
		      lock_order_fault_name(fault), lock_order_name(against->class), against->where);
}

/* The time counts from here: the wait was somebody else's. */
void lock_watch_taken(void)
{
	struct lock_stack *stack = own_stack();

	stack->held[stack->count - 1].since_ns = clock_now_ns();
}

void lock_watch_giving(const void *lock, enum lock_class class, uint64_t where)
{
	struct lock_held taken;
	const enum lock_fault fault = lock_order_drop(own_stack(), lock, &taken);

	if (fault != LOCK_FAULT_NONE)
		panic("%s given back at 0x%lx: %s", lock_order_name(class), where, lock_order_fault_name(fault));
	time_limit_lock(&taken, where);
}

void lock_watch_exempt(uint64_t since_ns, uint64_t now_ns)
{
	struct lock_stack *stack = own_stack();

	for (uint32_t i = 0; i < stack->count; i++) {
		uint64_t *taken_ns = &stack->held[i].since_ns;

		*taken_ns = *taken_ns < since_ns ? *taken_ns + (now_ns - since_ns) : now_ns;
	}
}

void lock_watch_none_held(void)
{
	const struct lock_stack *stack = own_stack();
	const struct lock_held *last;

	if (stack->count == 0)
		return;
	last = &stack->held[stack->count - 1];
	panic("%s is still held where no lock may be, taken at 0x%lx", lock_order_name(last->class), last->where);
}

void lock_watch_window(void)
{
	const struct lock_held *barring = lock_order_bars_window(own_stack());

	if (barring != NULL)
		panic("interrupts let in under %s, taken at 0x%lx", lock_order_name(barring->class), barring->where);
}

#endif
