/*
 * The order of the kernel's locks, in one place: which locks there are, and which a CPU may hold when it takes one.
 *
 * A lock is taken only while those are held that its row in lock_order.c allows, all of which come before it in this
 * list. So no two CPUs can wait for each other in a circle; and no lock is ever taken while another of its own class is
 * held. Debug kernels look at each step (spinlock.h). The log's lock is not of these: it gives up after a while, so
 * that a panic always speaks, and nothing is taken under it.
 */
#ifndef CAPOS_KERNEL_ARCH_X86_64_LOCK_ORDER_H
#define CAPOS_KERNEL_ARCH_X86_64_LOCK_ORDER_H

#include <stdbool.h>
#include <stdint.h>

enum lock_class {
	LOCK_CLASS_NONE = 0, /* memory that nobody has named: taking it is a fault */

	/* A program's operations begin with one of these. */
	LOCK_PROCESS,       /* process.lock: places of its threads, its end, who waits for either, faults */
	LOCK_ADDRESS_SPACE, /* address_space.lock: the user half of the page table */
	LOCK_ENDPOINT,      /* endpoint.lock: its four queues */
	LOCK_PARK,          /* process.park_lock: who sleeps on words */
	LOCK_INPUT_WAIT,    /* wait_lock of console_wait.c: who waits for input */
	LOCK_CAP_TABLE,     /* process.cap_lock: the capability table */
	LOCK_MEMORY_OBJECT, /* memory_object.lock: counts, mappings of each frame */

	/* Of the whole system. */
	LOCK_TREE,           /* tree_lock: the list of processes, who is whose parent */
	LOCK_ACCOUNT,        /* account.lock: six ledgers */
	LOCK_OBJECT_LIST,    /* object_list_lock: the list of memory objects */
	LOCK_ENDPOINT_LIST,  /* list_lock of endpoint.c: the list of endpoints */
	LOCK_HEAP,           /* heap_lock: the kernel's heap */
	LOCK_WINDOW,         /* window_lock: the kernel's windows */
	LOCK_KERNEL_STACK,   /* stack_lock: slots and spare stacks */
	LOCK_PCID,           /* pcid_lock: PCIDs in use */
	LOCK_ENTROPY,        /* of entropy.c: the stream of random numbers */
	LOCK_CONSOLE_OUTPUT, /* output_lock: whose part goes out next */
	LOCK_CONSOLE_INPUT,  /* input_lock: input, while it is looked at */

	/* Threads are woken everywhere. */
	LOCK_DEADLINE,  /* deadline_lock: who sleeps on a CPU, by deadline */
	LOCK_THREAD,    /* thread.lock: its state */
	LOCK_RUN_QUEUE, /* run_queue.lock: threads that are ready */

	/* Frames are taken everywhere. */
	LOCK_FRAME_STACK, /* frame_stack.lock: a CPU's free frames */
	LOCK_BITMAP,      /* bitmap_lock: the bitmap */
	LOCK_CLASS_COUNT
};

/* As ARCHITECTURE.md has it ("bitmap_lock"). */
const char *lock_order_name(enum lock_class class);

/* Whether a lock of `class` may be taken while one of `held` is. */
bool lock_order_allows(enum lock_class held, enum lock_class class);

/* Whether its holder may let interrupts come (interrupt_window.h). */
bool lock_order_spans_windows(enum lock_class class);

/* A lock that is held. */
struct lock_held {
	const void *lock;
	enum lock_class class;
	uint64_t where;    /* address of the code that took it */
	uint64_t since_ns; /* of whatever clock the caller has */
};

#define LOCK_STACK_DEPTH 8u

/* What one CPU holds, the last one taken at the end. Zero is nothing. */
struct lock_stack {
	uint32_t count;
	struct lock_held held[LOCK_STACK_DEPTH];
};

enum lock_fault {
	LOCK_FAULT_NONE,
	LOCK_FAULT_NO_CLASS, /* the lock has no name */
	LOCK_FAULT_AGAIN,    /* this CPU holds it already */
	LOCK_FAULT_ORDER,    /* this CPU holds one under which it must not be taken */
	LOCK_FAULT_DEPTH,    /* more are held than the stack has room for */
	LOCK_FAULT_NOT_HELD, /* given back by who has not taken it */
};

/* What is wrong, for people ("out of order"). */
const char *lock_order_fault_name(enum lock_fault fault);

/* Note that `next` is about to be taken. For AGAIN and ORDER `*against` is the one that is held. A fault notes nothing.
 */
enum lock_fault lock_order_take(struct lock_stack *stack, const struct lock_held *next,
				const struct lock_held **against);

/* Note that it is given back, in whatever order; `*taken` is what was noted. */
enum lock_fault lock_order_drop(struct lock_stack *stack, const void *lock, struct lock_held *taken);

/* The last one taken that may not be held over an interrupt window: NULL if there is none. */
const struct lock_held *lock_order_bars_window(const struct lock_stack *stack);

#endif
