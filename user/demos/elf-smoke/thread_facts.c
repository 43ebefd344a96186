#include "user/demos/elf-smoke/thread_facts.h"

#include <stddef.h>

#include "abi/memory_layout.h"
#include "lib/check.h"
#include "user/demos/elf-smoke/fact.h"
#include "user/demos/elf-smoke/start_state.h"

#define OVER_ALIGNED 256u /* more than a page table entry, a cache line or the thread control block asks for */
#define ZERO_WORDS 200u

#define CONTROL_WORD 0x37f
#define MXCSR 0x1f80
#define FLAGS 0x202 /* interrupts on, and the bit that is always set */

struct start_state start_state;

_Static_assert(offsetof(struct start_state, fxsave) == START_STATE_FXSAVE, "start_state_entry.S");
_Static_assert(offsetof(struct start_state, fxsave.mxcsr) == 24, "layout of the hardware");
_Static_assert(offsetof(struct start_state, fxsave.registers) == 32, "layout of the hardware");
_Static_assert(offsetof(struct start_state, xsave) == START_STATE_XSAVE, "start_state_entry.S");
_Static_assert(offsetof(struct start_state, general) == START_STATE_GENERAL, "start_state_entry.S");
_Static_assert(offsetof(struct start_state, stack) == START_STATE_STACK, "start_state_entry.S");
_Static_assert(offsetof(struct start_state, flags) == START_STATE_FLAGS, "start_state_entry.S");
_Static_assert(offsetof(struct start_state, thread_pointer) == START_STATE_THREAD_POINTER, "start_state_entry.S");
_Static_assert(sizeof(struct start_state) == START_STATE_BYTES, "start_state_entry.S");

static _Thread_local volatile uint64_t word = UINT64_C(0x0123456789abcdef);
static _Thread_local volatile uint8_t byte = 0x42;
static _Thread_local volatile uint32_t array[5] = { 10, 20, 30, 40, 50 };
static _Thread_local const char *volatile text = "thread-local";
static _Thread_local volatile uint64_t zero[ZERO_WORDS];
static _Thread_local volatile uint8_t aligned[3] __attribute__((aligned(OVER_ALIGNED))) = { 1, 2, 3 };
static _Thread_local volatile uint8_t aligned_zero __attribute__((aligned(64)));

static void tls_is_initialised(void)
{
	EXPECT_EQUAL(word, UINT64_C(0x0123456789abcdef));
	EXPECT_EQUAL(byte, 0x42);
	for (uint32_t i = 0; i < COUNT_OF(array); i++)
		EXPECT_EQUAL(array[i], (i + 1) * UINT64_C(10));
	EXPECT(text[0] == 't' && text[11] == 'l' && text[12] == 0);
	EXPECT(aligned[0] == 1 && aligned[1] == 2 && aligned[2] == 3);
	word = 1;
	array[4] = 2;
	EXPECT(word == 1 && array[4] == 2 && array[3] == 40);
}

static void tls_is_zero_where_it_must_be(void)
{
	for (uint32_t i = 0; i < ZERO_WORDS; i++)
		EXPECT_EQUAL(zero[i], 0);
	EXPECT_EQUAL(aligned_zero, 0);
	zero[ZERO_WORDS - 1] = 3;
	EXPECT(zero[ZERO_WORDS - 1] == 3 && zero[ZERO_WORDS - 2] == 0);
}

static void tls_is_aligned(void)
{
	EXPECT_EQUAL((uint64_t)&word % sizeof(word), 0);
	EXPECT_EQUAL((uint64_t)aligned % OVER_ALIGNED, 0);
	EXPECT_EQUAL((uint64_t)&aligned_zero % 64, 0);
	EXPECT_EQUAL(start_state.thread_pointer % OVER_ALIGNED, 0);
}

/* System V ABI, variant II: the first word at FS points to itself, and the block ends there. */
static void fs_points_at_the_thread(void)
{
	struct virtual_memory_region region;
	uint64_t pointer = start_state.thread_pointer;
	volatile uint64_t distance = pointer - (uint64_t)&word;

	fact_expect_region(pointer, PAGE_IMAGE, PROTECTION_READ | PROTECTION_WRITE, &region);
	EXPECT_EQUAL(*(const uint64_t *)pointer, pointer);
	EXPECT(region.start <= (uint64_t)aligned && (uint64_t)zero < pointer && distance < region.end - region.start);
	word = 0x55; /* FS-relative; read back through the pointer */
	EXPECT_EQUAL(*(const volatile uint64_t *)(pointer - distance), 0x55);
}

static void general_registers_are_as_told(void)
{
	for (uint32_t i = 0; i < START_STATE_GENERAL_REGISTERS; i++)
		EXPECT_EQUAL(start_state.general[i], i == START_STATE_RSI ? RING_ADDRESS : 0);
}

static void flags_are_clean(void)
{
	EXPECT_EQUAL(start_state.flags, FLAGS);
}

static void floating_point_is_clean(void)
{
	EXPECT_EQUAL(start_state.fxsave.control_word, CONTROL_WORD);
	EXPECT_EQUAL(start_state.fxsave.status_word, 0);
	EXPECT_EQUAL(start_state.fxsave.tags, 0);
	EXPECT_EQUAL(start_state.fxsave.mxcsr, MXCSR);
}

static void vector_registers_are_zero(void)
{
	EXPECT(fact_is_zero(start_state.fxsave.registers, sizeof(start_state.fxsave.registers)));
	EXPECT(fact_is_zero(start_state.xsave.upper_halves, sizeof(start_state.xsave.upper_halves)));
}

void thread_facts_check(void)
{
	static const struct fact fact[] = {
		{ "tls-is-initialised", tls_is_initialised },
		{ "tls-is-zero-where-it-must-be", tls_is_zero_where_it_must_be },
		{ "tls-is-aligned", tls_is_aligned },
		{ "fs-points-at-the-thread", fs_points_at_the_thread },
		{ "general-registers-are-as-told", general_registers_are_as_told },
		{ "flags-are-clean", flags_are_clean },
		{ "floating-point-is-clean", floating_point_is_clean },
		{ "vector-registers-are-zero", vector_registers_are_zero },
	};

	fact_check(fact, COUNT_OF(fact));
}
