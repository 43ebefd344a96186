#include "kernel/arch/x86_64/lock_order.h"

#ifdef CAPOS_DEBUG

#include <stddef.h>

#include "lib/check.h"

#define UNDER(class) (UINT32_C(1) << (class))

struct lock_row {
	const char *name;
	uint32_t under; /* UNDER of each class that may be held when it is taken */
	bool spans_windows;
};

_Static_assert(LOCK_CLASS_COUNT <= 32, "a bit for each class");

#define NOTHING 0u
#define SPACE UNDER(LOCK_ADDRESS_SPACE)
#define MESSAGE (SPACE | UNDER(LOCK_ENDPOINT)) /* one is received, with what it carries */

/* Who may wake a thread. */
#define WAKERS (UNDER(LOCK_PROCESS) | MESSAGE | UNDER(LOCK_PARK) | UNDER(LOCK_INPUT_WAIT) | UNDER(LOCK_DEADLINE))

/* Who may take frames or give them back. */
#define FRAME_USERS (MESSAGE | UNDER(LOCK_CAP_TABLE) | UNDER(LOCK_HEAP) | UNDER(LOCK_WINDOW))

/*
 * The lock of a space alone is held while interrupts come: changes of large ranges go on in steps, and whoever wants
 * the space waits, which are its own threads.
 */
static const struct lock_row rows[LOCK_CLASS_COUNT] = {
	[LOCK_CLASS_NONE] = { "a lock without a name", NOTHING, false },
	[LOCK_PROCESS] = { "process.lock", NOTHING, false },
	[LOCK_ADDRESS_SPACE] = { "address_space.lock", NOTHING, true },
	[LOCK_ENDPOINT] = { "endpoint.lock", SPACE, false },
	[LOCK_PARK] = { "park_lock", SPACE, false },
	[LOCK_INPUT_WAIT] = { "wait_lock", NOTHING, false },
	[LOCK_CAP_TABLE] = { "cap_lock", MESSAGE, false },
	[LOCK_MEMORY_OBJECT] = { "memory_object.lock", MESSAGE | UNDER(LOCK_CAP_TABLE), false },
	[LOCK_TREE] = { "tree_lock", NOTHING, false },
	[LOCK_ACCOUNT] = { "account.lock", MESSAGE | UNDER(LOCK_TREE), false },
	[LOCK_OBJECT_LIST] = { "object_list_lock", NOTHING, false },
	[LOCK_ENDPOINT_LIST] = { "list_lock", NOTHING, false },
	[LOCK_HEAP] = { "heap_lock", NOTHING, false },
	[LOCK_WINDOW] = { "window_lock", NOTHING, false },
	[LOCK_KERNEL_STACK] = { "stack_lock", NOTHING, false },
	[LOCK_PCID] = { "pcid_lock", NOTHING, false },
	[LOCK_ENTROPY] = { "entropy_lock", NOTHING, false },
	[LOCK_CONSOLE_OUTPUT] = { "output_lock", NOTHING, false },
	[LOCK_CONSOLE_INPUT] = { "input_lock", NOTHING, false },
	[LOCK_DEADLINE] = { "deadline_lock", NOTHING, false },
	[LOCK_THREAD] = { "thread.lock", WAKERS, false },
	[LOCK_RUN_QUEUE] = { "run_queue.lock", WAKERS, false },
	[LOCK_FRAME_STACK] = { "frame_stack.lock", FRAME_USERS, false },
	[LOCK_BITMAP] = { "bitmap_lock", FRAME_USERS | UNDER(LOCK_FRAME_STACK), false },
};

const char *lock_order_name(enum lock_class class)
{
	return rows[class].name;
}

bool lock_order_allows(enum lock_class held, enum lock_class class)
{
	return (rows[class].under & UNDER(held)) != 0;
}

bool lock_order_spans_windows(enum lock_class class)
{
	return rows[class].spans_windows;
}

const char *lock_order_fault_name(enum lock_fault fault)
{
	static const char *const names[] = {
		[LOCK_FAULT_NONE] = "nothing is wrong",           [LOCK_FAULT_NO_CLASS] = "it was never named",
		[LOCK_FAULT_AGAIN] = "this CPU holds it already", [LOCK_FAULT_ORDER] = "out of order",
		[LOCK_FAULT_DEPTH] = "too many are held",         [LOCK_FAULT_NOT_HELD] = "this CPU does not hold it",
	};

	return names[fault];
}

enum lock_fault lock_order_take(struct lock_stack *stack, const struct lock_held *next,
				const struct lock_held **against)
{
	*against = NULL;
	if (next->class == LOCK_CLASS_NONE || next->class >= LOCK_CLASS_COUNT)
		return LOCK_FAULT_NO_CLASS;
	for (uint32_t i = 0; i < stack->count; i++) {
		const struct lock_held *held = &stack->held[i];

		if (held->lock == next->lock) {
			*against = held;
			return LOCK_FAULT_AGAIN;
		}
		if (!lock_order_allows(held->class, next->class))
			*against = held;
	}
	if (*against != NULL)
		return LOCK_FAULT_ORDER;
	if (stack->count == LOCK_STACK_DEPTH)
		return LOCK_FAULT_DEPTH;
	stack->held[stack->count++] = *next;
	return LOCK_FAULT_NONE;
}

enum lock_fault lock_order_drop(struct lock_stack *stack, const void *lock, struct lock_held *taken)
{
	uint32_t at = stack->count;

	while (at > 0 && stack->held[at - 1].lock != lock)
		at--;
	if (at == 0)
		return LOCK_FAULT_NOT_HELD;
	*taken = stack->held[at - 1];
	for (stack->count--; at <= stack->count; at++)
		stack->held[at - 1] = stack->held[at];
	return LOCK_FAULT_NONE;
}

const struct lock_held *lock_order_bars_window(const struct lock_stack *stack)
{
	for (uint32_t i = stack->count; i-- > 0;)
		if (!lock_order_spans_windows(stack->held[i].class))
			return &stack->held[i];
	return NULL;
}

#endif
