#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "lib/ring.h"
#include "tests/host/host_support.h"

static struct ring_page *ring_make(void)
{
	struct ring_page *ring = aligned_alloc(sizeof(*ring), sizeof(*ring));

	assert_non_null(ring);
	memset(ring, 0xa5, sizeof(*ring));
	ring_init(ring);
	return ring;
}

/* All indices of both sides at `start`, as after a long life: they wrap at 2^32. */
static void set_indices(struct ring_page *ring, struct ring_kernel *kernel, uint32_t start)
{
	ring->header.sq_tail = start;
	ring->header.sq_head = start;
	ring->header.cq_tail = start;
	ring->header.cq_head = start;
	*kernel = (struct ring_kernel){ .sq_head = start, .cq_tail = start };
}

static struct ring_submission submission_make(uint64_t seed)
{
	struct ring_submission submission = {
		.opcode = (uint8_t)seed,
		.flags = (uint8_t)(seed >> 8),
		.operation = (uint16_t)(seed >> 16),
		.capability = (handle_t)(seed >> 24),
		.user_data = seed,
	};

	for (uint32_t i = 0; i < 6; i++)
		submission.argument[i] = ~seed + i;
	return submission;
}

static struct ring_completion completion_make(uint64_t seed)
{
	return (struct ring_completion){
		.user_data = seed,
		.result = (int32_t)(seed * 3),
		.flags = (uint32_t)(seed >> 5),
		.value = ~seed,
		.capability = (handle_t)(seed >> 7),
		.interface = (uint32_t)(seed >> 9),
	};
}

static void submit(struct ring_page *ring, uint64_t seed)
{
	struct ring_submission *slot;

	CHECK(ring_submit_slot(ring, &slot) == STATUS_OK);
	*slot = submission_make(seed);
	ring_publish(ring);
}

static void test_init(void **state)
{
	struct ring_page *ring = ring_make();
	static const struct ring_header empty;
	const uint8_t *bytes = (const uint8_t *)ring;

	(void)state;
	assert_int_equal(ring->header.version, RING_VERSION);
	assert_int_equal(ring->header.size, 4096);
	assert_int_equal(ring->header.sq_offset, 256);
	assert_int_equal(ring->header.sq_entries, 16);
	assert_int_equal(ring->header.cq_offset, 256 + 16 * 64);
	assert_int_equal(ring->header.cq_entries, 32);
	assert_memory_equal(bytes + 24, (const uint8_t *)&empty + 24, sizeof(empty) - 24);
	for (uint32_t i = sizeof(struct ring_header); i < sizeof(*ring); i++)
		assert_int_equal(bytes[i], 0);
	free(ring);
}

static void test_check(void **state)
{
	struct ring_page *ring = ring_make();

	(void)state;
	assert_int_equal(ring_check(ring), STATUS_OK);
	for (uint32_t field = 0; field < 6; field++) {
		uint32_t *word = (uint32_t *)(void *)ring + field;

		*word += 1;
		assert_int_equal(ring_check(ring), STATUS_UNSUPPORTED);
		*word -= 1;
	}
	assert_int_equal(ring_check(ring), STATUS_OK);
	free(ring);
}

static void test_fill(void **state)
{
	const struct ring_submission wanted = {
		.opcode = RING_CALL, .operation = 0x1234, .capability = 0x56789abc, .user_data = 77
	};
	struct ring_submission slot;

	(void)state;
	memset(&slot, 0, sizeof(slot));
	ring_fill(&slot, RING_CALL, 0x1234, 0x56789abc, 77);
	assert_memory_equal(&slot, &wanted, sizeof(slot));
}

/* Full and empty are told apart, and each entry arrives whole, at every place of the index range. */
static void test_round(void **state)
{
	static const uint32_t starts[] = { 0, 1, 31, UINT32_MAX - 40, UINT32_MAX };
	struct ring_page *ring = ring_make();
	struct ring_kernel kernel;

	(void)state;
	for (uint32_t i = 0; i < COUNT_OF(starts); i++) {
		uint32_t pending, space;

		set_indices(ring, &kernel, starts[i]);
		for (uint64_t round = 0; round < 100; round++) {
			struct ring_completion taken;
			struct ring_submission *slot;

			for (uint64_t n = 0; n < RING_SQ_ENTRIES; n++)
				submit(ring, round << 32 | n);
			assert_int_equal(ring_submit_slot(ring, &slot), STATUS_WOULD_BLOCK);
			assert_int_equal(ring_submitted(ring), RING_SQ_ENTRIES);
			assert_int_equal(ring_kernel_pending(&kernel, ring, &pending), STATUS_OK);
			assert_int_equal(pending, RING_SQ_ENTRIES);
			for (uint64_t n = 0; n < RING_SQ_ENTRIES; n++) {
				const struct ring_submission wanted = submission_make(round << 32 | n);
				struct ring_submission got;

				memset(&got, 0, sizeof(got));
				ring_kernel_take(&kernel, ring, &got);
				assert_memory_equal(&got, &wanted, sizeof(got));
			}
			assert_int_equal(ring_kernel_pending(&kernel, ring, &pending), STATUS_OK);
			assert_int_equal(pending, 0);
			assert_int_equal(ring_submitted(ring), 0);
			for (uint32_t n = 0; n < RING_CQ_ENTRIES; n++) {
				const struct ring_completion completion = completion_make(round * 1000003 + n);

				assert_int_equal(ring_kernel_space(&kernel, ring, &space), STATUS_OK);
				assert_int_equal(space, RING_CQ_ENTRIES - n);
				ring_kernel_complete(&kernel, ring, &completion);
			}
			assert_int_equal(ring_kernel_space(&kernel, ring, &space), STATUS_OK);
			assert_int_equal(space, 0);
			assert_int_equal(ring_completed(ring), RING_CQ_ENTRIES);
			for (uint32_t n = 0; n < RING_CQ_ENTRIES; n++) {
				const struct ring_completion wanted = completion_make(round * 1000003 + n);

				assert_int_equal(ring_take(ring, &taken), STATUS_OK);
				assert_memory_equal(&taken, &wanted, sizeof(taken));
			}
			assert_int_equal(ring_take(ring, &taken), STATUS_WOULD_BLOCK);
			assert_int_equal(ring_completed(ring), 0);
		}
	}
	free(ring);
}

/* Nothing is seen of a batch before it is published. */
static void test_batch(void **state)
{
	const struct ring_completion completion = completion_make(9);
	struct ring_page *ring = ring_make();
	struct ring_kernel kernel = { 0 };
	struct ring_completion taken;
	struct ring_submission got;

	(void)state;
	submit(ring, 4);
	submit(ring, 5);
	memset(&got, 0, sizeof(got));
	ring_kernel_read_head(&kernel, ring, &got);
	assert_int_equal(got.user_data, 4);
	assert_int_equal(got.argument[0], 0);
	ring_kernel_advance(&kernel);
	ring_kernel_write(&kernel, ring, &completion);
	ring_kernel_read_head(&kernel, ring, &got);
	ring_kernel_read_arguments(&kernel, ring, &got);
	assert_int_equal(got.user_data, 5);
	assert_int_equal(got.argument[5], ~UINT64_C(5) + 5);
	ring_kernel_advance(&kernel);
	assert_int_equal(ring_submitted(ring), 2);
	assert_int_equal(ring_take(ring, &taken), STATUS_WOULD_BLOCK);
	ring_kernel_publish(&kernel, ring);
	assert_int_equal(ring_submitted(ring), 0);
	assert_int_equal(ring_completed(ring), 1);
	assert_int_equal(ring_take(ring, &taken), STATUS_OK);
	assert_memory_equal(&taken, &completion, sizeof(taken));
	free(ring);
}

/* Every index that the program may claim, near the edges of what is possible. */
static void test_garbage(void **state)
{
	static const uint32_t starts[] = { 0, 5, UINT32_MAX - 3, UINT32_C(1) << 31 };
	struct ring_page *ring = ring_make();
	struct ring_kernel kernel;

	(void)state;
	for (uint32_t i = 0; i < COUNT_OF(starts); i++) {
		set_indices(ring, &kernel, starts[i]);
		for (int64_t claim = -70; claim <= 70; claim++) {
			const bool tail = claim >= 0 && claim <= RING_SQ_ENTRIES;
			const bool head = claim <= 0 && claim >= -(int64_t)RING_CQ_ENTRIES;
			uint32_t pending = 99, space = 99;

			ring->header.sq_tail = starts[i] + (uint32_t)claim;
			ring->header.cq_head = starts[i] + (uint32_t)claim;
			assert_int_equal(ring_kernel_pending(&kernel, ring, &pending),
					 tail ? STATUS_OK : STATUS_BAD_ARGUMENT);
			assert_int_equal(pending, tail ? claim : 0);
			assert_int_equal(ring_kernel_space(&kernel, ring, &space),
					 head ? STATUS_OK : STATUS_BAD_ARGUMENT);
			assert_int_equal(space, head ? RING_CQ_ENTRIES + claim : 0);
		}
	}
	free(ring);
}

/* ---- two threads ---- */

/* Assertions of the test framework must not be made off the main thread: threads count what went wrong. */
struct stress {
	struct ring_page *ring;
	uint64_t entries;
	uint64_t faults;
	uint32_t stop; /* atomic */
};

/* The program: submits and takes, each as far as it can, and checks that completions come in order and whole. */
static void *run_program(void *argument)
{
	struct stress *stress = argument;
	uint64_t sent = 0, received = 0;

	while (received < stress->entries) {
		struct ring_submission *slot;
		struct ring_completion got;
		bool idle = true;

		while (sent < stress->entries && ring_submit_slot(stress->ring, &slot) == STATUS_OK) {
			*slot = submission_make(sent++);
			ring_publish(stress->ring);
			idle = false;
		}
		while (ring_take(stress->ring, &got) == STATUS_OK) {
			const struct ring_completion wanted = completion_make(received++);

			stress->faults += memcmp(&got, &wanted, sizeof(got)) != 0;
			idle = false;
		}
		if (idle)
			(void)sched_yield();
	}
	return NULL;
}

/* The kernel, until it has served them all: by single entries or in batches. */
static uint64_t run_kernel(struct stress *stress, struct host_random *random)
{
	struct ring_kernel kernel = { 0 };
	uint64_t served = 0, faults = 0;

	while (served < stress->entries) {
		const bool batch = host_random_once_in(random, 2);
		uint32_t pending, space;

		faults += ring_kernel_pending(&kernel, stress->ring, &pending) != STATUS_OK;
		faults += ring_kernel_space(&kernel, stress->ring, &space) != STATUS_OK;
		if (pending == 0 || space == 0)
			(void)sched_yield();
		for (uint32_t n = pending < space ? pending : space; n > 0; n--) {
			const struct ring_submission wanted = submission_make(served);
			const struct ring_completion completion = completion_make(served);
			struct ring_submission got = { 0 };

			if (batch) {
				ring_kernel_read_head(&kernel, stress->ring, &got);
				ring_kernel_read_arguments(&kernel, stress->ring, &got);
				ring_kernel_advance(&kernel);
				ring_kernel_write(&kernel, stress->ring, &completion);
			} else {
				ring_kernel_take(&kernel, stress->ring, &got);
				ring_kernel_complete(&kernel, stress->ring, &completion);
			}
			faults += memcmp(&got, &wanted, sizeof(got)) != 0;
			served++;
		}
		ring_kernel_publish(&kernel, stress->ring);
	}
	return faults;
}

static void test_two_threads(void **state)
{
	struct stress stress = { .ring = ring_make(), .entries = host_rounds(1000000) };
	struct host_random random;
	pthread_t program;
	uint64_t faults;

	(void)state;
	host_random_init(&random, __func__, 5);
	assert_int_equal(pthread_create(&program, NULL, run_program, &stress), 0);
	faults = run_kernel(&stress, &random);
	assert_int_equal(pthread_join(program, NULL), 0);
	assert_int_equal(faults, 0);
	assert_int_equal(stress.faults, 0);
	free(stress.ring);
}

/* A hostile program: writes anything anywhere in its page, indices most of all, with no order. */
static void hostile_step(struct ring_page *ring, struct host_random *random)
{
	const uint32_t word = (uint32_t)host_random_below(random, sizeof(*ring) / sizeof(ring_word_t));
	const uint32_t small = (uint32_t)host_random_below(random, 64);
	struct ring_header *header = &ring->header;

	if (host_random_once_in(random, 8)) {
		ring_store_word(ring, word, host_random_u64(random));
	} else {
		/* Near what the kernel wrote, so that many claims look right. */
		ring_store_release(&header->sq_tail, ring_load_acquire(&header->sq_head) + small - 16);
		ring_store_release(&header->cq_head, ring_load_acquire(&header->cq_tail) - small + 8);
	}
}

static void *run_hostile(void *argument)
{
	struct stress *stress = argument;
	struct host_random random = { .state = 6 };

	while (__atomic_load_n(&stress->stop, __ATOMIC_RELAXED) == 0)
		hostile_step(stress->ring, &random);
	return NULL;
}

/*
 * The kernel against it: counts in range, its own indices moved by exactly what it did. A step of the same kind before
 * each round makes sure of a mixture, however seldom the other thread runs.
 */
static void test_hostile(void **state)
{
	struct stress stress = { .ring = ring_make() };
	struct ring_kernel kernel = { 0 };
	uint64_t served = 0, garbage = 0;
	struct host_random random;
	pthread_t program;

	(void)state;
	host_random_init(&random, __func__, 7);
	assert_int_equal(pthread_create(&program, NULL, run_hostile, &stress), 0);
	for (uint64_t round = host_rounds(1000000); round > 0; round--) {
		uint32_t pending, space;

		hostile_step(stress.ring, &random);
		garbage += ring_kernel_pending(&kernel, stress.ring, &pending) != STATUS_OK;
		garbage += ring_kernel_space(&kernel, stress.ring, &space) != STATUS_OK;
		assert_true(pending <= RING_SQ_ENTRIES && space <= RING_CQ_ENTRIES);
		for (uint32_t n = pending < space ? pending : space; n > 0; n--) {
			struct ring_submission got;
			struct ring_completion completion;

			ring_kernel_take(&kernel, stress.ring, &got);
			completion = completion_make(got.user_data);
			ring_kernel_complete(&kernel, stress.ring, &completion);
			served++;
		}
		ring_kernel_publish(&kernel, stress.ring);
		assert_int_equal(kernel.sq_head, (uint32_t)served);
		assert_int_equal(kernel.cq_tail, (uint32_t)served);
	}
	__atomic_store_n(&stress.stop, 1, __ATOMIC_RELAXED);
	assert_int_equal(pthread_join(program, NULL), 0);
	assert_true(served > 0 && garbage > 0);
	print_message("hostile ring: %llu entries served, %llu refusals\n", (unsigned long long)served,
		      (unsigned long long)garbage);
	free(stress.ring);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_init),        cmocka_unit_test(test_check),   cmocka_unit_test(test_fill),
		cmocka_unit_test(test_round),       cmocka_unit_test(test_batch),   cmocka_unit_test(test_garbage),
		cmocka_unit_test(test_two_threads), cmocka_unit_test(test_hostile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
