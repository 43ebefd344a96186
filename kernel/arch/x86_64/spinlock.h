/*
 * Ticket lock: first come, first served. The kernel takes it with interrupts off. A CPU that waits keeps answering
 * TLB shootdowns, so one that holds the lock may wait for a shootdown.
 *
 * Which lock may be taken under which says lock_order.h. In debug kernels each lock knows its class, and a lock that is
 * taken out of order, twice, with interrupts on, or given back by who does not hold it is a panic (lock_watch.h).
 */
#ifndef CAPOS_KERNEL_ARCH_X86_64_SPINLOCK_H
#define CAPOS_KERNEL_ARCH_X86_64_SPINLOCK_H

#include <stdbool.h>
#include <stdint.h>

#include "kernel/arch/x86_64/kernel_watch.h"
#include "kernel/arch/x86_64/lock_order.h"
#include "kernel/arch/x86_64/lock_watch.h"

struct spinlock {
	uint16_t next;    /* ticket of the next comer */
	uint16_t serving; /* ticket of the holder; written by the holder alone */
#ifdef KERNEL_WATCH
	enum lock_class class; /* fixed by SPINLOCK_INIT or spinlock_name */
#endif
};

/* Memory of a lock that nobody holds. spinlock_name is for one in memory that is zero otherwise. */
#ifdef KERNEL_WATCH

#define SPINLOCK_INIT(of_class)  \
	{                        \
		0, 0, (of_class) \
	}

static inline void spinlock_name(struct spinlock *lock, enum lock_class class)
{
	lock->class = class;
}

#else

_Static_assert(sizeof(struct spinlock) == 4, "two tickets in one word");

#define SPINLOCK_INIT(of_class) \
	{                       \
		0, 0            \
	}

static inline void spinlock_name(const struct spinlock *lock, enum lock_class class)
{
	(void)lock;
	(void)class;
}

#endif

/*
 * The wait of a lock that somebody holds is a call that saves every register: so a function that takes a free lock
 * keeps its values where they are. Host tests supply it, and have registers that a compiler cannot save so.
 */
#if defined(CAPOS_HOST) || defined(KERNEL_WATCH)
#define SPINLOCK_SAVES_REGISTERS
#else
#define SPINLOCK_SAVES_REGISTERS __attribute__((no_caller_saved_registers))
#endif

/* Answer TLB shootdowns until `ticket` is served. */
SPINLOCK_SAVES_REGISTERS void spinlock_wait(const struct spinlock *lock, uint16_t ticket);

static inline void spinlock_take(struct spinlock *lock)
{
	uint16_t ticket = __atomic_fetch_add(&lock->next, 1, __ATOMIC_RELAXED);

	if (__builtin_expect(__atomic_load_n(&lock->serving, __ATOMIC_ACQUIRE) != ticket, 0))
		spinlock_wait(lock, ticket);
}

static inline void spinlock_give(struct spinlock *lock)
{
	__atomic_store_n(&lock->serving, (uint16_t)(lock->serving + 1), __ATOMIC_RELEASE);
}

#ifdef KERNEL_WATCH

/* No inline functions, so that the return address is the caller's. */
void spinlock_acquire(struct spinlock *lock);
void spinlock_release(struct spinlock *lock);

#else

static inline void spinlock_acquire(struct spinlock *lock)
{
	spinlock_take(lock);
}

static inline void spinlock_release(struct spinlock *lock)
{
	spinlock_give(lock);
}

#endif

/* Whether somebody holds it. For assertions: the caller does, or the answer is stale at once. */
static inline bool spinlock_is_held(const struct spinlock *lock)
{
	return __atomic_load_n(&lock->next, __ATOMIC_RELAXED) != __atomic_load_n(&lock->serving, __ATOMIC_RELAXED);
}

#endif
