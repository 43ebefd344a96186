#include "user/demos/vm-contract/ring_refusals.h"

#include "lib/check.h"
#include "lib/string.h"
#include "user/demos/vm-contract/contract.h"
#include "user/runtime/ring_client.h"

static struct ring_page *ring(void)
{
	return ring_client_current.page;
}

/* Nothing waits on either side, and an operation goes through. */
static void expect_ring_works(void)
{
	uint64_t now;

	EXPECT_EQUAL(ring_submitted(ring()), 0);
	EXPECT_EQUAL(ring_completed(ring()), 0);
	EXPECT_OK(timer_client_now(contract.timer, &now));
}

/* A submission tail that the queue can not have: refused, nothing taken, and good again once it is put right. */
static void impossible_submission_tail(void)
{
	static const uint32_t wrong[] = { RING_SQ_ENTRIES + 1, 1000, UINT32_MAX / 2, UINT32_MAX };
	uint32_t tail = ring()->header.sq_tail;

	for (uint32_t i = 0; i < COUNT_OF(wrong); i++) {
		ring_store_release(&ring()->header.sq_tail, tail + wrong[i]);
		EXPECT_STATUS(ring_client_enter(0, 0), STATUS_BAD_ARGUMENT);
		ring_store_release(&ring()->header.sq_tail, tail);
		expect_ring_works();
		tail = ring()->header.sq_tail;
	}
}

static void impossible_completion_head(void)
{
	static const uint32_t wrong[] = { 1, 17, UINT32_MAX / 2, UINT32_MAX - RING_CQ_ENTRIES };
	uint32_t head = ring()->header.cq_head;

	for (uint32_t i = 0; i < COUNT_OF(wrong); i++) {
		ring_store_release(&ring()->header.cq_head, head + wrong[i]);
		EXPECT_STATUS(ring_client_enter(0, 0), STATUS_BAD_ARGUMENT);
		ring_store_release(&ring()->header.cq_head, head);
		expect_ring_works();
		head = ring()->header.cq_head;
	}
}

/* The kernel keeps its own indices: what we write over them is not read, and is set right by the next completion. */
static void kernel_words_are_not_read_back(void)
{
	ring_store_release(&ring()->header.sq_head, 12345);
	ring_store_release(&ring()->header.cq_tail, 54321);
	EXPECT_OK(ring_client_enter(0, 0));
	struct ring_submission *slot = &ring()->submission[ring()->header.sq_tail % RING_SQ_ENTRIES];
	struct ring_completion completion;

	*slot = (struct ring_submission){ .opcode = RING_NOP, .user_data = 9 };
	ring_publish(ring());
	EXPECT_OK(ring_client_enter(1, CAP_ENTER_FOREVER));
	EXPECT_OK(ring_take(ring(), &completion));
	EXPECT_EQUAL(completion.user_data, 9);
	expect_ring_works();
}

static void garbage_in_the_header_is_not_believed(void)
{
	struct ring_header saved = ring()->header;

	ring()->header.version = UINT32_MAX;
	ring()->header.size = UINT32_MAX;
	ring()->header.sq_offset = UINT32_MAX;
	ring()->header.sq_entries = UINT32_MAX;
	ring()->header.cq_offset = UINT32_MAX - 7;
	ring()->header.cq_entries = 1;
	expect_ring_works();
	ring()->header.version = saved.version;
	ring()->header.size = saved.size;
	ring()->header.sq_offset = saved.sq_offset;
	ring()->header.sq_entries = saved.sq_entries;
	ring()->header.cq_offset = saved.cq_offset;
	ring()->header.cq_entries = saved.cq_entries;
	EXPECT_OK(ring_check(ring()));
}

/* Sixteen entries of one byte value each: every one is answered, none does anything. */
static void garbage_entries_are_answered(void)
{
	static const uint8_t garbage[] = { 0xff, 0xaa, 0x80, 0x7f };
	struct ring_completion completion;

	for (uint32_t i = 0; i < COUNT_OF(garbage); i++) {
		for (uint32_t j = 0; j < RING_SQ_ENTRIES; j++) {
			struct ring_submission *slot;

			EXPECT_OK(ring_submit_slot(ring(), &slot));
			memset(slot, garbage[i], sizeof(*slot));
			ring_publish(ring());
		}
		EXPECT_OK(ring_client_enter(RING_SQ_ENTRIES, CAP_ENTER_FOREVER));
		for (uint32_t j = 0; j < RING_SQ_ENTRIES; j++) {
			EXPECT_OK(ring_take(ring(), &completion));
			EXPECT_EQUAL(completion.user_data, garbage[i] * UINT64_C(0x0101010101010101));
			EXPECT_STATUS(ring_client_status(&completion), STATUS_UNSUPPORTED);
		}
	}
	expect_ring_works();
}

static void garbage_completions_are_overwritten(void)
{
	for (uint32_t i = 0; i < RING_CQ_ENTRIES; i++)
		memset(&ring()->completion[i], 0xff, sizeof(ring()->completion[i]));
	for (uint32_t i = 0; i < 2 * RING_CQ_ENTRIES; i++)
		expect_ring_works();
}

static void waiting_for_more_than_fits(void)
{
	EXPECT_STATUS(ring_client_enter(RING_CQ_ENTRIES + 1, 0), STATUS_BAD_ARGUMENT);
	EXPECT_STATUS(ring_client_enter(UINT32_MAX, 0), STATUS_BAD_ARGUMENT);
	expect_ring_works();
}

static void unknown_opcodes(void)
{
	for (uint32_t opcode = RING_OPCODE_COUNT; opcode <= UINT8_MAX; opcode++) {
		struct ring_submission request = { .opcode = (uint8_t)opcode, .capability = contract.memory.handle };

		EXPECT_STATUS(ring_client_call_plain(&request), STATUS_UNSUPPORTED);
	}
}

static void accepts_of_kernel_objects(void)
{
	for (uint32_t opcode = 0; opcode < RING_OPCODE_COUNT; opcode++) {
		for (uint32_t bit = 0; bit < 8; bit++) {
			struct ring_submission request = { .opcode = (uint8_t)opcode,
							   .accepts = (uint8_t)(1u << bit),
							   .capability = contract.memory.handle };

			EXPECT_STATUS(ring_client_call_plain(&request), STATUS_UNSUPPORTED);
		}
	}
}

void ring_refusals_check(void)
{
	static const struct promise promise[] = {
		{ "refuse ring: impossible-submission-tail", impossible_submission_tail },
		{ "refuse ring: impossible-completion-head", impossible_completion_head },
		{ "refuse ring: kernel-words-are-not-read-back", kernel_words_are_not_read_back },
		{ "refuse ring: garbage-in-the-header-is-not-believed", garbage_in_the_header_is_not_believed },
		{ "refuse ring: garbage-entries-are-answered", garbage_entries_are_answered },
		{ "refuse ring: garbage-completions-are-overwritten", garbage_completions_are_overwritten },
		{ "refuse ring: waiting-for-more-than-fits", waiting_for_more_than_fits },
		{ "refuse ring: unknown-opcodes", unknown_opcodes },
		{ "refuse ring: accepts-of-kernel-objects", accepts_of_kernel_objects },
	};

	contract_check(promise, COUNT_OF(promise));
}
