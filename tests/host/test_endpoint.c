/* links: HOST_TASK_KERNEL */
/* Calls through an endpoint: what arrives, in which order, and what becomes of a call when one side ends. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "kernel/task/process_end.h"
#include "lib/check.h"
#include "tests/host/endpoint_scene.h"
#include "tests/host/host_support.h"
#include "tests/host/task_scheduler.h"
#include "tests/host/task_snapshot.h"

static const struct parcel nothing = { .count = 0 };

static uint8_t pattern[ENDPOINT_MAX_BYTES];

static struct parcel bytes_of(uint64_t count, uint8_t seed)
{
	for (uint32_t i = 0; i < sizeof(pattern); i++)
		pattern[i] = (uint8_t)(seed + i * 7);
	return (struct parcel){ .bytes = pattern, .count = count };
}

/* ---- what arrives ---- */

static void check_received(uint64_t bytes, uint16_t method, uint64_t user_data, uint64_t *id)
{
	struct ring_completion completion = endpoint_scene_completion(ends.owner.thread);
	struct message_read received = endpoint_scene_read(&ends.owner, SCENE_RECEIVE);

	assert_int_equal(completion.result, 0);
	assert_int_equal(completion.user_data, user_data);
	assert_int_equal(completion.flags, 0);
	assert_int_equal(received.header.call, completion.value);
	assert_int_equal(received.header.badge, SCENE_BADGE);
	assert_int_equal(received.header.method, method);
	assert_int_equal(received.header.capabilities, 0);
	assert_int_equal(received.header.bytes, bytes);
	assert_int_equal(received.header.sender, ends.client.process->id);
	assert_memory_equal(received.bytes, pattern, bytes);
	*id = completion.value;
}

static void check_answered(uint64_t bytes, bool has_buffer, uint64_t user_data)
{
	struct ring_completion completion = endpoint_scene_completion(ends.client.thread);
	struct message_read result = endpoint_scene_read(&ends.client, SCENE_RESULT);

	assert_int_equal(completion.result, 7);
	assert_int_equal(completion.value, 0xabcdef);
	assert_int_equal(completion.user_data, user_data);
	assert_int_equal(completion.flags, 0);
	if (!has_buffer)
		return;
	assert_int_equal(result.header.call, 0);
	assert_int_equal(result.header.badge, 0);
	assert_int_equal(result.header.method, 0);
	assert_int_equal(result.header.capabilities, 0);
	assert_int_equal(result.header.bytes, bytes);
	assert_int_equal(result.header.sender, ends.owner.process->id);
	assert_memory_equal(result.bytes, pattern, bytes);
	for (uint32_t i = 0; i < TRANSFER_MAX; i++)
		assert_int_equal(result.header.capability[i].capability | result.header.capability[i].interface, 0);
}

static void round_trip(uint64_t bytes, bool call_first, bool has_buffer)
{
	uint64_t room = has_buffer ? sizeof(struct endpoint_message) + bytes : 0;
	struct parcel parcel = bytes_of(bytes, 1);
	uint64_t call, receive = 0, id;

	if (!call_first) {
		receive = endpoint_scene_receive(ends.owner.thread, ends.owned, room != 0 ? room : SCENE_ROOM);
		endpoint_scene_assert_queues(0, 1, 0);
	}
	call = endpoint_scene_call(ends.client.thread, ends.facet, 0xfedc, &parcel, room);
	if (call_first) {
		endpoint_scene_assert_queues(1, 0, 0);
		receive = endpoint_scene_receive(ends.owner.thread, ends.owned, SCENE_ROOM);
	} else {
		assert_ptr_equal(task_scheduler_log.handed_over, ends.owner.thread);
		endpoint_scene_assert_queues(1, 1, 0);
		actor_come(ends.owner.thread);
	}
	endpoint_scene_assert_queues(0, 0, 1);
	endpoint_scene_assert_waits(ends.client.thread);
	check_received(bytes, 0xfedc, receive, &id);
	actor_assert_valid(&ends.client);
	parcel = bytes_of(has_buffer ? bytes : 0, 99);
	assert_int_equal(endpoint_scene_return(ends.owner.thread, ends.owned, id, 7, 0xabcdef, &parcel), STATUS_OK);
	assert_ptr_equal(task_scheduler_log.handed_over, ends.client.thread);
	endpoint_scene_assert_queues(0, 0, 0);
	check_answered(bytes, has_buffer, call);
	assert_int_equal(ends.client.process->message_bytes, 0);
}

static void test_round_trip(void **state)
{
	static const uint64_t sizes[] = { 0, 1, 8, 100, ENDPOINT_MAX_BYTES };

	(void)state;
	endpoint_scene_begin();
	for (uint32_t i = 0; i < COUNT_OF(sizes); i++)
		for (uint32_t how = 0; how < 4; how++)
			round_trip(sizes[i], (how & 1) != 0, (how & 2) != 0);
	actor_assert_valid(&ends.client);
	actor_assert_valid(&ends.owner);
	endpoint_scene_end();
}

/* A caller that is its own owner. */
static void test_to_itself(void **state)
{
	struct parcel parcel = bytes_of(50, 3);
	struct thread *second;
	handle_t facet;
	uint64_t id;

	(void)state;
	endpoint_scene_begin();
	facet = actor_make_client(&ends.owner, ends.owned, 9, &ends.owner);
	second = actor_add_thread(&ends.owner);
	(void)endpoint_scene_call(second, facet, 1, &parcel, SCENE_ROOM);
	id = endpoint_scene_serve();
	assert_int_equal(endpoint_scene_return(ends.owner.thread, ends.owned, id, 0, 5, &parcel), STATUS_OK);
	assert_int_equal(endpoint_scene_completion(second).value, 5);
	(void)endpoint_scene_call(ends.owner.thread, facet, 1, &parcel, SCENE_ROOM); /* and never answered */
	endpoint_scene_assert_queues(1, 0, 0);
	endpoint_scene_end();
}

/* ---- order ---- */

static void test_order(void **state)
{
	struct thread *thread[5];
	uint64_t id;

	(void)state;
	endpoint_scene_begin();
	for (uint32_t i = 0; i < COUNT_OF(thread); i++) {
		thread[i] = actor_add_thread(&ends.client);
		(void)endpoint_scene_call(thread[i], ends.facet, (uint16_t)i, &nothing, 0);
	}
	endpoint_scene_assert_queues(COUNT_OF(thread), 0, 0);
	for (uint32_t i = 0; i < COUNT_OF(thread); i++) {
		id = endpoint_scene_serve();
		assert_int_equal(endpoint_scene_read(&ends.owner, SCENE_RECEIVE).header.method, i);
		assert_int_equal(id, i + 1);
	}
	/* Answered in another order: each caller gets its own. */
	for (uint32_t i = COUNT_OF(thread); i > 0; i--)
		assert_int_equal(endpoint_scene_return(ends.owner.thread, ends.owned, i, 0, 100 + i, &nothing),
				 STATUS_OK);
	for (uint32_t i = 0; i < COUNT_OF(thread); i++)
		assert_int_equal(endpoint_scene_completion(thread[i]).value, 101 + i);
	for (uint32_t i = 0; i < COUNT_OF(thread); i++)
		(void)ACTOR_SUBMIT(ends.owner.thread, RING_RECEIVE, 0, ends.owned, SCENE_RECEIVE, SCENE_ROOM,
				   TRANSFER_MAX);
	endpoint_scene_assert_queues(0, COUNT_OF(thread), 0);
	for (uint32_t i = 0; i < COUNT_OF(thread); i++) {
		(void)endpoint_scene_call(thread[i], ends.facet, (uint16_t)(40 + i), &nothing, 0);
		assert_int_equal(endpoint_scene_completion(ends.owner.thread).value, 6 + i);
		assert_int_equal(endpoint_scene_read(&ends.owner, SCENE_RECEIVE).header.method, 40 + i);
	}
	endpoint_scene_end();
}

/* A receive that is refused leaves the calls in their order: the first one stays first. */
static void test_order_after_refusal(void **state)
{
	struct thread *thread[3];
	struct parcel parcel;

	(void)state;
	endpoint_scene_begin();
	for (uint32_t i = 0; i < COUNT_OF(thread); i++) {
		thread[i] = actor_add_thread(&ends.client);
		parcel = bytes_of(10 - i, 1);
		(void)endpoint_scene_call(thread[i], ends.facet, (uint16_t)i, &parcel, 0);
	}
	(void)endpoint_scene_receive(ends.owner.thread, ends.owned, sizeof(struct endpoint_message) + 9);
	assert_int_equal(endpoint_scene_status(ends.owner.thread), STATUS_TOO_LONG);
	endpoint_scene_assert_queues(COUNT_OF(thread), 0, 0);
	for (uint32_t i = 0; i < COUNT_OF(thread); i++) {
		assert_int_equal(endpoint_scene_serve(), i + 1);
		assert_int_equal(endpoint_scene_read(&ends.owner, SCENE_RECEIVE).header.method, i);
	}
	endpoint_scene_end();
}

/* ---- facets ---- */

static struct ring_completion make_client(uint64_t badge, uint64_t transferable)
{
	return ACTOR_CALL(ends.owner.thread, RING_CALL, ENDPOINT_MAKE_CLIENT, ends.owned, badge, transferable);
}

/* With the badge and the mode that the owner says, and no other. */
static void test_make_client(void **state)
{
	struct parcel parcel = { .capabilities = 1 };
	struct ring_completion completion;
	struct task_snapshot before;
	struct thread *second;

	(void)state;
	endpoint_scene_begin();
	task_snapshot_take(&before, ends.owner.process);
	for (uint64_t flag = 2; flag != 0; flag <<= 1) {
		completion = make_client(1, flag);
		assert_int_equal(actor_status(&completion), STATUS_BAD_ARGUMENT);
	}
	assert_true(task_snapshot_holds(&before, ends.owner.process));
	second = actor_add_thread(&ends.owner);
	for (uint32_t transferable = 0; transferable < 2; transferable++) {
		const uint64_t badge = UINT64_C(0xfedcba9876543210) + transferable;

		completion = make_client(badge, transferable);
		assert_int_equal(completion.result, 0);
		assert_int_equal(completion.interface, INTERFACE_ENDPOINT_CLIENT);
		parcel.capability[0] = (struct transfer_descriptor){ completion.capability, TRANSFER_KIND_COPY };
		(void)endpoint_scene_call(second, completion.capability, 0, &parcel, 0);
		(void)endpoint_scene_receive(ends.owner.thread, ends.owned, SCENE_ROOM);
		if (transferable == 0) {
			assert_int_equal(endpoint_scene_status(second), STATUS_NOT_TRANSFERABLE);
			parcel.capability[0].kind = TRANSFER_KIND_MOVE;
			(void)endpoint_scene_call(second, completion.capability, 0, &parcel, 0);
		}
		assert_int_equal(endpoint_scene_completion(ends.owner.thread).result, 0);
		assert_int_equal(endpoint_scene_read(&ends.owner, SCENE_RECEIVE).header.badge, badge);
		assert_int_equal(actor_has(&ends.owner, completion.capability), transferable != 0);
	}
	endpoint_scene_end();
}

/* ---- places ---- */

/* A thread has places for so many, and no more; a refused call costs nothing. */
static void test_busy(void **state)
{
	struct parcel parcel = bytes_of(9, 1);
	struct task_snapshot before;

	(void)state;
	endpoint_scene_begin();
	for (uint32_t i = 0; i < OPERATION_MAX; i++)
		(void)endpoint_scene_call(ends.client.thread, ends.facet, 0, &parcel, 0);
	task_snapshot_take(&before, ends.client.process);
	(void)endpoint_scene_call(ends.client.thread, ends.facet, 0, &parcel, 0);
	assert_int_equal(endpoint_scene_status(ends.client.thread), STATUS_BUSY);
	assert_true(task_snapshot_holds(&before, ends.client.process));
	endpoint_scene_assert_queues(OPERATION_MAX, 0, 0);
	actor_assert_valid(&ends.client);
	endpoint_scene_end();
}

/* ---- ends ---- */

static handle_t share_owner(struct actor *actor)
{
	endpoint_add_owner(ends.endpoint);
	return actor_grant(actor, INTERFACE_ENDPOINT, TRANSFER_COPY, ends.endpoint);
}

static void release(struct actor *actor, handle_t handle)
{
	struct ring_completion completion = ACTOR_CALL(actor->thread, RING_RELEASE, 0, handle, 0);

	assert_int_equal(actor_status(&completion), STATUS_OK);
}

/* With the last owner's capability every open operation ends, and later ones are refused at once. */
static void test_last_owner(void **state)
{
	struct thread *second, *receiver;
	handle_t other;

	(void)state;
	endpoint_scene_begin();
	other = share_owner(&ends.other);
	second = actor_add_thread(&ends.client);
	(void)endpoint_scene_call(ends.client.thread, ends.facet, 0, &nothing, 0);
	(void)endpoint_scene_serve();
	(void)endpoint_scene_call(second, ends.facet, 0, &nothing, 0);
	release(&ends.owner, ends.owned);
	endpoint_scene_assert_queues(1, 0, 1); /* there is another one */
	endpoint_scene_assert_waits(ends.client.thread);
	release(&ends.other, other);
	assert_int_equal(endpoint_scene_status(ends.client.thread), STATUS_GONE);
	assert_int_equal(endpoint_scene_status(second), STATUS_GONE);
	endpoint_scene_assert_queues(0, 0, 0);
	(void)endpoint_scene_call(second, ends.facet, 0, &nothing, 0);
	assert_int_equal(endpoint_scene_status(second), STATUS_GONE);
	assert_int_equal(second->open_count, 0);
	endpoint_scene_end();

	endpoint_scene_begin();
	receiver = actor_add_thread(&ends.owner);
	(void)endpoint_scene_receive(receiver, ends.owned, SCENE_ROOM);
	release(&ends.owner, ends.owned);
	assert_int_equal(endpoint_scene_status(receiver), STATUS_GONE);
	endpoint_scene_end();
}

/* ---- steps ---- */

#define CALLS_OF_EACH (OPERATION_MAX - 1)
#define CALLERS 4u

static struct thread *caller[CALLERS];
static uint32_t windows;

static void look_at_lock(void)
{
	assert_false(spinlock_is_held(&ends.endpoint->lock));
	windows++;
}

/* Many calls that wait, with one capability each, which nobody but an endless receiver would take. */
static void make_calls(void)
{
	struct parcel parcel = { .capabilities = 1 };

	parcel.capability[0] = (struct transfer_descriptor){ ends.facet, TRANSFER_KIND_COPY };
	for (uint32_t i = 0; i < CALLERS; i++) {
		caller[i] = actor_add_thread(&ends.client);
		for (uint32_t j = 0; j < CALLS_OF_EACH; j++)
			(void)endpoint_scene_call(caller[i], ends.facet, 0, &parcel, 0);
	}
	endpoint_scene_assert_queues(CALLERS * CALLS_OF_EACH, 0, 0);
	windows = 0;
	machine_on_window(look_at_lock);
}

static void assert_all_end(enum status status)
{
	struct ring_completion completion;

	for (uint32_t i = 0; i < CALLERS; i++) {
		for (uint32_t j = 0; j < CALLS_OF_EACH; j++) {
			assert_int_equal(actor_take(caller[i], &completion), STATUS_OK);
			assert_int_equal(actor_status(&completion), status);
		}
		endpoint_scene_assert_waits(caller[i]);
	}
}

/* However many end with the last owner, others have the lock, and interrupts are taken, after so many. */
static void test_many_end(void **state)
{
	(void)state;
	endpoint_scene_begin();
	make_calls();
	endpoint_use(ends.endpoint);
	release(&ends.owner, ends.owned);
	machine_on_window(NULL);
	assert_true(windows >= CALLERS * CALLS_OF_EACH / OPERATION_STEP);
	endpoint_scene_assert_queues(0, 0, 0);
	assert_all_end(STATUS_GONE);
	endpoint_end_use(ends.endpoint);
	endpoint_scene_end();
}

/* The same of calls that a receive refuses, one after the other. */
static void test_many_refused(void **state)
{
	(void)state;
	endpoint_scene_begin();
	make_calls();
	(void)ACTOR_SUBMIT(ends.owner.thread, RING_RECEIVE, 0, ends.owned, SCENE_RECEIVE, SCENE_ROOM, 0);
	machine_on_window(NULL);
	assert_true(windows >= CALLERS * CALLS_OF_EACH);
	endpoint_scene_assert_queues(0, 1, 0);
	assert_all_end(STATUS_NOT_ACCEPTED);
	endpoint_scene_end();
}

/* An owner's capability that arrives when the last one has gone: of an endpoint that is shut for good. */
static void test_late_owner(void **state)
{
	handle_t late;

	(void)state;
	endpoint_scene_begin();
	endpoint_use(ends.endpoint);
	release(&ends.owner, ends.owned);
	late = share_owner(&ends.other);
	endpoint_end_use(ends.endpoint);
	(void)endpoint_scene_receive(ends.other.thread, late, SCENE_ROOM);
	assert_int_equal(endpoint_scene_status(ends.other.thread), STATUS_GONE);
	(void)endpoint_scene_call(ends.client.thread, ends.facet, 0, &nothing, 0);
	assert_int_equal(endpoint_scene_status(ends.client.thread), STATUS_GONE);
	assert_int_equal(endpoint_scene_return(ends.other.thread, late, 1, 0, 0, &nothing), STATUS_NOT_FOUND);
	release(&ends.other, late);
	actor_assert_valid(&ends.client);
	endpoint_scene_end();
}

/* The owner's process ends, in each state of a call. */
static void test_owner_ends(void **state)
{
	struct parcel parcel = bytes_of(30, 1);

	(void)state;
	for (uint32_t is_served = 0; is_served < 2; is_served++) {
		endpoint_scene_begin();
		(void)endpoint_scene_call(ends.client.thread, ends.facet, 0, &parcel, SCENE_ROOM);
		if (is_served != 0)
			(void)endpoint_scene_serve();
		actor_end(&ends.owner);
		assert_int_equal(endpoint_scene_status(ends.client.thread), STATUS_GONE);
		assert_int_equal(ends.client.process->message_bytes, 0);
		actor_assert_valid(&ends.client);
		endpoint_scene_end();
	}
}

/* One owner of two ends while it serves: the call is still being served, and the other one can answer it. */
static void test_one_owner_ends(void **state)
{
	handle_t other;
	uint64_t id;

	(void)state;
	endpoint_scene_begin();
	other = share_owner(&ends.other);
	(void)endpoint_scene_call(ends.client.thread, ends.facet, 0, &nothing, 0);
	id = endpoint_scene_serve();
	(void)endpoint_scene_receive(ends.owner.thread, ends.owned, SCENE_ROOM);
	endpoint_scene_assert_queues(0, 1, 1);
	actor_end(&ends.owner);
	endpoint_scene_assert_queues(0, 0, 1);
	endpoint_scene_assert_waits(ends.client.thread);
	assert_int_equal(endpoint_scene_return(ends.other.thread, other, id, 1, 2, &nothing), STATUS_OK);
	assert_int_equal(endpoint_scene_completion(ends.client.thread).result, 1);
	endpoint_scene_end();
}

/* The caller's process, or its thread alone, ends: its call is in no queue any more, and the owner is told. */
static void test_caller_ends(void **state)
{
	struct parcel parcel = bytes_of(30, 1);

	(void)state;
	for (uint32_t how = 0; how < 4; how++) {
		bool is_served = (how & 1) != 0, is_whole = (how & 2) != 0;
		struct thread *thread;
		uint64_t id = 0;

		endpoint_scene_begin();
		thread = actor_add_thread(&ends.client);
		(void)endpoint_scene_call(thread, ends.facet, 0, &parcel, SCENE_ROOM);
		if (is_served)
			id = endpoint_scene_serve();
		if (is_whole)
			actor_end(&ends.client);
		else
			actor_end_thread(thread, 0);
		endpoint_scene_assert_queues(0, 0, 0);
		if (is_served)
			assert_int_equal(endpoint_scene_return(ends.owner.thread, ends.owned, id, 0, 0, &parcel),
					 STATUS_GONE);
		if (!is_whole)
			actor_assert_valid(&ends.client);
		endpoint_scene_end();
	}
}

/* RING_CANCEL takes a call or a receive out of whichever queue. */
static void test_cancel(void **state)
{
	struct parcel parcel = bytes_of(30, 1);
	struct ring_completion completion;
	struct task_snapshot before;
	uint64_t user_data, id;

	(void)state;
	for (uint32_t is_served = 0; is_served < 2; is_served++) {
		endpoint_scene_begin();
		user_data = endpoint_scene_call(ends.client.thread, ends.facet, 0, &parcel, SCENE_ROOM);
		id = is_served != 0 ? endpoint_scene_serve() : 0;
		(void)ACTOR_SUBMIT(ends.client.thread, RING_CANCEL, 0, HANDLE_NONE, user_data);
		assert_int_equal(ring_completed(ends.client.thread->ring), 2);
		assert_int_equal(actor_take(ends.client.thread, &completion), STATUS_OK);
		assert_int_equal(completion.user_data, user_data);
		assert_int_equal(actor_status(&completion), STATUS_CANCELLED);
		assert_int_equal(endpoint_scene_status(ends.client.thread), STATUS_OK);
		endpoint_scene_assert_queues(0, 0, 0);
		assert_int_equal(ends.client.process->message_bytes, 0);
		if (is_served != 0)
			assert_int_equal(endpoint_scene_return(ends.owner.thread, ends.owned, id, 0, 0, &nothing),
					 STATUS_GONE);
		task_snapshot_take(&before, ends.client.process);
		completion = ACTOR_CALL(ends.client.thread, RING_CANCEL, 0, HANDLE_NONE, user_data);
		assert_int_equal(actor_status(&completion), STATUS_NOT_FOUND);
		assert_true(task_snapshot_holds(&before, ends.client.process));
		user_data = endpoint_scene_receive(ends.owner.thread, ends.owned, SCENE_ROOM);
		(void)ACTOR_SUBMIT(ends.owner.thread, RING_CANCEL, 0, HANDLE_NONE, user_data);
		assert_int_equal(actor_take(ends.owner.thread, &completion), STATUS_OK);
		assert_int_equal(actor_status(&completion), STATUS_CANCELLED);
		assert_int_equal(endpoint_scene_status(ends.owner.thread), STATUS_OK);
		endpoint_scene_assert_queues(0, 0, 0);
		endpoint_scene_end();
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_to_itself),
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_busy),
		cmocka_unit_test(test_order_after_refusal),
		cmocka_unit_test(test_make_client),
		cmocka_unit_test(test_last_owner),
		cmocka_unit_test(test_late_owner),
		cmocka_unit_test(test_owner_ends),
		cmocka_unit_test(test_one_owner_ends),
		cmocka_unit_test(test_caller_ends),
		cmocka_unit_test(test_cancel),
		cmocka_unit_test(test_many_end),
		cmocka_unit_test(test_many_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
