#include "kernel/arch/x86_64/spinlock.h"

#include "kernel/arch/x86_64/tlb.h"

SPINLOCK_SAVES_REGISTERS void spinlock_wait(const struct spinlock *lock, uint16_t ticket)
{
	while (__atomic_load_n(&lock->serving, __ATOMIC_ACQUIRE) != ticket) {
		__builtin_ia32_pause();
		tlb_poll();
	}
}

#ifdef KERNEL_WATCH

/* A lock that is held already, by this CPU or in a circle, would be waited for without end: so the look comes first. */
void spinlock_acquire(struct spinlock *lock)
{
	lock_watch_taking(lock, lock->class, (uint64_t)__builtin_return_address(0));
	spinlock_take(lock);
	lock_watch_taken();
}

void spinlock_release(struct spinlock *lock)
{
	lock_watch_giving(lock, lock->class, (uint64_t)__builtin_return_address(0));
	spinlock_give(lock);
}

#endif
