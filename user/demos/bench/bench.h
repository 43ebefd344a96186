/*
 * Instruction counts of the system's operations, from ring 3 through the public ABI. Under `-icount shift=0,sleep=off`
 * the time-stamp counter counts guest instructions, exactly and repeatably; on other machines the numbers mean nothing.
 */
#ifndef CAPOS_USER_DEMOS_BENCH_BENCH_H
#define CAPOS_USER_DEMOS_BENCH_BENCH_H

#include <stdbool.h>
#include <stdint.h>

#include "user/runtime/memory_object_client.h"
#include "user/runtime/virtual_memory_client.h"

/* One measured stretch; what lies between stop and the next start is not counted. */
struct stopwatch {
	uint64_t started, total, overhead;
};

void stopwatch_init(struct stopwatch *watch);

static inline uint64_t stopwatch_read(void)
{
	uint32_t low;
	uint32_t high;

	__asm__ volatile("rdtsc" : "=a"(low), "=d"(high)::"memory");
	return (uint64_t)high << 32 | low;
}

static inline void stopwatch_start(struct stopwatch *watch)
{
	watch->started = stopwatch_read();
}

static inline void stopwatch_stop(struct stopwatch *watch)
{
	watch->total += stopwatch_read() - watch->started - watch->overhead;
}

/* End the program with a message if a promise that the row depends on does not hold: each row checks its own work. */
void bench_require(bool holds, const char *what);
void bench_require_ok(enum status status, const char *what);

/* "bench: NAME VALUE", with one decimal: the watch's total over `units`. */
void bench_report(const char *name, const struct stopwatch *watch, uint64_t units);

/* The rows. */
void bench_ring(void);
void bench_reserve(struct virtual_memory_client memory, const char *suffix);
void bench_commit(struct virtual_memory_client memory);
void bench_protect(struct virtual_memory_client memory);
void bench_unmap(struct virtual_memory_client memory);
void bench_map_object(struct virtual_memory_client memory, handle_t frames);
void bench_cycle(struct virtual_memory_client memory, const char *suffix);
void bench_calls(handle_t frames);
void bench_spawn(void);

/* The other side of bench_calls, in a process of its own; does not return. */
int bench_serve(void);

#endif
