/* links: kernel/task/entropy.c */
/* Random numbers: everything that was put in matters, unless all is to follow from one number. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "kernel/arch/x86_64/log.h"
#include "kernel/arch/x86_64/random.h"
#include "kernel/arch/x86_64/spinlock.h"
#include "kernel/task/entropy.h"
#include "lib/random_stream.h"

#define DRAWN_BYTES 64u

/* What the machine under test has. */
static struct {
	bool has_generator;
	uint64_t generator, timer; /* the next word of each */
	uint32_t generated, timed; /* words taken */
	char log[128];
} machine;

bool random_hardware(uint64_t *word)
{
	if (!machine.has_generator)
		return false;
	machine.generated++;
	*word = machine.generator++;
	return true;
}

uint64_t random_timer(void)
{
	machine.timed++;
	return machine.timer++;
}

void log_line(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(machine.log, sizeof(machine.log), format, arguments);
	va_end(arguments);
}

void spinlock_wait(const struct spinlock *lock, uint16_t ticket)
{
	(void)lock;
	(void)ticket;
	fail_msg("the lock is held while nobody else runs");
}

static const uint64_t loader[4] = { 1, 2, 3, 4 };

static void draw_after_start(const uint64_t *words, uint32_t count, uint8_t bytes[DRAWN_BYTES])
{
	machine.generated = machine.timed = 0;
	entropy_start(words, count);
	entropy_bytes(bytes, DRAWN_BYTES);
}

/* Each source is asked, and the log says how much came of it. */
static void test_sources(void **state)
{
	(void)state;
	machine.has_generator = true;
	entropy_start(loader, 4);
	assert_string_equal(machine.log, "entropy: 4 words of the loader's, 16 of the CPU's, 16 of timers");
	assert_int_equal(machine.generated, 16);
	assert_int_equal(machine.timed, 16);
	machine.has_generator = false;
	entropy_start(NULL, 0);
	assert_string_equal(machine.log, "entropy: 0 words of the loader's, 0 of the CPU's, 16 of timers");
}

/*
 * The time stamp makes two starts differ in any case; so what one source is good for cannot be told from outside. But
 * two starts with all of them the same still differ, and no 64 bytes come twice.
 */
static void test_differs(void **state)
{
	uint8_t first[DRAWN_BYTES], second[DRAWN_BYTES], third[DRAWN_BYTES];

	(void)state;
	machine.has_generator = true;
	machine.generator = machine.timer = 7;
	draw_after_start(loader, 4, first);
	machine.generator = machine.timer = 7;
	draw_after_start(loader, 4, second);
	entropy_bytes(third, DRAWN_BYTES);
	assert_memory_not_equal(first, second, DRAWN_BYTES);
	assert_memory_not_equal(second, third, DRAWN_BYTES);
	assert_memory_not_equal(second, second + DRAWN_BYTES / 2, DRAWN_BYTES / 2);
}

/* Each use takes in what the CPU's generator says then. */
static void test_stirred(void **state)
{
	uint8_t bytes[8];

	(void)state;
	machine.has_generator = true;
	entropy_start(loader, 4);
	machine.generated = 0;
	entropy_bytes(bytes, sizeof(bytes));
	(void)entropy_draw();
	assert_int_equal(machine.generated, 2);
}

/* Nothing but the number counts: bytes and layouts are those of its stream. */
static void test_seeded(void **state)
{
	struct random_stream stream;
	uint8_t expected[DRAWN_BYTES], bytes[DRAWN_BYTES];
	struct layout_offsets words;

	(void)state;
	machine.has_generator = true;
	for (uint64_t seed = 0; seed < 3; seed++) {
		machine.generated = machine.timed = 0;
		entropy_start_seeded(seed);
		random_stream_init_number(&stream, seed);
		random_stream_bytes(&stream, expected, 16);
		entropy_bytes(bytes, 16);
		assert_memory_equal(bytes, expected, 16);
		words = layout_draw(&stream);
		struct layout_offsets drawn = entropy_draw();

		assert_memory_equal(&drawn, &words, sizeof(words));
		random_stream_bytes(&stream, expected, DRAWN_BYTES);
		entropy_bytes(bytes, DRAWN_BYTES);
		assert_memory_equal(bytes, expected, DRAWN_BYTES);
		assert_int_equal(machine.generated + machine.timed, 0);
	}
	assert_string_equal(machine.log, "entropy: seed=2: nothing is random, all of it can be foretold");
}

/* One number, one layout: the words that a spawner's seed stands for are the first of that stream. */
static void test_layout_of_a_seed(void **state)
{
	struct layout_offsets drawn, words = layout_draw_seeded(UINT64_C(0x123456789abcdef));

	(void)state;
	entropy_start_seeded(UINT64_C(0x123456789abcdef));
	drawn = entropy_draw();
	assert_memory_equal(&drawn, &words, sizeof(words));
	words = layout_draw_seeded(UINT64_C(0x123456789abcdee));
	assert_memory_not_equal(&drawn, &words, sizeof(words));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sources), cmocka_unit_test(test_differs),          cmocka_unit_test(test_stirred),
		cmocka_unit_test(test_seeded),  cmocka_unit_test(test_layout_of_a_seed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
