#include "kernel/arch/x86_64/spinlock.h"

#include "kernel/arch/x86_64/tlb.h"

SPINLOCK_SAVES_REGISTERS void spinlock_wait(const struct spinlock *lock, uint16_t ticket)
{
	while (__atomic_load_n(&lock->serving, __ATOMIC_ACQUIRE) != ticket) {
		__builtin_ia32_pause();
		tlb_poll();
	}
}
