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

#define LIVES (UINT64_C(7) << 32) /* the kernel's counts go on where indices of 32 bits wrap */

/* All indices of both sides at `start`, as after a long life: they wrap at 2^32. */
static void set_indices(struct ring_page *ring, struct ring_kernel *kernel, uint32_t start)
{
	ring->header.sq_tail = start;
	ring->header.sq_head = start;
	ring->header.cq_tail = start;
	ring->header.cq_head = start;
	*kernel = (struct ring_kernel){ .sq_head = LIVES + start, .cq_tail = LIVES + start };
}

/* The oldest submission, read whole and taken, as the kernel's loop of calls does it. */
static struct ring_submission take(struct ring_kernel *kernel, struct ring_page *ring)
{
	const uint64_t place = ring_kernel_first(kernel);
	const uint64_t first = ring_read_first(ring, place);
	struct ring_submission submission = {
		.opcode = ring_first_opcode(first),
		.accepts = ring_first_accepts(first),
		.operation = ring_first_operation(first),
		.capability = ring_first_capability(first),
		.user_data = ring_read_user_data(ring, place),
	};

	ring_read_arguments(ring, place, submission.argument);
	ring_kernel_advance(kernel);
	return submission;
}

static void expect_look(const struct ring_kernel *kernel, struct ring_page *ring, uint64_t pending, uint64_t waiting)
{
	const struct ring_look look = ring_kernel_look(kernel, ring);

	assert_int_equal(look.pending, pending);
	assert_int_equal(look.waiting, waiting);
	assert_true(ring_look_is_possible(look));
	assert_int_equal(ring_look_fits(look), pending != 0 && pending + waiting <= RING_CQ_ENTRIES);
}

static struct ring_submission submission_make(uint64_t seed)
{
	struct ring_submission submission = {
		.opcode = (uint8_t)seed,
		.accepts = (uint8_t)(seed >> 8),
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

/* Places are where the entries are, for every index and across the end of the arrays. */
static void test_places(void **state)
{
	static const uint32_t starts[] = { 0, 9, UINT32_MAX - 40, UINT32_MAX };
	struct ring_page *ring = ring_make();

	(void)state;
	for (uint32_t i = 0; i < COUNT_OF(starts); i++) {
		uint64_t from = ring_submission_place(starts[i]);
		uint64_t to = ring_completion_place(starts[i]);

		for (uint32_t n = 0; n < 100; n++) {
			const struct ring_submission *submission = &ring->submission[(starts[i] + n) % RING_SQ_ENTRIES];
			const struct ring_completion *completion = &ring->completion[(starts[i] + n) % RING_CQ_ENTRIES];

			assert_int_equal(from, ring_submission_place(starts[i] + n));
			assert_int_equal(to, ring_completion_place(starts[i] + n));
			assert_ptr_equal(ring_submission_word(ring, from, 0), submission);
			assert_ptr_equal(ring_submission_word(ring, from, 2), submission->argument);
			assert_ptr_equal(ring_completion_word(ring, to, 0), completion);
			assert_ptr_equal(ring_completion_word(ring, to, 2), &completion->value);
			from = ring_submission_next(from);
			to = ring_completion_next(to);
		}
	}
	free(ring);
}

/* One round from empty over full to empty: nothing is seen before it is published, and each entry arrives whole. */
static void round_of_singles(struct ring_page *ring, struct ring_kernel *kernel, uint64_t round)
{
	struct ring_completion taken;
	struct ring_submission *slot;

	for (uint64_t n = 0; n < RING_SQ_ENTRIES; n++)
		submit(ring, round << 32 | n);
	assert_int_equal(ring_submit_slot(ring, &slot), STATUS_WOULD_BLOCK);
	for (uint64_t n = 0; n < RING_SQ_ENTRIES; n++) {
		const struct ring_submission wanted = submission_make(round << 32 | n);
		struct ring_submission got;

		expect_look(kernel, ring, RING_SQ_ENTRIES - n, 0);
		got = take(kernel, ring);
		assert_memory_equal(&got, &wanted, sizeof(got));
	}
	assert_int_equal(ring_submitted(ring), RING_SQ_ENTRIES);
	ring_kernel_publish(kernel, ring);
	assert_int_equal(ring_submitted(ring), 0);
	for (uint32_t n = 0; n < RING_CQ_ENTRIES; n++) {
		const struct ring_completion completion = completion_make(round * 1000003 + n);

		expect_look(kernel, ring, 0, n);
		ring_kernel_write(kernel, ring, &completion);
	}
	assert_int_equal(ring_take(ring, &taken), STATUS_WOULD_BLOCK);
	ring_kernel_publish(kernel, ring);
	assert_int_equal(ring_completed(ring), RING_CQ_ENTRIES);
	for (uint32_t n = 0; n < RING_CQ_ENTRIES; n++) {
		const struct ring_completion wanted = completion_make(round * 1000003 + n);

		expect_look(kernel, ring, 0, RING_CQ_ENTRIES - n);
		assert_int_equal(ring_take(ring, &taken), STATUS_OK);
		assert_memory_equal(&taken, &wanted, sizeof(taken));
	}
	assert_int_equal(ring_take(ring, &taken), STATUS_WOULD_BLOCK);
	assert_int_equal(ring_completed(ring), 0);
}

/* Full and empty are told apart at every place of the index range. */
static void test_round(void **state)
{
	static const uint32_t starts[] = { 0, 1, 31, UINT32_MAX - 40, UINT32_MAX };
	struct ring_page *ring = ring_make();
	struct ring_kernel kernel;

	(void)state;
	for (uint32_t i = 0; i < COUNT_OF(starts); i++) {
		set_indices(ring, &kernel, starts[i]);
		for (uint64_t round = 0; round < 100; round++)
			round_of_singles(ring, &kernel, round);
		assert_int_equal(kernel.sq_head, LIVES + starts[i] + 100 * RING_SQ_ENTRIES);
		assert_int_equal(kernel.cq_tail, LIVES + starts[i] + 100 * RING_CQ_ENTRIES);
	}
	free(ring);
}

/* The program fills `count` with null operations, but for one of another kind at `other`. */
static void submit_nulls(struct ring_page *ring, uint32_t count, uint32_t other, uint64_t seed)
{
	uint64_t place = ring_submit_first(ring);

	assert_true(ring_submit_space(ring) >= count);
	for (uint32_t n = 0; n < count; n++) {
		ring_fill_at(ring, place, n == other ? RING_CALL : RING_NOP, 0x55, 0x66, seed + n);
		place = ring_submission_next(place);
	}
	ring_publish_batch(ring, count);
}

/* It takes `count` answers, in order, and all else in them is 0. */
static void take_nulls(struct ring_page *ring, uint32_t count, uint64_t seed)
{
	uint64_t place = ring_take_first(ring);

	assert_true(ring_completed(ring) >= count);
	for (uint32_t n = 0; n < count; n++) {
		assert_int_equal(ring_completion_user_data(ring, place), seed + n);
		assert_int_equal(ring_completion_verdict(ring, place), 0);
		assert_int_equal(*ring_completion_word(ring, place, 2), 0);
		assert_int_equal(*ring_completion_word(ring, place, 3), 0);
		place = ring_completion_next(place);
	}
	ring_take_batch(ring, count);
}

/* Batches of null operations, of every length, stopped at every one; the model is two counts. */
static void test_nulls(void **state)
{
	struct ring_page *ring = ring_make();
	struct ring_kernel kernel;
	uint64_t taken = LIVES + UINT32_MAX - 300;
	uint64_t written = taken;

	(void)state;
	set_indices(ring, &kernel, (uint32_t)taken);
	kernel = (struct ring_kernel){ taken, written };
	memset(ring->completion, 0xa5, sizeof(ring->completion));
	for (uint32_t count = 1; count <= RING_SQ_ENTRIES; count++) {
		for (uint32_t other = 0; other <= count; other++) {
			const uint64_t seed = (uint64_t)count << 40 | other << 8;

			submit_nulls(ring, count, other, seed);
			expect_look(&kernel, ring, count, 0);
			assert_int_equal(ring_kernel_answer_nulls(&kernel, ring, count), count - other);
			assert_int_equal(ring_completed(ring), 0);
			ring_kernel_publish(&kernel, ring);
			assert_int_equal(ring_submitted(ring), count - other);
			expect_look(&kernel, ring, count - other, other);
			take_nulls(ring, other, seed);
			for (uint32_t n = other; n < count; n++) {
				const struct ring_submission got = take(&kernel, ring);

				assert_int_equal(got.opcode, n == other ? RING_CALL : RING_NOP);
				assert_int_equal(got.user_data, seed + n);
			}
			ring_kernel_publish(&kernel, ring);
			taken += count;
			written += other;
			assert_int_equal(kernel.sq_head, taken);
			assert_int_equal(kernel.cq_tail, written);
		}
	}
	free(ring);
}

/* A null operation that accepts something is none, and whoever refuses that is not this loop. */
static void test_null_that_accepts(void **state)
{
	struct ring_page *ring = ring_make();
	struct ring_kernel kernel = { 0 };

	(void)state;
	submit_nulls(ring, 2, 2, 1);
	ring->submission[1].accepts = 0x80;
	assert_int_equal(ring_kernel_answer_nulls(&kernel, ring, 2), 1);
	assert_int_equal(kernel.sq_head, 1);
	assert_int_equal(kernel.cq_tail, 1);
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
			struct ring_look look;

			ring->header.sq_tail = starts[i] + (uint32_t)claim;
			ring->header.cq_head = starts[i];
			look = ring_kernel_look(&kernel, ring);
			assert_int_equal(ring_look_is_possible(look), tail);
			assert_int_equal(ring_look_fits(look), tail && claim != 0);
			ring->header.sq_tail = starts[i];
			ring->header.cq_head = starts[i] + (uint32_t)claim;
			look = ring_kernel_look(&kernel, ring);
			assert_int_equal(ring_look_is_possible(look), head);
			assert_false(ring_look_fits(look));
		}
	}
	free(ring);
}

/* Both claims at once, also those whose sum would wrap in 32 bits: what fits is possible, and has room. */
static void test_fits(void **state)
{
	static const uint64_t edges[] = { 0,         1, 2, 15, 16, 17, 30, 31, 32, 33, UINT32_MAX - 31, UINT32_MAX - 15,
					  UINT32_MAX };

	(void)state;
	for (uint32_t i = 0; i < COUNT_OF(edges); i++) {
		for (uint32_t j = 0; j < COUNT_OF(edges); j++) {
			const struct ring_look look = { .pending = edges[i], .waiting = edges[j] };
			const bool possible = edges[i] <= RING_SQ_ENTRIES && edges[j] <= RING_CQ_ENTRIES;

			assert_int_equal(ring_look_is_possible(look), possible);
			assert_int_equal(ring_look_fits(look),
					 possible && edges[i] > 0 && edges[i] + edges[j] <= RING_CQ_ENTRIES);
		}
	}
}

/* ---- two threads ---- */

/* Assertions of the test framework must not be made off the main thread: threads count what went wrong. */
struct stress {
	struct ring_page *ring;
	uint64_t entries;
	uint64_t faults;
	uint32_t stop; /* atomic */
};

/* Two of seven submissions are null operations, their answers all 0 but for the number. */
static bool stress_is_null(uint64_t number)
{
	return number % 7 < 2;
}

static struct ring_submission stress_submission(uint64_t number)
{
	struct ring_submission submission = submission_make(number);

	submission.accepts = 0;
	submission.opcode = stress_is_null(number) ? RING_NOP : RING_CALL;
	return submission;
}

static struct ring_completion stress_completion(uint64_t number)
{
	return stress_is_null(number) ? (struct ring_completion){ .user_data = number } : completion_make(number);
}

/* Word by word, as programs do it: each store is one that ThreadSanitizer sees. */
static void fill_slot(struct ring_submission *slot, uint64_t number)
{
	const struct ring_submission of = stress_submission(number);

	ring_fill(slot, (enum ring_opcode)of.opcode, of.operation, of.capability, of.user_data);
	for (uint32_t i = 0; i < COUNT_OF(of.argument); i++)
		slot->argument[i] = of.argument[i];
}

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
			fill_slot(slot, sent++);
			ring_publish(stress->ring);
			idle = false;
		}
		while (ring_take(stress->ring, &got) == STATUS_OK) {
			const struct ring_completion wanted = stress_completion(received++);

			stress->faults += memcmp(&got, &wanted, sizeof(got)) != 0;
			idle = false;
		}
		if (idle)
			(void)sched_yield();
	}
	return NULL;
}

/* Serve what a look found; what is a null operation is answered as the kernel's short way does it. */
static uint64_t serve(struct stress *stress, struct ring_kernel *kernel, struct ring_look look, bool publish_each)
{
	uint64_t faults = 0;

	for (; look.pending != 0 && look.waiting < RING_CQ_ENTRIES; look.pending--, look.waiting++) {
		const uint64_t number = kernel->sq_head;
		const struct ring_submission wanted = stress_submission(number);
		const struct ring_completion completion = stress_completion(number);
		const struct ring_submission got = take(kernel, stress->ring);

		faults += memcmp(&got, &wanted, sizeof(got)) != 0;
		ring_kernel_write(kernel, stress->ring, &completion);
		if (publish_each)
			ring_kernel_publish(kernel, stress->ring);
	}
	ring_kernel_publish(kernel, stress->ring);
	return faults;
}

/* The kernel, until it has served them all: by single entries or in batches, the short way or the long one. */
static uint64_t run_kernel(struct stress *stress, struct host_random *random)
{
	struct ring_kernel kernel = { 0 };
	uint64_t faults = 0;

	while (kernel.sq_head < stress->entries) {
		struct ring_look look = ring_kernel_look(&kernel, stress->ring);

		faults += !ring_look_is_possible(look);
		if (look.pending == 0 || look.waiting == RING_CQ_ENTRIES)
			(void)sched_yield();
		if (ring_look_fits(look) && host_random_once_in(random, 2)) {
			const uint64_t left = ring_kernel_answer_nulls(&kernel, stress->ring, look.pending);

			look = (struct ring_look){ .pending = left, .waiting = look.waiting + look.pending - left };
		}
		faults += serve(stress, &kernel, look, host_random_once_in(random, 2));
	}
	return faults + (kernel.cq_tail != kernel.sq_head);
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
		ring_store_word((ring_word_t *)(void *)ring + word, host_random_u64(random));
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

/* One entry of the kernel with a program like that: how many submissions it took. */
static uint64_t enter_hostile(struct ring_kernel *kernel, struct ring_page *ring, struct ring_look look)
{
	const uint64_t before = kernel->sq_head;

	if (ring_look_fits(look)) {
		const uint64_t left = ring_kernel_answer_nulls(kernel, ring, look.pending);

		assert_true(left <= look.pending);
		look = (struct ring_look){ .pending = left, .waiting = look.waiting + look.pending - left };
		assert_true(ring_look_is_possible(look));
	}
	for (; look.pending != 0 && look.waiting < RING_CQ_ENTRIES; look.pending--, look.waiting++) {
		const struct ring_submission got = take(kernel, ring);
		const struct ring_completion completion = completion_make(got.user_data);

		ring_kernel_write(kernel, ring, &completion);
	}
	ring_kernel_publish(kernel, ring);
	return kernel->sq_head - before;
}

/*
 * The kernel against it: it takes no more than the queue can hold and moves its own counts by exactly what it did. A
 * step of the same kind before each round makes sure of a mixture, however seldom the other thread runs.
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
		struct ring_look look;

		hostile_step(stress.ring, &random);
		look = ring_kernel_look(&kernel, stress.ring);
		if (!ring_look_is_possible(look)) {
			assert_false(ring_look_fits(look));
			garbage++;
			ring_kernel_publish(&kernel, stress.ring); /* for the hostile program to claim near it again */
			continue;
		}
		assert_true(look.pending <= RING_SQ_ENTRIES && look.waiting <= RING_CQ_ENTRIES);
		served += enter_hostile(&kernel, stress.ring, look);
		assert_int_equal(kernel.sq_head, served);
		assert_int_equal(kernel.cq_tail, served);
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
		cmocka_unit_test(test_init),
		cmocka_unit_test(test_check),
		cmocka_unit_test(test_fill),
		cmocka_unit_test(test_places),
		cmocka_unit_test(test_round),
		cmocka_unit_test(test_nulls),
		cmocka_unit_test(test_null_that_accepts),
		cmocka_unit_test(test_garbage),
		cmocka_unit_test(test_fits),
		cmocka_unit_test(test_two_threads),
		cmocka_unit_test(test_hostile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
