#include "kernel/arch/x86_64/time_limit.h"

#ifdef KERNEL_WATCH

#include <stdbool.h>

#include "kernel/arch/x86_64/clock.h"
#include "kernel/arch/x86_64/cpu_local.h"
#include "kernel/arch/x86_64/log.h"
#include "kernel/arch/x86_64/panic.h"
#include "lib/check.h"

/* A time, and the addresses of the code at both of its ends. */
struct span {
	uint64_t ns;
	uint64_t from, to;
};

/* What one CPU has seen. Written by it alone, interrupts off; others read it when the machine halts. */
struct record {
	uint64_t off_since_ns; /* 0: interrupts are on, or went off before times counted */
	uint64_t off_from;
	uint64_t exempt_since_ns;
	uint32_t exempt; /* how many begun times do not count; 0: it does */
	struct span off;
	struct span held[LOCK_CLASS_COUNT];
} __attribute__((aligned(64)));

#define NS_PER_US UINT64_C(1000)

static struct record records[CPU_MAX];
static uint64_t limit;  /* ns; fixed by time_limit_begin */
static bool is_counted; /* atomic; once true, it stays so */

void time_limit_begin(uint64_t limit_ns)
{
	limit = limit_ns;
	__atomic_store_n(&is_counted, true, __ATOMIC_RELEASE);
}

static bool counts(void)
{
	return __atomic_load_n(&is_counted, __ATOMIC_ACQUIRE);
}

static void note(struct span *longest, struct span span)
{
	if (span.ns > longest->ns)
		*longest = span;
}

static bool is_too_long(struct span span)
{
	return limit != 0 && span.ns > limit;
}

/* The callers are the ends of the time: the places where interrupts go off and come on. */
__attribute__((noinline)) void time_limit_interrupts_off(void)
{
	struct record *record = &records[cpu_index()];

	record->off_from = (uint64_t)__builtin_return_address(0);
	record->off_since_ns = counts() ? clock_now_ns() : 0;
}

__attribute__((noinline)) void time_limit_interrupts_on(void)
{
	struct record *record = &records[cpu_index()];
	struct span span = { .from = record->off_from, .to = (uint64_t)__builtin_return_address(0) };

	if (record->off_since_ns == 0)
		return;
	span.ns = clock_now_ns() - record->off_since_ns;
	record->off_since_ns = 0;
	if (record->exempt != 0)
		return;
	if (is_too_long(span))
		panic("interrupts were off for %llu us, limit %llu: off at 0x%lx, on at 0x%lx",
		      (unsigned long long)(span.ns / NS_PER_US), (unsigned long long)(limit / NS_PER_US), span.from,
		      span.to);
	note(&record->off, span);
}

void time_limit_exempt_begin(void)
{
	struct record *record = &records[cpu_index()];

	if (record->exempt++ == 0)
		record->exempt_since_ns = clock_now_ns();
}

/* What began before is as if it had begun so much later; what began in between begins now. */
void time_limit_exempt_end(void)
{
	struct record *record = &records[cpu_index()];
	const uint64_t now = clock_now_ns();
	const uint64_t since = record->exempt_since_ns;

	CHECK(record->exempt != 0);
	if (--record->exempt != 0)
		return;
	if (record->off_since_ns != 0)
		record->off_since_ns = record->off_since_ns < since ? record->off_since_ns + (now - since) : now;
	lock_watch_exempt(since, now);
}

void time_limit_lock(const struct lock_held *taken, uint64_t where)
{
	const struct span span = { clock_now_ns() - taken->since_ns, taken->where, where };

	if (!counts() || records[cpu_index()].exempt != 0)
		return;
	if (is_too_long(span) && !lock_order_spans_windows(taken->class))
		panic("%s was held for %llu us, limit %llu: taken at 0x%lx, given back at 0x%lx",
		      lock_order_name(taken->class), (unsigned long long)(span.ns / NS_PER_US),
		      (unsigned long long)(limit / NS_PER_US), span.from, span.to);
	note(&records[cpu_index()].held[taken->class], span);
}

static struct span longest_off(void)
{
	struct span longest = { 0, 0, 0 };

	for (uint32_t cpu = 0; cpu < cpu_online_count(); cpu++)
		note(&longest, records[cpu].off);
	return longest;
}

static struct span longest_held(enum lock_class class)
{
	struct span longest = { 0, 0, 0 };

	for (uint32_t cpu = 0; cpu < cpu_online_count(); cpu++)
		note(&longest, records[cpu].held[class]);
	return longest;
}

static void report_locks(bool over_windows, const char *what)
{
	struct span longest = { 0, 0, 0 };
	enum lock_class longest_class = LOCK_CLASS_NONE;

	for (uint32_t class = LOCK_CLASS_NONE + 1; class < LOCK_CLASS_COUNT; class ++) {
		const struct span span = longest_held((enum lock_class) class);

		if (lock_order_spans_windows((enum lock_class) class) != over_windows || span.ns <= longest.ns)
			continue;
		longest = span;
		longest_class = (enum lock_class) class;
	}
	log_line("limits: %s %llu us: %s, taken at 0x%lx, given back at 0x%lx", what,
		 (unsigned long long)(longest.ns / NS_PER_US), lock_order_name(longest_class), longest.from,
		 longest.to);
}

void time_limit_report(void)
{
	struct span off;

	if (!counts())
		return;
	off = longest_off();
	log_line("limits: interrupts off for at most %llu us: off at 0x%lx, on at 0x%lx",
		 (unsigned long long)(off.ns / NS_PER_US), off.from, off.to);
	report_locks(false, "locks held for at most");
	report_locks(true, "locks held over interrupt windows for at most");
}

#endif
