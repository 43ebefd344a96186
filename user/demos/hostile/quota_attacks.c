#include "user/demos/hostile/quota_attacks.h"

#include <stddef.h>

#include "lib/check.h"
#include "user/demos/hostile/attack.h"
#include "user/runtime/open_operation.h"
#include "user/runtime/user_thread.h"

#define MANY 1400u

static handle_t held[MANY];

void quota_attacks_role_nothing(void)
{
}

static bool is_quota(enum status status)
{
	return status >= STATUS_OUT_OF_MEMORY && status <= STATUS_OVER_KERNEL_OBJECT;
}

static uint64_t left_of(enum ledger_kind kind)
{
	const struct ledger_reading reading = trial_statistics().ledger[kind];

	return reading.limit - reading.used;
}

/* ---- more than was given ---- */

/* Map, release the hold, and again: what is mapped still costs. */
static void map_and_release(const struct attack *attack)
{
	const uint64_t limit = left_of(LEDGER_FRAME_GRANT);
	struct memory_object_client object;
	enum status status = STATUS_OK;
	uint64_t mapped = 0;
	void *address;

	while (status == STATUS_OK) {
		status = trial_object(16, &object);
		if (status != STATUS_OK)
			break;
		status = trial_map_object(object, 16, TRIAL_READ_WRITE, &address);
		if (status == STATUS_OK)
			mapped += 16;
		EXPECT_OK(ring_client_release(object.handle));
		EXPECT(mapped <= limit);
	}
	EXPECT_STATUS(status, STATUS_OVER_FRAME_GRANT);
	EXPECT(left_of(LEDGER_FRAME_GRANT) < 32);
	(void)attack;
}

/* Children that are given nearly all, and end: what comes back is what went. */
static void spawn_and_collect(const struct attack *attack)
{
	const struct memory_statistics before = trial_statistics();
	struct process_builder builder;
	struct process_client process;

	(void)attack;
	for (uint32_t round = 0; round < 30; round++) {
		trial_child_build(&builder, "nothing");
		EXPECT_OK(process_builder_limit_share(&builder, trial.memory, 9, 10));
		EXPECT_OK(trial_child_start(&builder, &process));
		for (uint32_t i = 0; i < LEDGER_COUNT; i++)
			EXPECT(trial_statistics().ledger[i].limit <= before.ledger[i].limit);
		trial_child_finish(process);
	}
}

/* The children map and hold one object of ours: each pays for itself. */
static void share_to_multiply(const struct attack *attack)
{
	struct memory_object_client object;
	struct process_builder builder;
	struct process_client process;

	(void)attack;
	EXPECT_OK(trial_object(300, &object));
	trial_child_build(&builder, "nothing");
	trial_child_copy(&builder, "object", object.handle);
	process_builder_limit(&builder, LEDGER_FRAME_GRANT, 299);
	EXPECT_STATUS(trial_child_start(&builder, &process), STATUS_OVER_FRAME_GRANT);
	process_builder_limit(&builder, LEDGER_FRAME_GRANT, 300);
	EXPECT_OK(trial_child_start(&builder, &process));
	trial_child_expect(process, PROCESS_EXITED, 0);
}

/* Narrower capabilities are holds, too. */
static void restrict_to_multiply(const struct attack *attack)
{
	const struct memory_object_part part = { .length = PAGE_SIZE };
	struct memory_object_client object, narrower;
	enum status status = STATUS_OK;
	uint64_t count = 0;

	(void)attack;
	EXPECT_OK(trial_object(100, &object));
	const uint64_t limit = left_of(LEDGER_FRAME_GRANT);

	while ((status = memory_object_client_restrict(object, &part, &narrower)) == STATUS_OK)
		count++;
	EXPECT(is_quota(status));
	EXPECT(count * 100 <= limit);
}

/* Limits that are more than anybody has, or wrap with what is used. */
static void limits_that_wrap(const struct attack *attack)
{
	struct process_builder builder;
	struct process_client process;

	(void)attack;
	for (uint32_t i = 0; i < LEDGER_COUNT; i++) {
		for (uint32_t shift = 40; shift < 64; shift++) {
			trial_child_build(&builder, "nothing");
			process_builder_limit(&builder, (enum ledger_kind)i, UINT64_MAX << shift);
			EXPECT(is_quota(trial_child_start(&builder, &process)));
		}
	}
}

/* ---- all that was given ---- */

static void exhaust(const struct attack *attack)
{
	struct memory_object_client object;
	struct endpoint_client endpoint;
	struct process_builder builder;
	struct process_client process;
	enum status status = STATUS_OK;
	void *address;
	uint64_t count;

	for (count = 0; status == STATUS_OK && count < UINT64_C(8) * MANY; count++) {
		switch (attack->first) {
		case 0:
			status = trial_object(1, &object);
			break;
		case 1:
			status = endpoint_client_create(trial.endpoints, &endpoint);
			break;
		case 2:
			status = virtual_memory_client_map(trial.memory, (void *)((count + 8) << 30), PAGE_SIZE,
							   TRIAL_READ_WRITE, 0, &address);
			break;
		case 3:
			trial_child_build(&builder, "nothing");
			status = trial_child_start(&builder, &process);
			break;
		default:
			status = trial_map(7, &address);
			break;
		}
	}
	if (!is_quota(status))
		trial_break("%lu times, then %s", (unsigned long)count, status_name(status));
	/* The last resort of a program still works. */
	EXPECT(trial_statistics().system_frames > 0);
}

static int64_t park_for_ever(void *word)
{
	(void)!park_client_park(trial.park, word, 0, PARK_FOREVER);
	return 0;
}

static void exhaust_threads(const struct attack *attack)
{
	static uint32_t word;
	struct user_thread thread;
	enum status status = STATUS_OK;
	uint32_t count = 1;

	(void)attack;
	for (; status == STATUS_OK && count < 2 * THREAD_MAX; count++)
		status = user_thread_start(&thread, park_for_ever, &word, NULL);
	EXPECT_STATUS(status, STATUS_BUSY);
	EXPECT_EQUAL(count, THREAD_MAX + 1);
}

static int64_t call_without_end(void *handle)
{
	static const uint8_t bytes[ENDPOINT_MAX_BYTES];
	const struct endpoint_request request = { .parameters = bytes, .parameter_bytes = sizeof(bytes) };
	struct ring_completion completion;

	for (uint64_t i = 0; i < RING_SQ_ENTRIES; i++)
		if (endpoint_client_call_submit((struct endpoint_facet){ (handle_t)(uint64_t)handle }, &request, i) !=
		    STATUS_OK)
			return 1;
	(void)!open_operation_next(CAP_ENTER_FOREVER, &completion);
	return 0;
}

/* Messages that nobody receives: each is its caller's to pay. */
static void exhaust_messages(const struct attack *attack)
{
	struct endpoint_client endpoint;
	struct endpoint_facet facet;
	struct endpoint_statistics statistics;
	const uint64_t before = trial_used(LEDGER_KERNEL_OBJECT);

	(void)attack;
	EXPECT_OK(endpoint_client_create(trial.endpoints, &endpoint));
	EXPECT_OK(endpoint_client_make_client(endpoint, 0, true, &facet));
	for (uint32_t i = 0; i < 40; i++)
		attack_beside(call_without_end, (void *)(uint64_t)facet.handle);
	do {
		trial_sleep(TRIAL_MS(1));
		EXPECT_OK(endpoint_client_statistics(endpoint, &statistics));
	} while (statistics.waiting_calls < 40 * RING_SQ_ENTRIES);
	EXPECT(trial_used(LEDGER_KERNEL_OBJECT) - before >= UINT64_C(40) * RING_SQ_ENTRIES * ENDPOINT_MAX_BYTES);
}

/* Slots come and go until their generations are through; an old id is never good again. */
static void wear_out_slots(const struct attack *attack)
{
	struct memory_object_client first, object;

	(void)attack;
	EXPECT_OK(trial_object(1, &first));
	EXPECT_OK(ring_client_release(first.handle));
	for (uint32_t round = 0; round < 70000 && !attack_is_long_enough(round); round++) {
		EXPECT_OK(trial_object(1, &object));
		EXPECT(object.handle != first.handle);
		EXPECT_OK(ring_client_release(object.handle));
	}
}

static void fill_and_empty(const struct attack *attack)
{
	struct endpoint_client endpoint;

	(void)attack;
	for (uint32_t round = 0; round < 3; round++) {
		for (uint32_t i = 0; i < MANY; i++) {
			EXPECT_OK(endpoint_client_create(trial.endpoints, &endpoint));
			held[i] = endpoint.handle;
		}
		for (uint32_t i = 0; i < MANY; i++)
			EXPECT_OK(ring_client_release(held[(i * 11) % MANY]));
	}
}

/* ---- bombs ---- */

/* Two children with half of what is left each, until that is too little for one. */
void quota_attacks_role_bomb(void)
{
	struct process_builder builder;
	struct process_client process;

	for (uint32_t i = 0; i < 2; i++) {
		attack_build(&builder, "bomb", trial_argument(0));
		EXPECT_OK(process_builder_limit_share(&builder, trial.memory, 1, 2));
		const enum status status = trial_child_start(&builder, &process);

		if (status != STATUS_OK)
			EXPECT(is_quota(status) || status == STATUS_RECEIVER_LIMIT);
	}
	/* Leave children behind, or wait to be left behind. */
	trial_sleep(TRIAL_MS(trial_argument(0)));
}

static int64_t start_bomb(void *linger)
{
	struct process_builder builder;
	struct process_client process;

	attack_build(&builder, "bomb", (uint64_t)linger);
	for (uint32_t i = 0; i < LEDGER_COUNT; i++)
		process_builder_limit(&builder, (enum ledger_kind)i, left_of((enum ledger_kind)i) / 5);
	return trial_child_start(&builder, &process);
}

static void fork_bomb(const struct attack *attack)
{
	for (uint32_t i = 0; i < 3; i++)
		EXPECT_EQUAL(start_bomb((void *)(uint64_t)attack->first), 0);
	trial_sleep(TRIAL_MS(attack->second));
}

static int64_t spawn_often(void *ignored)
{
	struct process_builder builder;
	struct process_client process;

	(void)ignored;
	trial_child_build(&builder, "nothing");
	for (uint32_t i = 0; i < 30; i++) {
		const enum status status = trial_child_start(&builder, &process);

		if (status != STATUS_OK && !is_quota(status))
			return status;
		if (status == STATUS_OK && ring_client_release(process.handle) != STATUS_OK)
			return 1;
	}
	return 0;
}

static void spawn_from_many_threads(const struct attack *attack)
{
	(void)attack;
	attack_in_threads(6, spawn_often);
}

void quota_attacks_add(void)
{
	static const char *const exhausted[] = { "objects", "endpoints", "page tables", "processes", "frames" };

	attack_add("map and release ", "for ever", map_and_release, ATTACK_EXITS);
	attack_add("spawn and collect ", "limits", spawn_and_collect, ATTACK_EXITS);
	attack_add("share ", "to multiply", share_to_multiply, ATTACK_EXITS);
	attack_add("restrict ", "to multiply", restrict_to_multiply, ATTACK_EXITS);
	attack_add("limits ", "that wrap", limits_that_wrap, ATTACK_EXITS);
	for (uint32_t i = 0; i < COUNT_OF(exhausted); i++)
		attack_add("use up all ", exhausted[i], exhaust, ATTACK_EXITS)->first = i;
	attack_add("use up all ", "threads", exhaust_threads, ATTACK_EXITS);
	attack_add("use up all ", "messages", exhaust_messages, ATTACK_EXITS);
	attack_add("wear out ", "slots", wear_out_slots, ATTACK_EXITS);
	attack_add("fill and empty ", "the table", fill_and_empty, ATTACK_EXITS);
	attack_add("fork bomb ", "whose parents leave", fork_bomb, ATTACK_EXITS);
	struct attack *attack = attack_add("fork bomb ", "whose parents stay", fork_bomb, ATTACK_EXITS);

	attack->first = 150;
	attack = attack_add("fork bomb ", "that is killed", fork_bomb, ATTACK_KILLED);
	attack->first = 100;
	attack->second = 60000;
	attack->kill_ms = 30;
	attack_add("spawn ", "from many threads", spawn_from_many_threads, ATTACK_EXITS);
}
