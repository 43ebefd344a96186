#include "user/demos/vm-contract/ring_promises.h"

#include <stddef.h>

#include "lib/check.h"
#include "user/demos/vm-contract/contract.h"
#include "user/runtime/ring_client.h"

#define MILLISECOND UINT64_C(1000000)

static struct ring_page *ring(void)
{
	return ring_client_current.page;
}

/* Publish one submission; false if the queue is full. */
static bool submit(const struct ring_submission *request, uint64_t user_data)
{
	struct ring_submission *slot;

	if (ring_submit_slot(ring(), &slot) != STATUS_OK)
		return false;
	*slot = *request;
	slot->user_data = user_data;
	ring_publish(ring());
	return true;
}

static bool submit_nop(uint64_t user_data)
{
	const struct ring_submission nop = { .opcode = RING_NOP };

	return submit(&nop, user_data);
}

static void null_operation_completes(void)
{
	struct ring_completion completion;

	EXPECT(submit_nop(77));
	EXPECT_OK(ring_client_enter(1, CAP_ENTER_FOREVER));
	EXPECT_OK(ring_take(ring(), &completion));
	EXPECT_EQUAL(completion.user_data, 77);
	EXPECT_EQUAL((uint64_t)completion.result, STATUS_OK);
	EXPECT_EQUAL(completion.flags, 0);
	EXPECT_EQUAL(completion.capability, HANDLE_NONE);
	EXPECT_STATUS(ring_take(ring(), &completion), STATUS_WOULD_BLOCK);
}

static void nothing_is_taken_before_enter(void)
{
	EXPECT(submit_nop(1));
	EXPECT_EQUAL(ring_submitted(ring()), 1);
	EXPECT_EQUAL(ring_completed(ring()), 0);
	struct ring_completion completion;

	EXPECT_OK(ring_client_enter(0, 0));
	EXPECT_EQUAL(ring_submitted(ring()), 0);
	EXPECT_OK(ring_take(ring(), &completion));
}

static void batch_completes_in_order(void)
{
	struct ring_completion completion;

	for (uint64_t round = 0; round < 5; round++) {
		for (uint64_t i = 0; i < RING_SQ_ENTRIES; i++)
			EXPECT(submit_nop(100 * round + i));
		EXPECT(!submit_nop(0)); /* 17th: the queue is full */
		EXPECT_EQUAL((uint64_t)system_call_cap_enter(RING_SQ_ENTRIES, CAP_ENTER_FOREVER), RING_SQ_ENTRIES);
		for (uint64_t i = 0; i < RING_SQ_ENTRIES; i++) {
			EXPECT_OK(ring_take(ring(), &completion));
			EXPECT_EQUAL(completion.user_data, 100 * round + i);
		}
	}
}

/* A batch of calls, each with its own answer. */
static void batch_of_calls_answers_each(void)
{
	const struct ring_submission *refused =
		REQUEST(contract.memory.handle, VIRTUAL_MEMORY_UNMAP, USER_START, PAGE_SIZE);
	const struct ring_submission *now = REQUEST(contract.timer.handle, TIMER_NOW, 0);
	struct ring_completion completion;

	for (uint64_t i = 0; i < RING_SQ_ENTRIES; i++)
		EXPECT(submit(i % 2 == 0 ? refused : now, i));
	EXPECT_OK(ring_client_enter(RING_SQ_ENTRIES, CAP_ENTER_FOREVER));
	for (uint64_t i = 0; i < RING_SQ_ENTRIES; i++) {
		EXPECT_OK(ring_take(ring(), &completion));
		EXPECT_EQUAL(completion.user_data, i);
		EXPECT_STATUS(ring_client_status(&completion), i % 2 == 0 ? STATUS_NOT_RESERVED : STATUS_OK);
	}
}

/* Completions that are not taken stop the kernel from taking more; none is lost. */
static void full_completion_queue_loses_nothing(void)
{
	struct ring_completion completion;
	uint64_t submitted = 0, taken = 0;

	while (submitted < RING_CQ_ENTRIES) {
		for (uint32_t i = 0; i < RING_SQ_ENTRIES; i++)
			EXPECT(submit_nop(submitted++));
		EXPECT_OK(ring_client_enter(0, 0));
	}
	for (uint32_t i = 0; i < RING_SQ_ENTRIES; i++)
		EXPECT(submit_nop(submitted++));
	EXPECT_OK(ring_client_enter(0, 0));
	EXPECT_EQUAL(ring_completed(ring()), RING_CQ_ENTRIES);
	EXPECT_EQUAL(ring_submitted(ring()), RING_SQ_ENTRIES);
	while (taken < submitted) {
		if (ring_take(ring(), &completion) != STATUS_OK) {
			EXPECT_OK(ring_client_enter(1, CAP_ENTER_FOREVER));
			continue;
		}
		EXPECT_EQUAL(completion.user_data, taken);
		taken++;
	}
	EXPECT_EQUAL(ring_completed(ring()), 0);
}

static void user_data_comes_back_untouched(void)
{
	static const uint64_t value[] = { 0, 1, UINT64_MAX, UINT64_C(0x8000000000000000),
					  UINT64_C(0x0123456789abcdef) };
	struct ring_completion completion;

	for (uint32_t i = 0; i < COUNT_OF(value); i++) {
		EXPECT(submit_nop(value[i]));
		EXPECT_OK(ring_client_enter(1, CAP_ENTER_FOREVER));
		EXPECT_OK(ring_take(ring(), &completion));
		EXPECT_EQUAL(completion.user_data, value[i]);
	}
}

static void time_goes_on(void)
{
	uint64_t start, end;

	EXPECT_OK(timer_client_now(contract.timer, &start));
	EXPECT_OK(timer_client_sleep(contract.timer, 5 * MILLISECOND));
	EXPECT_OK(timer_client_now(contract.timer, &end));
	EXPECT(end >= start + 5 * MILLISECOND);
}

/* What takes long does not hold up what comes after it. */
static void sleep_is_overtaken(void)
{
	const struct ring_submission *sleep = REQUEST(contract.timer.handle, TIMER_SLEEP, 20 * MILLISECOND);
	struct ring_completion completion;

	EXPECT(submit(sleep, 1));
	EXPECT(submit_nop(2));
	EXPECT_OK(ring_client_enter(1, CAP_ENTER_FOREVER));
	EXPECT_OK(ring_take(ring(), &completion));
	EXPECT_EQUAL(completion.user_data, 2);
	EXPECT_OK(ring_client_enter(1, CAP_ENTER_FOREVER));
	EXPECT_OK(ring_take(ring(), &completion));
	EXPECT_EQUAL(completion.user_data, 1);
	EXPECT_OK(ring_client_status(&completion));
}

static void client_finds_each_its_completion(void)
{
	const struct ring_submission *sleep = REQUEST(contract.timer.handle, TIMER_SLEEP, 10 * MILLISECOND);
	struct ring_completion completion;
	uint64_t now;

	EXPECT(submit(sleep, 5));
	EXPECT(submit_nop(6));
	EXPECT_OK(timer_client_now(contract.timer, &now)); /* its own completion, not one of the two */
	EXPECT(now > 0);
	EXPECT_OK(ring_client_wait(&ring_client_current, 5, &completion));
	EXPECT_EQUAL(completion.user_data, 5);
	EXPECT_OK(ring_client_wait(&ring_client_current, 6, &completion));
	EXPECT_EQUAL(completion.user_data, 6);
	EXPECT_EQUAL(ring_completed(ring()), 0);
}

/* Submissions by hand and calls of the clients on one ring: nobody takes what is another's, and the order is kept. */
static void calls_leave_others_in_the_queue(void)
{
	struct ring_completion completion;
	uint64_t now;

	for (uint64_t i = 0; i < RING_SQ_ENTRIES - 1; i++)
		EXPECT(submit_nop(i));
	EXPECT_OK(timer_client_now(contract.timer, &now));
	EXPECT_EQUAL(ring_completed(ring()), RING_SQ_ENTRIES - 1);
	EXPECT_OK(ring_client_wait(&ring_client_current, 3, &completion));
	EXPECT_EQUAL(completion.user_data, 3);
	for (uint64_t i = 0; i < RING_SQ_ENTRIES - 1; i++) {
		if (i == 3)
			continue;
		EXPECT_OK(ring_take(ring(), &completion));
		EXPECT_EQUAL(completion.user_data, i);
	}
	EXPECT_STATUS(ring_take(ring(), &completion), STATUS_WOULD_BLOCK);
}

/* A call that finds the queue full of others says so, and is completed when there is room. */
static void full_queue_refuses_a_call(void)
{
	struct ring_completion completion;
	uint64_t now;

	for (uint64_t i = 0; i < RING_CQ_ENTRIES; i++) {
		EXPECT(submit_nop(i));
		EXPECT_OK(ring_client_enter(0, 0));
	}
	EXPECT_STATUS(timer_client_now(contract.timer, &now), STATUS_BUSY);
	for (uint64_t i = 0; i < RING_CQ_ENTRIES; i++) {
		EXPECT_OK(ring_take(ring(), &completion));
		EXPECT_EQUAL(completion.user_data, i);
	}
	EXPECT_OK(ring_client_enter(1, CAP_ENTER_FOREVER));
	EXPECT_OK(ring_take(ring(), &completion));
	EXPECT(completion.user_data >= RING_CLIENT_FIRST_TICKET);
	EXPECT_EQUAL(ring_submitted(ring()), 0);
}

static void enter_waits_no_longer_than_told(void)
{
	uint64_t start, end;

	EXPECT_OK(timer_client_now(contract.timer, &start));
	enum status status = ring_client_enter(1, 3 * MILLISECOND);

	EXPECT(status == STATUS_OK || status == STATUS_TIMED_OUT);
	EXPECT_EQUAL(ring_completed(ring()), 0);
	EXPECT_OK(timer_client_now(contract.timer, &end));
	EXPECT(end >= start + 3 * MILLISECOND);
}

static void header_tells_the_layout(void)
{
	EXPECT_OK(ring_check(ring()));
	EXPECT_EQUAL((uint64_t)ring(), RING_ADDRESS);
}

void ring_promises_check(void)
{
	static const struct promise promise[] = {
		{ "header-tells-the-layout", header_tells_the_layout },
		{ "null-operation-completes", null_operation_completes },
		{ "nothing-is-taken-before-enter", nothing_is_taken_before_enter },
		{ "batch-completes-in-order", batch_completes_in_order },
		{ "batch-of-calls-answers-each", batch_of_calls_answers_each },
		{ "full-completion-queue-loses-nothing", full_completion_queue_loses_nothing },
		{ "user-data-comes-back-untouched", user_data_comes_back_untouched },
		{ "time-goes-on", time_goes_on },
		{ "sleep-is-overtaken", sleep_is_overtaken },
		{ "client-finds-each-its-completion", client_finds_each_its_completion },
		{ "calls-leave-others-in-the-queue", calls_leave_others_in_the_queue },
		{ "full-queue-refuses-a-call", full_queue_refuses_a_call },
		{ "enter-waits-no-longer-than-told", enter_waits_no_longer_than_told },
	};

	contract_check(promise, COUNT_OF(promise));
}
