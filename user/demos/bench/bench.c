#include "user/demos/bench/bench.h"

#include "abi/memory_layout.h"
#include "lib/check.h"
#include "lib/format.h"
#include "lib/status.h"
#include "lib/string.h"
#include "user/runtime/capset_client.h"
#include "user/runtime/print.h"
#include "user/runtime/resident.h"
#include "user/runtime/program.h"
#include "user/runtime/ring_client.h"

#define ROUNDS 64u
#define BATCH UINT64_C(16)
#define CROWD 20000u /* live reservations for the crowded rows */

void stopwatch_init(struct stopwatch *watch)
{
	*watch = (struct stopwatch){ 0 };
	stopwatch_start(watch);
	stopwatch_stop(watch); /* warm */
	watch->total = 0;
	stopwatch_start(watch);
	stopwatch_stop(watch);
	watch->overhead = watch->total;
	watch->total = 0;
}

void bench_require(bool holds, const char *what)
{
	if (!holds)
		program_abort(what, 0);
}

void bench_require_ok(enum status status, const char *what)
{
	char text[128];

	if (status == STATUS_OK)
		return;
	(void)format(text, sizeof(text), "%s: %s", what, status_name(status));
	program_abort(text, 0);
}

void bench_report(const char *name, const struct stopwatch *watch, uint64_t units)
{
	uint64_t tenths = (watch->total * 10 + units / 2) / units;

	print("bench: %s %llu.%llu\n", name, (unsigned long long)tenths / 10, (unsigned long long)tenths % 10);
}

static void submit_nop(struct ring_page *ring, uint64_t user_data)
{
	struct ring_submission *slot;

	bench_require(ring_submit_slot(ring, &slot) == STATUS_OK, "submission queue has room");
	ring_fill(slot, RING_NOP, 0, HANDLE_NONE, user_data);
	ring_publish(ring);
}

/* Eight of them, numbered from `first`, a constant; returns the place after them. */
static inline uint64_t fill_eight(struct ring_page *ring, uint64_t place, uint64_t first)
{
	UNROLLED
	for (uint64_t n = 0; n < BATCH / 2; n++) {
		ring_fill_at(ring, place, RING_NOP, 0, HANDLE_NONE, first + n);
		place = ring_submission_next(place);
	}
	return place;
}

/* Whether each answer has the number of its submission, in order; what is not well about them is added to `faults`. */
static inline bool check_eight(struct ring_page *ring, uint64_t *place, uint64_t first, uint64_t *faults)
{
	UNROLLED
	for (uint64_t n = 0; n < BATCH / 2; n++) {
		if (UNLIKELY(ring_completion_user_data(ring, *place) != first + n))
			return false;
		*faults |= ring_completion_verdict(ring, *place);
		*place = ring_completion_next(*place);
	}
	return true;
}

static inline bool batch(struct ring_page *ring)
{
	uint64_t faults = 0;
	uint64_t place;

	GUARD(ring_submit_space(ring) >= BATCH, false);
	place = ring_submit_first(ring);
	(void)fill_eight(ring, fill_eight(ring, place, 0), BATCH / 2);
	ring_publish_batch(ring, BATCH);
	GUARD(system_call_cap_enter(BATCH, 0) == BATCH, false);
	place = ring_take_first(ring);
	GUARD(check_eight(ring, &place, 0, &faults) && check_eight(ring, &place, BATCH / 2, &faults), false);
	ring_take_batch(ring, BATCH);
	return faults == 0;
}

static void bench_null_single(struct ring_page *ring)
{
	struct ring_completion completion;
	struct stopwatch watch;

	stopwatch_init(&watch);
	for (uint64_t i = 0; i < ROUNDS; i++) {
		stopwatch_start(&watch);
		submit_nop(ring, i);
		bench_require(system_call_cap_enter(1, 0) == 1, "one completion");
		bench_require(ring_take(ring, &completion) == STATUS_OK, "completion");
		stopwatch_stop(&watch);
		bench_require(completion.user_data == i && completion.result == 0, "the null operation's answer");
	}
	bench_report("null-single", &watch, ROUNDS);
}

static void bench_null_batch(struct ring_page *ring)
{
	struct stopwatch watch;
	bool all_well;

	stopwatch_init(&watch);
	for (uint64_t i = 0; i < ROUNDS; i++) {
		/* No answer of an earlier round is left to be mistaken for one of this. */
		(void)memset(ring->completion, 0xff, sizeof(ring->completion));
		stopwatch_start(&watch);
		all_well = batch(ring);
		stopwatch_stop(&watch);
		bench_require(all_well, "sixteen null operations");
	}
	bench_report("null-batch16", &watch, ROUNDS * BATCH);
}

void bench_ring(void)
{
	bench_null_single(ring_client_current.page);
	bench_null_batch(ring_client_current.page);
}

/* The same rows again with many live reservations: they must cost no more. */
static void bench_crowded(struct virtual_memory_client memory)
{
	static void *crowd[CROWD];

	for (uint32_t i = 0; i < CROWD; i++)
		bench_require_ok(virtual_memory_client_reserve(memory, 0, PAGE_SIZE, 0, &crowd[i]), "crowd");
	bench_reserve(memory, "-crowded");
	bench_cycle(memory, "-crowded");
	for (uint32_t i = 0; i < CROWD; i++)
		bench_require_ok(virtual_memory_client_unmap(memory, crowd[i], PAGE_SIZE), "crowd");
}

/* With an argument, only the rows of that group run, for profiles. */
static bool wanted(int argc, char **argv, const char *group)
{
	return argc < 2 || string_equal(argv[1], group);
}

static void run_rows(int argc, char **argv, struct virtual_memory_client memory, handle_t frames)
{
	if (wanted(argc, argv, "ring"))
		bench_ring();
	if (wanted(argc, argv, "reserve"))
		bench_reserve(memory, "");
	if (wanted(argc, argv, "commit"))
		bench_commit(memory);
	if (wanted(argc, argv, "protect"))
		bench_protect(memory);
	if (wanted(argc, argv, "unmap"))
		bench_unmap(memory);
	if (wanted(argc, argv, "object"))
		bench_map_object(memory, frames);
	if (wanted(argc, argv, "cycle"))
		bench_cycle(memory, "");
	if (wanted(argc, argv, "calls"))
		bench_calls(frames);
	if (wanted(argc, argv, "spawn"))
		bench_spawn();
	if (wanted(argc, argv, "crowd"))
		bench_crowded(memory);
}

int main(int argc, char **argv, char **envp)
{
	struct virtual_memory_client memory;
	struct memory_statistics before;
	struct memory_statistics after;
	handle_t frames;

	(void)envp;
	resident_make(RESIDENT_STACK_BYTES);
	if (argc == 2 && string_equal(argv[1], "serve"))
		return bench_serve();
	bench_require_ok(capset_client_find("memory", INTERFACE_VIRTUAL_MEMORY, &memory.handle), "memory");
	bench_require_ok(capset_client_find("frames", INTERFACE_FRAME_ALLOCATOR, &frames), "frames");
	bench_require_ok(virtual_memory_client_statistics(memory, &before), "statistics");
	run_rows(argc, argv, memory, frames);
	bench_require_ok(virtual_memory_client_statistics(memory, &after), "statistics");
	bench_require(before.system_free_frames == after.system_free_frames, "all frames came back");
	return 0;
}
