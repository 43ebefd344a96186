/* links: HOST_TASK_KERNEL */
/*
 * What comes back. More capabilities than the call accepts are refused to the owner, and nothing has happened. Result
 * buffers that are bad when the answer is handed out: the owner has answered, the caller's thread learns that the
 * answer is lost, and nothing of what came is left.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "kernel/mem/anonymous.h"
#include "lib/check.h"
#include "tests/host/endpoint_scene.h"
#include "tests/host/task_scheduler.h"
#include "tests/host/task_snapshot.h"

#define HEADER sizeof(struct endpoint_message)

static const struct parcel nothing = { .count = 0 };
static const uint8_t junk[] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 };

static struct task_snapshot client_before; /* without a call */
static struct task_snapshot owner_called;  /* the call is being served */

static void assert_used(struct actor *actor, const struct task_snapshot *as, uint64_t more_bytes)
{
	for (uint32_t kind = 0; kind < LEDGER_COUNT; kind++)
		assert_int_equal(actor_used(actor, (enum ledger_kind)kind),
				 as->ledger[kind].used + (kind == LEDGER_KERNEL_OBJECT ? more_bytes : 0));
	assert_int_equal(actor->process->caps.used, as->caps.used);
}

/* A call with that result buffer is received; what the client had before is remembered. Its user data. */
static uint64_t begin_call(uint64_t buffer)
{
	uint64_t user_data;

	endpoint_scene_begin();
	(void)actor_grant(&ends.client, INTERFACE_TIMER, TRANSFER_COPY, NULL);
	task_snapshot_take(&client_before, ends.client.process);
	user_data = actor_submit(ends.client.thread, actor_first_of_call(0, ends.facet, TRANSFER_MAX),
				 (uint64_t[6]){ 0, 0, buffer, SCENE_ROOM });
	assert_used(&ends.client, &client_before, sizeof(struct message) + ENDPOINT_MAX_BYTES);
	assert_int_equal(endpoint_scene_serve(), 1);
	return user_data;
}

/* The owner answers with objects of 1, 2, ... pages; for the owner all is well. */
static void answer_with(enum transfer_kind kind, uint32_t count, struct parcel *parcel)
{
	*parcel = (struct parcel){ .bytes = junk, .count = 10, .capabilities = count };
	for (uint32_t i = 0; i < count; i++)
		parcel->capability[i] = (struct transfer_descriptor){ actor_make_object(&ends.owner, 1 + i), kind };
	task_snapshot_take(&owner_called, ends.owner.process);
	assert_int_equal(endpoint_scene_return(ends.owner.thread, ends.owned, 1, 4, 99, parcel), STATUS_OK);
	assert_int_equal(endpoint_scene_return(ends.owner.thread, ends.owned, 1, 4, 99, &nothing), STATUS_GONE);
	endpoint_scene_assert_queues(0, 0, 0);
	assert_int_equal(actor_used(&ends.client, LEDGER_CAP_SLOTS),
			 client_before.ledger[LEDGER_CAP_SLOTS].used + count);
	assert_int_equal(actor_used(&ends.client, LEDGER_FRAME_GRANT),
			 client_before.ledger[LEDGER_FRAME_GRANT].used + count * (count + 1) / 2);
	/* Nothing is written before the caller's thread asks for what is done. */
	actor_assert_valid(&ends.client);
	assert_int_equal(ring_completed(ends.client.thread->ring), 0);
}

/* Nothing is left of what came, and what stayed with the owner is the owner's alone. */
static void assert_given_up(const struct parcel *parcel)
{
	const bool stays = parcel->capabilities != 0 && parcel->capability[0].kind == TRANSFER_KIND_COPY;
	struct memory_object_census census;

	assert_used(&ends.client, &client_before, 0);
	for (uint32_t i = 0; i < parcel->capabilities; i++) {
		assert_int_equal(actor_has(&ends.owner, parcel->capability[i].capability), stays);
		if (!stays)
			continue;
		assert_int_equal(
			((const struct memory_object *)actor_object(&ends.owner, parcel->capability[i].capability))
				->holds,
			1);
	}
	memory_object_count(&census);
	assert_int_equal(census.objects, stays ? parcel->capabilities : 0);
	if (stays || parcel->capabilities == 0)
		assert_used(&ends.owner, &owner_called, 0);
	else
		assert_int_equal(actor_used(&ends.owner, LEDGER_CAP_SLOTS),
				 owner_called.ledger[LEDGER_CAP_SLOTS].used - parcel->capabilities);
	actor_assert_valid(&ends.client);
	actor_assert_valid(&ends.owner);
}

/* Refused with nothing but its status. */
static void assert_lost(enum status expected)
{
	const uint64_t refused = ends.client.thread->refused;
	struct ring_completion completion;

	task_scheduler_log.handed_over = ends.other.thread;
	completion = endpoint_scene_completion(ends.client.thread);
	assert_int_equal(actor_status(&completion), expected);
	assert_null(task_scheduler_log.handed_over); /* what is given up may take long */
	assert_int_equal(completion.value, 0);
	assert_int_equal(ends.client.thread->refused, refused + 1);
	assert_int_equal(ends.client.thread->open_count, 0);
}

/*
 * The caller's result buffer is its own affair: the owner has answered; the caller learns that the answer is lost, and
 * gives up the capabilities that came, of which it cannot learn.
 */
static void test_result_buffer(void **state)
{
	static const struct {
		uint64_t address;
		enum status status;
	} bad[] = {
		{ ACTOR_READABLE, STATUS_BUFFER_FAULT },
		{ ACTOR_READABLE - HEADER, STATUS_BUFFER_FAULT }, /* the header alone would fit */
		{ ACTOR_READABLE - HEADER - 9, STATUS_BUFFER_FAULT },
		{ ACTOR_NOTHING, STATUS_BUFFER_FAULT },
		{ USER_LIMIT - 100, STATUS_BUFFER_FAULT },
		{ USER_LIMIT - HEADER, STATUS_NOT_USER_ADDRESS },
		{ USER_LIMIT, STATUS_NOT_USER_ADDRESS },
		{ UINT64_MAX - 3, STATUS_RANGE_WRAPS },
	};

	(void)state;
	for (uint32_t i = 0; i < COUNT_OF(bad); i++) {
		for (uint32_t sent = 0; sent <= 2 * TRANSFER_MAX; sent++) {
			enum transfer_kind kind = sent % 2 == 0 ? TRANSFER_KIND_COPY : TRANSFER_KIND_MOVE;
			struct parcel parcel;
			uint8_t was[HEADER + 9], is[HEADER + 9];

			(void)begin_call(bad[i].address);
			actor_read(&ends.client, ACTOR_READABLE - sizeof(was), was, sizeof(was));
			answer_with(kind, sent / 2, &parcel);
			assert_lost(bad[i].status);
			assert_given_up(&parcel);
			actor_read(&ends.client, ACTOR_READABLE - sizeof(is), is, sizeof(is));
			assert_memory_equal(is, was, sizeof(is)); /* all or nothing */
			endpoint_scene_end();
		}
	}
}

/* What counts is the buffer as it is when the answer is handed out, not when the call was made. */
static void test_result_buffer_changes(void **state)
{
	struct placement placement = { ACTOR_NOTHING, PAGE_SIZE, true };
	struct ring_completion completion;
	struct message_read read;
	struct uaddr_range range;
	struct parcel parcel;

	(void)state;
	(void)begin_call(ACTOR_NOTHING);
	answer_with(TRANSFER_KIND_MOVE, 2, &parcel);
	assert_int_equal(
		anonymous_map(&ends.client.process->space, &placement, PROTECTION_READ | PROTECTION_WRITE, &range),
		STATUS_OK);
	completion = endpoint_scene_completion(ends.client.thread);
	assert_int_equal(completion.result, 4);
	assert_int_equal(completion.value, 99);
	read = endpoint_scene_read(&ends.client, ACTOR_NOTHING);
	assert_int_equal(read.header.capabilities, 2);
	assert_int_equal(read.header.bytes, 10);
	assert_int_equal(read.header.sender, ends.owner.process->id);
	assert_memory_equal(read.bytes, junk, 10);
	for (uint32_t i = 0; i < 2; i++)
		assert_true(actor_has(&ends.client, read.header.capability[i].capability));
	endpoint_scene_end();

	(void)begin_call(SCENE_RESULT);
	answer_with(TRANSFER_KIND_MOVE, 2, &parcel);
	assert_int_equal(uaddr_range_of_pages(SCENE_RESULT, PAGE_SIZE, &range), STATUS_OK);
	assert_int_equal(anonymous_protect(&ends.client.process->space, range, PROTECTION_READ), STATUS_OK);
	assert_lost(STATUS_BUFFER_FAULT);
	assert_given_up(&parcel);
	endpoint_scene_end();
}

/* A caller that found a capability by guessing, and gave it up or passed it on, has no other one taken from it. */
static void test_lost_and_gone(void **state)
{
	handle_t guessed, again;
	struct parcel parcel;

	(void)state;
	(void)begin_call(ACTOR_NOTHING);
	answer_with(TRANSFER_KIND_MOVE, 1, &parcel);
	guessed = HANDLE_NONE;
	for (uint32_t i = 0, index = 0; i < ends.client.process->caps.used; i++) {
		const struct cap_hold *hold;

		assert_int_equal(cap_table_next(&ends.client.process->caps, index, &guessed, &hold), STATUS_OK);
		index = (guessed & HANDLE_INDEX_MASK) + 1;
		if (hold->interface == INTERFACE_MEMORY_OBJECT)
			break;
	}
	assert_int_equal(process_capability_release(ends.client.process, guessed), STATUS_OK);
	again = actor_make_object(&ends.client, 7);
	assert_int_equal(again & HANDLE_INDEX_MASK, guessed & HANDLE_INDEX_MASK); /* in its place */
	assert_lost(STATUS_BUFFER_FAULT);
	assert_true(actor_has(&ends.client, again));
	actor_assert_valid(&ends.client);
	endpoint_scene_end();
}

/*
 * What is given up may be the last owner's capability of the endpoint itself: it shuts while the answer is handed out,
 * and what the same thread had waiting there ends, too.
 */
static void test_lost_owner(void **state)
{
	struct parcel parcel = { .capability = { { HANDLE_NONE, TRANSFER_KIND_MOVE } }, .capabilities = 1 };
	struct ring_completion completion;
	uint64_t first, second;

	(void)state;
	endpoint_scene_begin();
	parcel.capability[0].capability = ends.owned;
	first = actor_submit(ends.client.thread, actor_first_of_call(0, ends.facet, 1),
			     (uint64_t[6]){ 0, 0, ACTOR_NOTHING, SCENE_ROOM });
	assert_int_equal(endpoint_scene_serve(), 1);
	second = endpoint_scene_call(ends.client.thread, ends.facet, 0, &nothing, SCENE_ROOM);
	assert_int_equal(endpoint_scene_return(ends.owner.thread, ends.owned, 1, 0, 0, &parcel), STATUS_OK);
	assert_false(actor_has(&ends.owner, ends.owned));
	endpoint_scene_assert_queues(1, 0, 0); /* the caller owns it now, and does not know */
	ends.client.thread->wake_pending = false;
	completion = endpoint_scene_completion(ends.client.thread);
	assert_int_equal(completion.user_data, first);
	assert_int_equal(actor_status(&completion), STATUS_BUFFER_FAULT);
	assert_true(ends.endpoint->is_shut);
	assert_true(ends.client.thread->wake_pending); /* it must look once more before it sleeps */
	completion = endpoint_scene_completion(ends.client.thread);
	assert_int_equal(completion.user_data, second);
	assert_int_equal(actor_status(&completion), STATUS_GONE);
	actor_assert_valid(&ends.client);
	endpoint_scene_end();
}

/* An answer that was never asked for: the thread ends with it. All that came goes with the process. */
static void test_answer_never_taken(void **state)
{
	struct memory_object_census census;
	struct parcel parcel;
	uint64_t user_data;

	(void)state;
	user_data = begin_call(SCENE_RESULT);
	answer_with(TRANSFER_KIND_MOVE, TRANSFER_MAX, &parcel);
	assert_int_equal(operation_cancel(ends.client.thread, user_data), STATUS_NOT_FOUND);
	actor_end(&ends.client);
	memory_object_count(&census);
	assert_int_equal(census.objects, 0);
	endpoint_scene_assert_queues(0, 0, 0);
	endpoint_scene_end();
}

/* The thread alone ends, with an answer that it never took: its process lives on, and has nothing of it. */
static void test_thread_ends_with_its_answer(void **state)
{
	(void)state;
	for (uint32_t sent = 1; sent <= TRANSFER_MAX; sent++) {
		const bool has_buffer = sent > 1;
		struct parcel parcel = { .capabilities = sent };
		struct memory_object_census census;
		struct thread *second;

		endpoint_scene_begin();
		task_snapshot_take(&client_before, ends.client.process);
		second = actor_add_thread(&ends.client);
		for (uint32_t i = 0; i < sent; i++)
			parcel.capability[i] = (struct transfer_descriptor){ actor_make_object(&ends.owner, 1 + i),
									     TRANSFER_KIND_MOVE };
		(void)endpoint_scene_call(second, ends.facet, 0, &nothing, has_buffer ? SCENE_ROOM : 0);
		(void)endpoint_scene_serve();
		assert_int_equal(endpoint_scene_return(ends.owner.thread, ends.owned, 1, 0, 0, &parcel), STATUS_OK);
		assert_int_equal(actor_used(&ends.client, LEDGER_CAP_SLOTS),
				 client_before.ledger[LEDGER_CAP_SLOTS].used + sent);
		actor_end_thread(second, 0);
		assert_int_equal(actor_used(&ends.client, LEDGER_CAP_SLOTS),
				 client_before.ledger[LEDGER_CAP_SLOTS].used);
		memory_object_count(&census);
		assert_int_equal(census.objects, 0);
		actor_assert_valid(&ends.client);
		endpoint_scene_end();
	}
}

/* ---- more than the call accepts ---- */

/* How many a call accepts, and what its owner would send back. */
struct acceptance {
	uint8_t accepts;
	uint32_t sends;
	enum transfer_kind kind;
	bool has_buffer;
};

static void begin_acceptance(const struct acceptance *how, struct parcel *parcel)
{
	*parcel = (struct parcel){ .bytes = junk, .count = how->has_buffer ? 10 : 0, .capabilities = how->sends };
	endpoint_scene_begin();
	for (uint32_t i = 0; i < how->sends; i++)
		parcel->capability[i] =
			(struct transfer_descriptor){ actor_make_object(&ends.owner, 1 + i), how->kind };
	(void)actor_submit(ends.client.thread, actor_first_of_call(0, ends.facet, how->accepts),
			   (uint64_t[6]){ 0, 0, SCENE_RESULT, how->has_buffer ? SCENE_ROOM : 0 });
	assert_int_equal(endpoint_scene_serve(), 1);
}

/* To the owner, before anything has moved; the caller sees nothing of it. */
static void assert_not_accepted(const struct parcel *parcel)
{
	struct task_snapshot client;

	/* Once before, so that what the owner says lies in its memory already. */
	assert_int_equal(endpoint_scene_return(ends.owner.thread, ends.owned, 1, 4, 99, parcel), STATUS_NOT_ACCEPTED);
	task_snapshot_take(&client, ends.client.process);
	task_snapshot_take(&owner_called, ends.owner.process);
	assert_int_equal(endpoint_scene_return(ends.owner.thread, ends.owned, 1, 4, 99, parcel), STATUS_NOT_ACCEPTED);
	assert_true(task_snapshot_holds(&client, ends.client.process));
	assert_true(task_snapshot_holds(&owner_called, ends.owner.process));
	for (uint32_t i = 0; i < parcel->capabilities; i++)
		assert_true(actor_has(&ends.owner, parcel->capability[i].capability));
	endpoint_scene_assert_queues(0, 0, 1);
	endpoint_scene_assert_waits(ends.client.thread);
}

static void accept(const struct acceptance *how)
{
	struct ring_completion completion;
	struct parcel parcel;

	begin_acceptance(how, &parcel);
	for (; parcel.capabilities > how->accepts; parcel.capabilities--)
		assert_not_accepted(&parcel);
	assert_int_equal(endpoint_scene_return(ends.owner.thread, ends.owned, 1, 4, 99, &parcel), STATUS_OK);
	completion = endpoint_scene_completion(ends.client.thread);
	assert_int_equal(completion.result, 4);
	assert_int_equal(completion.flags, parcel.capabilities != 0 ? COMPLETION_HAS_CAPABILITY : 0);
	if (how->has_buffer)
		assert_int_equal(endpoint_scene_read(&ends.client, SCENE_RESULT).header.capabilities,
				 parcel.capabilities);
	for (uint32_t i = 0; i < how->sends; i++)
		assert_int_equal(actor_has(&ends.owner, parcel.capability[i].capability),
				 i >= parcel.capabilities || how->kind == TRANSFER_KIND_COPY);
	actor_assert_valid(&ends.client);
	actor_assert_valid(&ends.owner);
	endpoint_scene_end();
}

static void test_accepted(void **state)
{
	(void)state;
	for (uint32_t has_buffer = 0; has_buffer < 2; has_buffer++)
		for (uint32_t accepts = 0; accepts <= (has_buffer != 0 ? TRANSFER_MAX : 1); accepts++)
			for (uint32_t sends = 0; sends <= TRANSFER_MAX; sends++)
				for (uint32_t kind = TRANSFER_KIND_COPY; kind <= TRANSFER_KIND_MOVE; kind++)
					accept(&(struct acceptance){ (uint8_t)accepts, sends, (enum transfer_kind)kind,
								     has_buffer != 0 });
}

/* What is not accepted is not looked at, whatever else is wrong with it. */
static void test_not_accepted_comes_first(void **state)
{
	const struct acceptance how = { .sends = 1, .kind = TRANSFER_KIND_MOVE, .has_buffer = true };
	struct parcel parcel;

	(void)state;
	begin_acceptance(&how, &parcel);
	machine_set_limit(&ends.client.process->account, LEDGER_CAP_SLOTS, ends.client.process->caps.used);
	assert_not_accepted(&parcel);
	parcel.capability[0].capability += UINT32_C(1) << HANDLE_GENERATION_SHIFT; /* none of his */
	assert_int_equal(endpoint_scene_return(ends.owner.thread, ends.owned, 1, 0, 0, &parcel), STATUS_NOT_ACCEPTED);
	machine_set_limit(&ends.client.process->account, LEDGER_CAP_SLOTS, TASK_MACHINE_PLENTY);
	endpoint_scene_assert_queues(0, 0, 1);
	endpoint_scene_end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_result_buffer),      cmocka_unit_test(test_result_buffer_changes),
		cmocka_unit_test(test_lost_and_gone),      cmocka_unit_test(test_lost_owner),
		cmocka_unit_test(test_answer_never_taken), cmocka_unit_test(test_thread_ends_with_its_answer),
		cmocka_unit_test(test_accepted),           cmocka_unit_test(test_not_accepted_comes_first),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
