/* links: HOST_TASK_KERNEL */
/* Sleeping on words: compared and queued in one step, woken in order, drained when the page goes, timed out. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "abi/memory_object_abi.h"
#include "abi/park_space_abi.h"
#include "kernel/mem/anonymous.h"
#include "lib/check.h"
#include "tests/host/actor.h"
#include "tests/host/host_support.h"
#include "tests/host/task_scheduler.h"
#include "tests/host/task_snapshot.h"

#define FRAMES 1024u
#define SLEEPERS 6u
#define WORD ACTOR_MEMORY

static struct actor actor;
static struct thread *sleeper[SLEEPERS];
static handle_t space;

static void begin(void)
{
	task_machine_start(FRAMES);
	actor_begin(&actor, "parks");
	space = actor_grant(&actor, INTERFACE_PARK_SPACE, TRANSFER_NONE, actor.process);
	for (uint32_t i = 0; i < SLEEPERS; i++)
		sleeper[i] = actor_add_thread(&actor);
}

static void end(void)
{
	actor_end(&actor);
	task_machine_stop();
}

static uint64_t park(struct thread *thread, uint64_t address, uint64_t expected, uint64_t timeout)
{
	return ACTOR_SUBMIT(thread, RING_PARK, 0, space, address, expected, timeout);
}

static uint64_t unpark(uint64_t address, uint64_t count)
{
	struct ring_completion completion = ACTOR_CALL(actor.thread, RING_UNPARK, 0, space, address, count);

	assert_int_equal(actor_status(&completion), STATUS_OK);
	return completion.value;
}

static enum status outcome(struct thread *thread)
{
	struct ring_completion completion;

	assert_int_equal(actor_take(thread, &completion), STATUS_OK);
	return actor_status(&completion);
}

static bool sleeps(struct thread *thread)
{
	struct ring_completion completion;

	return actor_take(thread, &completion) == STATUS_WOULD_BLOCK && thread->open_count == 1;
}

static struct uaddr_range pages_at(uint64_t start, uint64_t pages)
{
	return (struct uaddr_range){ uaddr_from_u64(start), uaddr_from_u64(start + pages * PAGE_SIZE) };
}

/* ---- comparing ---- */

static void test_compare(void **state)
{
	static const uint32_t words[] = { 0, 1, 0x80000000, UINT32_MAX };

	(void)state;
	begin();
	for (uint32_t i = 0; i < COUNT_OF(words); i++) {
		for (uint32_t j = 0; j < COUNT_OF(words); j++) {
			actor_write_word(&actor, WORD, words[i]);
			(void)park(sleeper[0], WORD, words[j], UINT64_MAX);
			if (i != j) {
				assert_int_equal(outcome(sleeper[0]), STATUS_WOULD_BLOCK);
				assert_int_equal(actor.process->space.parked, 0);
				continue;
			}
			assert_true(sleeps(sleeper[0]));
			assert_int_equal(actor.process->space.parked, 1);
			actor_assert_valid(&actor);
			assert_int_equal(unpark(WORD, 1), 1);
			assert_int_equal(outcome(sleeper[0]), STATUS_OK);
		}
	}
	end();
}

static void test_refused(void **state)
{
	const struct {
		uint64_t address, expected;
		enum status status;
	} bad[] = {
		{ WORD + 1, 0, STATUS_MISALIGNED },
		{ WORD + 2, 0, STATUS_MISALIGNED },
		{ WORD, UINT64_C(1) << 32, STATUS_BAD_ARGUMENT },
		{ WORD, UINT64_MAX, STATUS_BAD_ARGUMENT },
		{ USER_LIMIT, 0, STATUS_NOT_USER_ADDRESS },
		{ UINT64_C(1) << 63, 0, STATUS_NOT_USER_ADDRESS },
		{ UINT64_MAX - 3, 0, STATUS_RANGE_WRAPS },
		{ ACTOR_NOTHING, 0, STATUS_BUFFER_FAULT },
		{ WORD + PAGE_SIZE, 0, STATUS_BUFFER_FAULT },     /* no access */
		{ WORD + 2 * PAGE_SIZE, 0, STATUS_BUFFER_FAULT }, /* reserved */
		{ RING_ADDRESS, 0, STATUS_NOT_PRIVATE },
		{ UINT64_C(0x900000), 0, STATUS_NOT_PRIVATE }, /* of a memory object */
	};
	struct address_space *memory;
	struct ring_completion completion;
	struct task_snapshot before;
	handle_t object;

	(void)state;
	begin();
	memory = &actor.process->space;
	object = actor_make_object(&actor, 2);
	completion = ACTOR_CALL(actor.thread, RING_CALL, MEMORY_OBJECT_MAP, object, 0x900000, 0, PAGE_SIZE,
				PROTECTION_READ | PROTECTION_WRITE, MEMORY_OBJECT_FIXED);
	assert_int_equal(actor_status(&completion), STATUS_OK);
	assert_int_equal(anonymous_protect(memory, pages_at(WORD + PAGE_SIZE, 1), PROTECTION_NONE), STATUS_OK);
	assert_int_equal(anonymous_decommit(memory, pages_at(WORD + 2 * PAGE_SIZE, 1)), STATUS_OK);
	actor_write_word(&actor, WORD, 0);
	task_snapshot_take(&before, actor.process);
	for (uint32_t i = 0; i < COUNT_OF(bad); i++) {
		completion = ACTOR_CALL(sleeper[0], RING_PARK, 0, space, bad[i].address, bad[i].expected, UINT64_MAX);
		assert_int_equal(actor_status(&completion), bad[i].status);
		assert_int_equal(sleeper[0]->open_count, 0);
		assert_true(task_snapshot_holds(&before, actor.process));
	}
	for (uint32_t i = 0; i < 2; i++) {
		completion = ACTOR_CALL(sleeper[0], RING_UNPARK, 0, space, WORD + 1 + i, 1);
		assert_int_equal(actor_status(&completion), STATUS_MISALIGNED);
	}
	completion = ACTOR_CALL(sleeper[0], RING_UNPARK, 0, space, USER_LIMIT, 1);
	assert_int_equal(actor_status(&completion), STATUS_NOT_USER_ADDRESS);
	assert_true(task_snapshot_holds(&before, actor.process));
	end();
}

/* A page that may only be read is as good as any. */
static void test_readable(void **state)
{
	(void)state;
	begin();
	(void)park(sleeper[0], ACTOR_READABLE, 0, UINT64_MAX);
	assert_true(sleeps(sleeper[0]));
	assert_int_equal(unpark(ACTOR_READABLE, PARK_ALL), 1);
	assert_int_equal(outcome(sleeper[0]), STATUS_OK);
	end();
}

/* ---- waking ---- */

/* The longest sleeper first, no more than asked for, and none of another word, though it hangs in the same bucket. */
static void test_order(void **state)
{
	(void)state;
	for (uint64_t count = 0; count <= SLEEPERS; count++) {
		uint64_t expected = count < SLEEPERS - 2 ? count : SLEEPERS - 2, first;

		begin();
		actor_write_word(&actor, WORD + 64, 0);
		actor_write_word(&actor, WORD, 0);
		(void)park(sleeper[0], WORD + 4 * PROCESS_PARK_BUCKETS, 0, UINT64_MAX);
		for (uint32_t i = SLEEPERS - 1; i > 1; i--)
			(void)park(sleeper[i], WORD, 0, UINT64_MAX);
		(void)park(sleeper[1], WORD + 4, 0, UINT64_MAX);
		first = task_scheduler_log.wakes;
		assert_int_equal(unpark(WORD, count), expected);
		for (uint64_t i = 0; i < expected; i++)
			assert_ptr_equal(task_scheduler_log.woken[first + i], sleeper[SLEEPERS - 1 - i]);
		assert_int_equal(task_scheduler_log.wakes, first + expected);
		assert_int_equal(actor.process->space.parked, SLEEPERS - expected);
		actor_assert_valid(&actor);
		assert_int_equal(unpark(WORD, PARK_ALL), SLEEPERS - 2 - expected);
		assert_int_equal(unpark(WORD, PARK_ALL), 0);
		assert_true(sleeps(sleeper[0]) && sleeps(sleeper[1]));
		end();
	}
}

/* ---- pages that go ---- */

enum drain {
	UNMAP,
	DECOMMIT,
	DRAIN_COUNT
};

static void test_drain(void **state)
{
	(void)state;
	for (uint32_t how = 0; how < DRAIN_COUNT; how++) {
		struct address_space *memory;
		struct uaddr_range range = pages_at(ACTOR_MEMORY + PAGE_SIZE, 2);

		begin();
		memory = &actor.process->space;
		(void)park(sleeper[0], ACTOR_MEMORY + PAGE_SIZE - 4, 0, UINT64_MAX);
		(void)park(sleeper[1], ACTOR_MEMORY + PAGE_SIZE, 0, UINT64_MAX);
		(void)park(sleeper[2], ACTOR_MEMORY + 2 * PAGE_SIZE + 16, 0, UINT64_MAX);
		(void)park(sleeper[3], ACTOR_MEMORY + 3 * PAGE_SIZE - 4, 0, UINT64_MAX);
		(void)park(sleeper[4], ACTOR_MEMORY + 3 * PAGE_SIZE, 0, UINT64_MAX);
		assert_int_equal(anonymous_unmap(memory, pages_at(ACTOR_NOTHING, 1)), STATUS_NOT_RESERVED);
		assert_int_equal(actor.process->space.parked, 5); /* what was refused drains nothing */
		if (how == UNMAP)
			assert_int_equal(anonymous_unmap(memory, range), STATUS_OK);
		else
			assert_int_equal(anonymous_decommit(memory, range), STATUS_OK);
		for (uint32_t i = 1; i < 4; i++)
			assert_int_equal(outcome(sleeper[i]), STATUS_GONE);
		assert_true(sleeps(sleeper[0]) && sleeps(sleeper[4]));
		assert_int_equal(actor.process->space.parked, 2);
		actor_assert_valid(&actor);
		end();
	}
}

/* ---- time ---- */

static void test_timeout(void **state)
{
	uint64_t next_look;

	(void)state;
	begin();
	actor_write_word(&actor, WORD, 0);
	task_machine_set_clock(1000);
	(void)park(sleeper[0], WORD, 0, 500);
	(void)park(sleeper[1], WORD, 0, 0);
	(void)park(sleeper[2], WORD, 0, UINT64_MAX - 1); /* further than time goes: never */
	assert_int_equal(outcome(sleeper[1]), STATUS_TIMED_OUT);
	next_look = UINT64_MAX;
	assert_int_equal(operation_post_done(sleeper[0], &next_look), 0);
	assert_int_equal(next_look, 1500);
	task_machine_set_clock(1499);
	assert_true(sleeps(sleeper[0]));
	task_machine_set_clock(1500);
	assert_int_equal(actor.process->space.parked, 2);
	assert_int_equal(outcome(sleeper[0]), STATUS_TIMED_OUT);
	assert_int_equal(actor.process->space.parked, 1);
	actor_assert_valid(&actor);
	task_machine_set_clock(UINT64_MAX - 1);
	assert_true(sleeps(sleeper[2]));
	assert_int_equal(unpark(WORD, PARK_ALL), 1);
	end();
}

/* Woken first, then its time is over: it was woken. */
static void test_woken_in_time(void **state)
{
	(void)state;
	begin();
	actor_write_word(&actor, WORD, 0);
	(void)park(sleeper[0], WORD, 0, 500);
	assert_int_equal(unpark(WORD, 1), 1);
	task_machine_set_clock(1000);
	assert_int_equal(outcome(sleeper[0]), STATUS_OK);
	assert_int_equal(sleeper[0]->open_count, 0);
	end();
}

/* A sleeper that ends, or takes it back, is in no bucket. */
static void test_sleeper_ends(void **state)
{
	struct ring_completion completion;
	uint64_t user_data;

	(void)state;
	begin();
	actor_write_word(&actor, WORD, 0);
	(void)park(sleeper[0], WORD, 0, UINT64_MAX);
	user_data = park(sleeper[1], WORD, 0, 700);
	(void)park(sleeper[2], WORD, 0, UINT64_MAX);
	actor_end_thread(sleeper[0], 0);
	(void)ACTOR_SUBMIT(sleeper[1], RING_CANCEL, 0, HANDLE_NONE, user_data);
	assert_int_equal(outcome(sleeper[1]), STATUS_CANCELLED);
	assert_int_equal(actor_take(sleeper[1], &completion), STATUS_OK);
	assert_int_equal(actor_status(&completion), STATUS_OK);
	assert_int_equal(sleeper[1]->looking, 0);
	assert_int_equal(actor.process->space.parked, 1);
	actor_assert_valid(&actor);
	assert_int_equal(unpark(WORD, PARK_ALL), 1);
	end();
}

/* ---- all of it at random ---- */

static void test_random(void **state)
{
	struct host_random random;
	uint64_t word[SLEEPERS] = { 0 }, order[SLEEPERS] = { 0 };

	(void)state;
	host_random_init(&random, "park", 71);
	begin();
	for (uint64_t round = 1; round <= host_rounds(20000); round++) {
		uint64_t address = WORD + 4 * host_random_below(&random, 3) * PROCESS_PARK_BUCKETS;
		uint32_t i = (uint32_t)host_random_below(&random, SLEEPERS);
		uint64_t count = host_random_below(&random, 4), woken = 0;

		if (order[i] == 0) {
			(void)park(sleeper[i], address, 0, UINT64_MAX);
			word[i] = address;
			order[i] = round;
			continue;
		}
		for (; woken < count; woken++) {
			uint32_t first = SLEEPERS;

			for (uint32_t j = 0; j < SLEEPERS; j++)
				if (order[j] != 0 && word[j] == address &&
				    (first == SLEEPERS || order[j] < order[first]))
					first = j;
			if (first == SLEEPERS)
				break;
			order[first] = 0;
		}
		assert_int_equal(unpark(address, count), woken);
		for (uint32_t j = 0; j < SLEEPERS; j++) {
			if (order[j] != 0)
				assert_true(sleeps(sleeper[j]));
			else if (sleeper[j]->open_count != 0)
				assert_int_equal(outcome(sleeper[j]), STATUS_OK);
		}
		assert_true(process_is_valid(actor.process));
	}
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_compare),       cmocka_unit_test(test_refused),
		cmocka_unit_test(test_readable),      cmocka_unit_test(test_order),
		cmocka_unit_test(test_drain),         cmocka_unit_test(test_timeout),
		cmocka_unit_test(test_woken_in_time), cmocka_unit_test(test_sleeper_ends),
		cmocka_unit_test(test_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
