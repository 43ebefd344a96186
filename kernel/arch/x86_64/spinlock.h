/*
 * Ticket lock: first come, first served. The kernel takes it with interrupts off. A CPU that waits keeps answering
 * TLB shootdowns, so one that holds the lock may wait for a shootdown.
 */
#ifndef CAPOS_KERNEL_ARCH_X86_64_SPINLOCK_H
#define CAPOS_KERNEL_ARCH_X86_64_SPINLOCK_H

#include <stdbool.h>
#include <stdint.h>

struct spinlock {
	uint16_t next;    /* ticket of the next comer */
	uint16_t serving; /* ticket of the holder; written by the holder alone */
};

_Static_assert(sizeof(struct spinlock) == 4, "two tickets in one word");

#define SPINLOCK_INIT \
	{             \
		0, 0  \
	}

/*
 * The wait of a lock that somebody holds is a call that saves every register: so a function that takes a free lock
 * keeps its values where they are. Host tests supply it, and have registers that a compiler cannot save so.
 */
#ifdef CAPOS_HOST
#define SPINLOCK_SAVES_REGISTERS
#else
#define SPINLOCK_SAVES_REGISTERS __attribute__((no_caller_saved_registers))
#endif

/* Answer TLB shootdowns until `ticket` is served. */
SPINLOCK_SAVES_REGISTERS void spinlock_wait(const struct spinlock *lock, uint16_t ticket);

static inline void spinlock_acquire(struct spinlock *lock)
{
	uint16_t ticket = __atomic_fetch_add(&lock->next, 1, __ATOMIC_RELAXED);

	if (__builtin_expect(__atomic_load_n(&lock->serving, __ATOMIC_ACQUIRE) != ticket, 0))
		spinlock_wait(lock, ticket);
}

static inline void spinlock_release(struct spinlock *lock)
{
	__atomic_store_n(&lock->serving, (uint16_t)(lock->serving + 1), __ATOMIC_RELEASE);
}

/* Whether somebody holds it. For assertions: the caller does, or the answer is stale at once. */
static inline bool spinlock_is_held(const struct spinlock *lock)
{
	return __atomic_load_n(&lock->next, __ATOMIC_RELAXED) != __atomic_load_n(&lock->serving, __ATOMIC_RELAXED);
}

#endif
