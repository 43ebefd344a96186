#include "kernel/task/world.h"

#include <stdbool.h>
#include <stdint.h>

#include "kernel/arch/x86_64/cpu_local.h"
#include "kernel/arch/x86_64/instructions.h"
#include "kernel/arch/x86_64/lock_watch.h"
#include "kernel/arch/x86_64/smp.h"
#include "kernel/arch/x86_64/time_limit.h"
#include "kernel/arch/x86_64/tlb.h"
#include "lib/check.h"

static bool is_taken;        /* atomic: somebody stops the others, or waits until all of them go on */
static bool is_stopped;      /* atomic: they are to stay */
static uint64_t parked_mask; /* atomic: who is held */

void world_park(void)
{
	uint64_t bit = cpu_current()->bit;

	if (!__atomic_load_n(&is_stopped, __ATOMIC_ACQUIRE))
		return;
	lock_watch_none_held();
	time_limit_exempt_begin();
	__atomic_fetch_or(&parked_mask, bit, __ATOMIC_RELEASE);
	while (__atomic_load_n(&is_stopped, __ATOMIC_ACQUIRE)) {
		cpu_pause();
		tlb_poll();
	}
	time_limit_exempt_end();
	__atomic_fetch_and(&parked_mask, ~bit, __ATOMIC_RELEASE);
}

static void ask(uint64_t others)
{
	for (; others != 0; others &= others - 1) {
		uint32_t index = (uint32_t)__builtin_ctzll(others);

		__atomic_fetch_or(&cpu_at(index)->attention, CPU_ATTENTION_STOP, __ATOMIC_RELEASE);
		smp_interrupt(index);
	}
}

void world_stop(void)
{
	uint64_t others = cpu_online_mask() & ~cpu_current()->bit;

	while (__atomic_exchange_n(&is_taken, true, __ATOMIC_ACQUIRE)) {
		tlb_poll();
		world_park(); /* whoever stops the world waits for this CPU, too */
	}
	time_limit_exempt_begin();
	__atomic_store_n(&is_stopped, true, __ATOMIC_RELEASE);
	while ((__atomic_load_n(&parked_mask, __ATOMIC_ACQUIRE) & others) != others) {
		ask(others & ~__atomic_load_n(&parked_mask, __ATOMIC_RELAXED));
		for (uint32_t i = 0; i < 1000 && (__atomic_load_n(&parked_mask, __ATOMIC_ACQUIRE) & others) != others;
		     i++) {
			cpu_pause();
			tlb_poll();
		}
	}
}

void world_start(void)
{
	CHECK(is_stopped);
	__atomic_store_n(&is_stopped, false, __ATOMIC_RELEASE);
	/* A bit that is still set must never count for the next stop. */
	while (__atomic_load_n(&parked_mask, __ATOMIC_ACQUIRE) != 0) {
		cpu_pause();
		tlb_poll();
	}
	time_limit_exempt_end();
	__atomic_store_n(&is_taken, false, __ATOMIC_RELEASE);
}
