/* links: HOST_TASK_KERNEL */
/* Calls through an endpoint that are refused, at each step: what is bad of one side costs the other one nothing. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "lib/check.h"
#include "tests/host/endpoint_scene.h"
#include "tests/host/host_support.h"
#include "tests/host/task_snapshot.h"

#define HEADER sizeof(struct endpoint_message)

static const struct parcel nothing = { .count = 0 };
static const uint8_t junk[ENDPOINT_MAX_BYTES] = { 1, 2, 3 };

static struct task_snapshot client_before, owner_before;

static void remember(void)
{
	task_snapshot_take(&client_before, ends.client.process);
	task_snapshot_take(&owner_before, ends.owner.process);
}

static void assert_unchanged(void)
{
	assert_true(task_snapshot_holds(&client_before, ends.client.process));
	assert_true(task_snapshot_holds(&owner_before, ends.owner.process));
}

static struct parcel one(handle_t capability, enum transfer_kind kind)
{
	return (struct parcel){ junk, 10, { { capability, kind } }, 1 };
}

/* ---- arguments ---- */

static void test_call_arguments(void **state)
{
	const uint64_t here = SCENE_PARAMETERS, out = SCENE_RESULT, end = ACTOR_READABLE + PAGE_SIZE;
	const uint64_t kernel = UINT64_C(1) << 47, table = SCENE_DESCRIPTORS;
	const struct {
		uint64_t argument[6];
		enum status status;
	} bad[] = {
		{ { here, ENDPOINT_MAX_BYTES + 1, out, 0, table, 0 }, STATUS_TOO_LONG },
		{ { here, UINT64_MAX, out, 0, table, 0 }, STATUS_TOO_LONG },
		{ { here, 0, out, 0, table, TRANSFER_MAX + 1 }, STATUS_TOO_LONG },
		{ { here, 0, out, 0, table, UINT64_C(1) << 32 }, STATUS_TOO_LONG },
		{ { here, 0, out, 1, table, 0 }, STATUS_TOO_LONG },
		{ { here, 0, out, HEADER - 1, table, 0 }, STATUS_TOO_LONG },
		{ { end - 1, 2, out, 0, table, 0 }, STATUS_BUFFER_FAULT },
		{ { ACTOR_NOTHING, 1, out, 0, table, 0 }, STATUS_BUFFER_FAULT },
		{ { kernel, 1, out, 0, table, 0 }, STATUS_NOT_USER_ADDRESS },
		{ { UINT64_MAX, 2, out, 0, table, 0 }, STATUS_RANGE_WRAPS },
		{ { here, 1, out, 0, end - 4, 1 }, STATUS_BUFFER_FAULT },
		{ { here, 1, out, 0, kernel, 1 }, STATUS_NOT_USER_ADDRESS },
	};

	(void)state;
	endpoint_scene_begin();
	(void)endpoint_scene_receive(ends.owner.thread, ends.owned, SCENE_ROOM);
	remember();
	for (uint32_t i = 0; i < COUNT_OF(bad); i++) {
		struct ring_completion completion =
			actor_call(ends.client.thread, actor_first(RING_CALL, 1, ends.facet), bad[i].argument);

		assert_int_equal(actor_status(&completion), bad[i].status);
		assert_unchanged();
		endpoint_scene_assert_queues(0, 1, 0);
	}
	endpoint_scene_end();
}

/* How many capabilities may come back: all that a message takes, or the one that a completion takes. */
static void test_call_accepts(void **state)
{
	(void)state;
	for (uint32_t has_buffer = 0; has_buffer < 2; has_buffer++) {
		const uint64_t argument[6] = { SCENE_PARAMETERS, 3, SCENE_RESULT, has_buffer != 0 ? HEADER : 0 };
		const uint32_t most = has_buffer != 0 ? TRANSFER_MAX : 1;

		endpoint_scene_begin();
		for (uint32_t accepts = most + 1; accepts <= UINT8_MAX; accepts++) {
			struct ring_completion completion;

			remember();
			completion = actor_call(ends.client.thread,
						actor_first_of_call(1, ends.facet, (uint8_t)accepts), argument);
			assert_int_equal(actor_status(&completion), STATUS_BAD_ARGUMENT);
			assert_unchanged();
		}
		endpoint_scene_assert_queues(0, 0, 0);
		for (uint8_t accepts = 0; accepts <= most; accepts++)
			(void)actor_submit(ends.client.thread, actor_first_of_call(1, ends.facet, accepts), argument);
		endpoint_scene_assert_queues(most + 1, 0, 0);
		endpoint_scene_end();
	}
}

/* A kind of transfer that there is not. */
static void test_descriptor_kinds(void **state)
{
	static const uint32_t kinds[] = { 0, 3, 4, UINT32_MAX };

	(void)state;
	endpoint_scene_begin();
	remember();
	for (uint32_t i = 0; i < COUNT_OF(kinds); i++) {
		struct parcel parcel = one(ends.facet, (enum transfer_kind)kinds[i]);

		(void)endpoint_scene_call(ends.client.thread, ends.facet, 0, &parcel, 0);
		assert_int_equal(endpoint_scene_status(ends.client.thread), STATUS_BAD_ARGUMENT);
		endpoint_scene_assert_queues(0, 0, 0);
	}
	endpoint_scene_end();
}

/* What a call costs until it ends: room for what is sent, or for what may come back. */
static void limit_message(uint64_t bytes, uint64_t result_bytes, uint64_t need, uint64_t step)
{
	struct ring_completion completion;
	struct account *account;
	uint64_t used;

	endpoint_scene_begin();
	account = &ends.client.process->account;
	used = account->ledger.of[LEDGER_KERNEL_OBJECT].used;
	for (uint64_t room = need; room-- != 0; room -= room % step) {
		machine_set_limit(account, LEDGER_KERNEL_OBJECT, used + room);
		remember();
		completion = ACTOR_CALL(ends.client.thread, RING_CALL, 0, ends.facet, SCENE_PARAMETERS, bytes,
					SCENE_RESULT, result_bytes);
		assert_int_equal(actor_status(&completion), STATUS_OVER_KERNEL_OBJECT);
		assert_unchanged();
	}
	machine_set_limit(account, LEDGER_KERNEL_OBJECT, used + need);
	(void)ACTOR_SUBMIT(ends.client.thread, RING_CALL, 0, ends.facet, SCENE_PARAMETERS, bytes, SCENE_RESULT,
			   result_bytes);
	endpoint_scene_assert_queues(1, 0, 0);
	assert_int_equal(account->ledger.of[LEDGER_KERNEL_OBJECT].used, used + need);
	assert_int_equal(ends.client.process->message_bytes, need);
	(void)endpoint_scene_call(ends.client.thread, ends.facet, 0, &nothing, 0); /* costs nothing */
	endpoint_scene_assert_queues(2, 0, 0);
	actor_assert_valid(&ends.client);
	assert_int_equal(endpoint_scene_serve(), 1);
	assert_int_equal(account->ledger.of[LEDGER_KERNEL_OBJECT].used, used + need);
	assert_int_equal(endpoint_scene_return(ends.owner.thread, ends.owned, 1, 0, 0, &nothing), STATUS_OK);
	assert_int_equal(account->ledger.of[LEDGER_KERNEL_OBJECT].used, used + need); /* until it is handed out */
	assert_int_equal(endpoint_scene_status(ends.client.thread), STATUS_OK);
	assert_int_equal(account->ledger.of[LEDGER_KERNEL_OBJECT].used, used);
	endpoint_scene_end();
}

static void test_message_limits(void **state)
{
	const uint64_t plain = sizeof(struct message), most = plain + ENDPOINT_MAX_BYTES;

	(void)state;
	limit_message(10, 0, plain + 10, 1);
	limit_message(0, HEADER, plain, 16);
	limit_message(0, HEADER + 1, plain + 1, 16);
	limit_message(10, HEADER + 9, plain + 10, 16);
	limit_message(10, HEADER + 11, plain + 11, 16);
	limit_message(1, SCENE_ROOM, most, 64);
	limit_message(ENDPOINT_MAX_BYTES, HEADER, most, 64);
	limit_message(ENDPOINT_MAX_BYTES, UINT64_MAX, most, 64); /* never more than comes back at most */
}

/* ---- receive buffers ---- */

/* A buffer that is bad or too small ends the RECEIVE; the call waits on, and the next receiver gets it. */
static void test_receive_buffers(void **state)
{
	const struct {
		uint64_t address, bytes;
		enum status status;
	} bad[] = {
		{ SCENE_RECEIVE, HEADER, STATUS_TOO_LONG },
		{ SCENE_RECEIVE, HEADER + 9, STATUS_TOO_LONG },
		{ ACTOR_READABLE, SCENE_ROOM, STATUS_BUFFER_FAULT },
		{ ACTOR_READABLE - HEADER - 9, SCENE_ROOM, STATUS_BUFFER_FAULT },
		{ ACTOR_NOTHING, SCENE_ROOM, STATUS_BUFFER_FAULT },
		{ USER_LIMIT, SCENE_ROOM, STATUS_NOT_USER_ADDRESS },
		{ UINT64_MAX - 3, SCENE_ROOM, STATUS_RANGE_WRAPS },
	};

	(void)state;
	for (uint32_t call_first = 0; call_first < 2; call_first++) {
		handle_t object;
		struct parcel parcel;

		endpoint_scene_begin();
		object = actor_make_object(&ends.client, 3);
		(void)actor_grant(&ends.owner, INTERFACE_TIMER, TRANSFER_COPY, NULL);
		parcel = one(object, TRANSFER_KIND_MOVE);
		if (call_first != 0)
			(void)endpoint_scene_call(ends.client.thread, ends.facet, 0, &parcel, 0);
		for (uint32_t i = 0; i < COUNT_OF(bad); i++)
			(void)ACTOR_SUBMIT(ends.owner.thread, RING_RECEIVE, 0, ends.owned, bad[i].address, bad[i].bytes,
					   TRANSFER_MAX);
		if (call_first == 0)
			(void)endpoint_scene_call(ends.client.thread, ends.facet, 0, &parcel, 0);
		for (uint32_t i = 0; i < COUNT_OF(bad); i++) {
			struct ring_completion completion;

			assert_int_equal(actor_take(ends.owner.thread, &completion), STATUS_OK);
			assert_int_equal(actor_status(&completion), bad[i].status);
		}
		endpoint_scene_assert_queues(1, 0, 0);
		endpoint_scene_assert_waits(ends.client.thread);
		assert_true(actor_has(&ends.client, object));
		actor_assert_valid(&ends.client);
		actor_assert_valid(&ends.owner);
		assert_int_equal(endpoint_scene_serve(), 1); /* no id was used up */
		assert_false(actor_has(&ends.client, object));
		endpoint_scene_end();
	}
}

/* No memory for a message: the call costs nothing, whichever promise of a frame is refused. */
static void test_message_without_memory(void **state)
{
	uint64_t refused = 0;
	enum status status;

	(void)state;
	endpoint_scene_begin();
	do {
		remember();
		(void)machine_refuse_promise(refused);
		(void)ACTOR_SUBMIT(ends.client.thread, RING_CALL, 0, ends.facet, SCENE_PARAMETERS, ENDPOINT_MAX_BYTES);
		(void)machine_refuse_promise(UINT64_MAX);
		if (ring_completed(ends.client.thread->ring) == 0)
			break;
		status = endpoint_scene_status(ends.client.thread);
		assert_int_equal(status, STATUS_OUT_OF_MEMORY);
		assert_unchanged();
		refused++;
	} while (refused < 8);
	assert_true(refused > 0);
	endpoint_scene_assert_queues(1, 0, 0);
	endpoint_scene_end();
}

/* A receiver whose buffer is bad pays nothing, not even a page for a table that is full. */
static void test_receive_buffer_comes_first(void **state)
{
	struct parcel parcel;
	handle_t object;

	(void)state;
	endpoint_scene_begin();
	object = actor_make_object(&ends.client, 3);
	while (ends.owner.process->caps.used < CAP_SLOTS_PER_PAGE)
		(void)actor_grant(&ends.owner, INTERFACE_TIMER, TRANSFER_COPY, NULL);
	parcel = one(object, TRANSFER_KIND_MOVE);
	(void)endpoint_scene_call(ends.client.thread, ends.facet, 0, &parcel, 0);
	remember();
	(void)ACTOR_SUBMIT(ends.owner.thread, RING_RECEIVE, 0, ends.owned, ACTOR_NOTHING, SCENE_ROOM, 1);
	assert_int_equal(endpoint_scene_status(ends.owner.thread), STATUS_BUFFER_FAULT);
	assert_unchanged();
	assert_int_equal(ends.owner.process->caps.pages, 1);
	assert_int_equal(endpoint_scene_serve(), 1);
	assert_int_equal(ends.owner.process->caps.pages, 2);
	endpoint_scene_end();
}

static void test_receive_arguments(void **state)
{
	struct ring_completion completion;

	(void)state;
	endpoint_scene_begin();
	remember();
	for (uint64_t bytes = 0; bytes < HEADER; bytes++) {
		completion = ACTOR_CALL(ends.owner.thread, RING_RECEIVE, 0, ends.owned, SCENE_RECEIVE, bytes);
		assert_int_equal(actor_status(&completion), STATUS_TOO_LONG);
	}
	for (uint32_t i = 0; i < 2; i++) {
		completion = ACTOR_CALL(ends.owner.thread, RING_RECEIVE, 0, ends.owned, SCENE_RECEIVE, SCENE_ROOM,
					i == 0 ? TRANSFER_MAX + 1 : UINT64_C(1) << 32);
		assert_int_equal(actor_status(&completion), STATUS_BAD_ARGUMENT);
	}
	completion = ACTOR_CALL(ends.client.thread, RING_RECEIVE, 0, ends.facet, SCENE_RECEIVE, SCENE_ROOM);
	assert_int_equal(actor_status(&completion), STATUS_WRONG_INTERFACE);
	completion = ACTOR_CALL(ends.client.thread, RING_RETURN, 0, ends.facet, 1, 0);
	assert_int_equal(actor_status(&completion), STATUS_WRONG_INTERFACE);
	assert_unchanged();
	endpoint_scene_assert_queues(0, 0, 0);
	endpoint_scene_end();
}

/* ---- capabilities of a call ---- */

/* More than the receive takes: the call is over, nothing has changed on either side, and the receive waits on. */
static void accept(uint32_t accepts, uint32_t sends, bool call_first)
{
	struct parcel parcel = { junk, 10, { { HANDLE_NONE, TRANSFER_KIND_MOVE } }, sends };
	struct ring_completion completion;

	endpoint_scene_begin();
	for (uint32_t i = 0; i < sends; i++)
		parcel.capability[i] =
			(struct transfer_descriptor){ actor_make_object(&ends.client, 2), TRANSFER_KIND_MOVE };
	remember();
	if (call_first)
		(void)endpoint_scene_call(ends.client.thread, ends.facet, 1, &parcel, 0);
	(void)ACTOR_SUBMIT(ends.owner.thread, RING_RECEIVE, 0, ends.owned, SCENE_RECEIVE, SCENE_ROOM, accepts);
	if (!call_first)
		(void)endpoint_scene_call(ends.client.thread, ends.facet, 1, &parcel, 0);
	if (sends > accepts) {
		endpoint_scene_assert_waits(ends.owner.thread);
		assert_int_equal(endpoint_scene_status(ends.client.thread), STATUS_NOT_ACCEPTED);
		assert_true(task_snapshot_holds(&owner_before, ends.owner.process));
		for (uint32_t i = 0; i < sends; i++)
			assert_true(actor_has(&ends.client, parcel.capability[i].capability));
		endpoint_scene_assert_queues(0, 1, 0);
		parcel.capabilities = accepts;
		(void)endpoint_scene_call(ends.client.thread, ends.facet, 1, &parcel, 0);
	}
	completion = endpoint_scene_completion(ends.owner.thread);
	assert_int_equal(completion.result, 0);
	assert_int_equal(endpoint_scene_read(&ends.owner, SCENE_RECEIVE).header.capabilities, parcel.capabilities);
	endpoint_scene_assert_queues(0, 0, 1);
	endpoint_scene_end();
}

static void test_accepted_capabilities(void **state)
{
	(void)state;
	for (uint32_t accepts = 0; accepts <= TRANSFER_MAX; accepts++)
		for (uint32_t sends = 0; sends <= TRANSFER_MAX; sends++)
			for (uint32_t call_first = 0; call_first < 2; call_first++)
				accept(accepts, sends, call_first != 0);
}

/* A call whose transfer is refused is over; the receiver waits on, or gets the next one. */
static void refuse_transfer(const struct parcel *parcel, enum status expected, bool call_first)
{
	struct ring_completion completion;

	if (call_first)
		(void)endpoint_scene_call(ends.client.thread, ends.facet, 1, parcel, 0);
	endpoint_scene_assert_queues(call_first, 0, 0);
	(void)endpoint_scene_receive(ends.owner.thread, ends.owned, SCENE_ROOM);
	if (!call_first)
		(void)endpoint_scene_call(ends.client.thread, ends.facet, 1, parcel, 0);
	endpoint_scene_assert_waits(ends.owner.thread);
	assert_int_equal(endpoint_scene_status(ends.client.thread), expected);
	endpoint_scene_assert_queues(0, 1, 0);
	actor_assert_valid(&ends.client);
	actor_assert_valid(&ends.owner);
	(void)endpoint_scene_call(ends.client.thread, ends.facet, 2, &nothing, 0);
	completion = endpoint_scene_completion(ends.owner.thread);
	assert_int_equal(endpoint_scene_read(&ends.owner, SCENE_RECEIVE).header.method, 2);
	assert_int_equal(endpoint_scene_return(ends.owner.thread, ends.owned, completion.value, 0, 0, &nothing),
			 STATUS_OK);
	assert_int_equal(endpoint_scene_status(ends.client.thread), STATUS_OK);
}

static void test_call_transfer(void **state)
{
	struct account *account;
	struct parcel parcel;
	handle_t object, bound;

	(void)state;
	endpoint_scene_begin();
	object = actor_make_object(&ends.client, 3);
	bound = actor_grant(&ends.client, INTERFACE_VIRTUAL_MEMORY, TRANSFER_NONE, &ends.client.process->space);
	for (uint32_t call_first = 0; call_first < 2; call_first++) {
		parcel = one(object + 0x10000, TRANSFER_KIND_COPY);
		refuse_transfer(&parcel, STATUS_NO_SUCH_CAPABILITY, call_first != 0);
		parcel = one(bound, TRANSFER_KIND_MOVE);
		refuse_transfer(&parcel, STATUS_NOT_TRANSFERABLE, call_first != 0);
		account = &ends.owner.process->account;
		machine_set_limit(account, LEDGER_FRAME_GRANT, account->ledger.of[LEDGER_FRAME_GRANT].used + 2);
		parcel = one(object, TRANSFER_KIND_MOVE);
		refuse_transfer(&parcel, STATUS_RECEIVER_LIMIT, call_first != 0);
		machine_set_limit(account, LEDGER_FRAME_GRANT, TASK_MACHINE_PLENTY);
		(void)machine_refuse_promise(UINT64_MAX);
	}
	assert_true(actor_has(&ends.client, object));
	endpoint_scene_end();
}

/* ---- returns ---- */

static void test_return_ids(void **state)
{
	uint64_t id;

	(void)state;
	endpoint_scene_begin();
	(void)endpoint_scene_call(ends.client.thread, ends.facet, 0, &nothing, 0);
	for (uint64_t wrong = 0; wrong < 3; wrong++) /* none was received yet */
		assert_int_equal(endpoint_scene_return(ends.owner.thread, ends.owned, wrong, 0, 0, &nothing),
				 STATUS_NOT_FOUND);
	id = endpoint_scene_serve();
	assert_int_equal(id, 1);
	assert_int_equal(endpoint_scene_return(ends.owner.thread, ends.owned, 0, 0, 0, &nothing), STATUS_NOT_FOUND);
	assert_int_equal(endpoint_scene_return(ends.owner.thread, ends.owned, 2, 0, 0, &nothing), STATUS_NOT_FOUND);
	assert_int_equal(endpoint_scene_return(ends.owner.thread, ends.owned, UINT64_MAX, 0, 0, &nothing),
			 STATUS_NOT_FOUND);
	assert_int_equal(endpoint_scene_return(ends.owner.thread, ends.owned, id, 0, 0, &nothing), STATUS_OK);
	assert_int_equal(endpoint_scene_return(ends.owner.thread, ends.owned, id, 0, 0, &nothing), STATUS_GONE);
	endpoint_scene_end();
}

/* A refused RETURN changes nothing: the call is still being served, and can be answered. */
static void refuse_return(const uint64_t argument[6], enum status expected)
{
	struct ring_completion completion;

	remember();
	completion = actor_call(ends.owner.thread, actor_first(RING_RETURN, 0, ends.owned), argument);
	assert_int_equal(actor_status(&completion), expected);
	assert_unchanged();
	endpoint_scene_assert_queues(0, 0, 1);
}

static void test_return_arguments(void **state)
{
	const uint64_t here = SCENE_PARAMETERS, table = SCENE_DESCRIPTORS, answer = UINT64_C(1) << 32;
	const struct transfer_descriptor bad_kind = { 1, 0 };

	(void)state;
	for (uint32_t has_buffer = 0; has_buffer < 2; has_buffer++) {
		const uint64_t room = has_buffer != 0 ? 20 : 0;

		endpoint_scene_begin();
		(void)endpoint_scene_call(ends.client.thread, ends.facet, 0, &nothing,
					  has_buffer != 0 ? HEADER + room : 0);
		assert_int_equal(endpoint_scene_serve(), 1);
		actor_write(&ends.owner, SCENE_DESCRIPTORS, &bad_kind, sizeof(bad_kind));
		refuse_return((uint64_t[6]){ 1, 0, here, ENDPOINT_MAX_BYTES + 1, table, 0 }, STATUS_TOO_LONG);
		refuse_return((uint64_t[6]){ 1, 0, here, 0, table, TRANSFER_MAX + 1 }, STATUS_TOO_LONG);
		refuse_return((uint64_t[6]){ 1, 0, here, 0, table, UINT32_MAX - TRANSFER_MAX }, STATUS_TOO_LONG);
		refuse_return((uint64_t[6]){ 1, 0, here, room + 1, table, 0 }, STATUS_TOO_LONG);
		refuse_return((uint64_t[6]){ 1, 0, here, 0, table, (uint64_t)ENDPOINT_MAX_ANSWER * answer + answer },
			      STATUS_BAD_ARGUMENT);
		refuse_return((uint64_t[6]){ 1, 0, here, 0, table, UINT64_C(0xffffffff) << 32 }, STATUS_BAD_ARGUMENT);
		refuse_return((uint64_t[6]){ 1, 0, ACTOR_NOTHING, 1, table, 0 }, STATUS_BUFFER_FAULT);
		refuse_return((uint64_t[6]){ 1, 0, here, 0, ACTOR_NOTHING, 1 }, STATUS_BUFFER_FAULT);
		refuse_return((uint64_t[6]){ 1, 0, here, 0, table, 1 }, STATUS_BAD_ARGUMENT);
		endpoint_scene_assert_waits(ends.client.thread);
		assert_int_equal(
			endpoint_scene_return(ends.owner.thread, ends.owned, 1, ENDPOINT_MAX_ANSWER, 0, &nothing),
			STATUS_OK);
		assert_int_equal(endpoint_scene_completion(ends.client.thread).result, ENDPOINT_MAX_ANSWER);
		endpoint_scene_end();
	}
}

/* Without a result buffer the completion has room for one capability. */
static void test_return_without_buffer(void **state)
{
	struct ring_completion completion;
	struct parcel parcel = { .count = 0, .capabilities = 1 };

	(void)state;
	endpoint_scene_begin();
	parcel.capability[0] = (struct transfer_descriptor){ actor_make_object(&ends.owner, 1), TRANSFER_KIND_MOVE };
	(void)endpoint_scene_call(ends.client.thread, ends.facet, 0, &nothing, 0);
	(void)endpoint_scene_serve();
	assert_int_equal(endpoint_scene_return(ends.owner.thread, ends.owned, 1, 0, 0, &parcel), STATUS_OK);
	completion = endpoint_scene_completion(ends.client.thread);
	assert_int_equal(completion.flags, COMPLETION_HAS_CAPABILITY);
	assert_int_equal(completion.interface, INTERFACE_MEMORY_OBJECT);
	assert_true(actor_has(&ends.client, completion.capability));
	assert_false(actor_has(&ends.owner, parcel.capability[0].capability));
	endpoint_scene_end();
}

static void test_return_transfer(void **state)
{
	struct account *account;
	struct parcel parcel;
	handle_t object;

	(void)state;
	endpoint_scene_begin();
	object = actor_make_object(&ends.owner, 5);
	(void)endpoint_scene_call(ends.client.thread, ends.facet, 0, &nothing, SCENE_ROOM);
	(void)endpoint_scene_serve();
	account = &ends.client.process->account;
	machine_set_limit(account, LEDGER_FRAME_GRANT, account->ledger.of[LEDGER_FRAME_GRANT].used + 4);
	parcel = one(object, TRANSFER_KIND_COPY);
	task_snapshot_take(&client_before, ends.client.process);
	assert_int_equal(endpoint_scene_return(ends.owner.thread, ends.owned, 1, 0, 0, &parcel), STATUS_RECEIVER_LIMIT);
	parcel = one(object + 0x10000, TRANSFER_KIND_MOVE);
	assert_int_equal(endpoint_scene_return(ends.owner.thread, ends.owned, 1, 0, 0, &parcel),
			 STATUS_NO_SUCH_CAPABILITY);
	assert_true(task_snapshot_holds(&client_before, ends.client.process));
	assert_true(actor_has(&ends.owner, object));
	endpoint_scene_assert_queues(0, 0, 1);
	endpoint_scene_assert_waits(ends.client.thread);
	machine_set_limit(account, LEDGER_FRAME_GRANT, account->ledger.of[LEDGER_FRAME_GRANT].used + 5);
	parcel = one(object, TRANSFER_KIND_COPY);
	assert_int_equal(endpoint_scene_return(ends.owner.thread, ends.owned, 1, 0, 0, &parcel), STATUS_OK);
	assert_true(actor_has(&ends.client, endpoint_scene_completion(ends.client.thread).capability));
	actor_assert_valid(&ends.client);
	actor_assert_valid(&ends.owner);
	endpoint_scene_end();
}

/* ---- several capabilities ---- */

/* As many as a message takes, each kind of transfer, in both directions; records in the order in which they were sent.
 */
static void test_capabilities(void **state)
{
	struct parcel parcel = { .bytes = junk, .count = 3, .capabilities = TRANSFER_MAX };
	struct message_read received;
	struct ring_completion completion;

	(void)state;
	endpoint_scene_begin();
	for (uint32_t i = 0; i < TRANSFER_MAX; i++)
		parcel.capability[i] =
			(struct transfer_descriptor){ actor_make_object(&ends.client, 1 + i),
						      i % 2 == 0 ? TRANSFER_KIND_COPY : TRANSFER_KIND_MOVE };
	(void)endpoint_scene_call(ends.client.thread, ends.facet, 0, &parcel, SCENE_ROOM);
	(void)endpoint_scene_receive(ends.owner.thread, ends.owned, SCENE_ROOM);
	completion = endpoint_scene_completion(ends.owner.thread);
	received = endpoint_scene_read(&ends.owner, SCENE_RECEIVE);
	assert_int_equal(received.header.capabilities, TRANSFER_MAX);
	assert_int_equal(completion.flags, COMPLETION_HAS_CAPABILITY);
	assert_int_equal(completion.capability, received.header.capability[0].capability);
	for (uint32_t i = 0; i < TRANSFER_MAX; i++) {
		const struct memory_object *object =
			actor_object(&ends.owner, received.header.capability[i].capability);

		assert_int_equal(object->pages, 1 + i);
		assert_int_equal(received.header.capability[i].interface, INTERFACE_MEMORY_OBJECT);
		assert_int_equal(actor_has(&ends.client, parcel.capability[i].capability), i % 2 == 0);
		parcel.capability[i] =
			(struct transfer_descriptor){ received.header.capability[i].capability, TRANSFER_KIND_MOVE };
	}
	assert_int_equal(endpoint_scene_return(ends.owner.thread, ends.owned, completion.value, 0, 0, &parcel),
			 STATUS_OK);
	completion = endpoint_scene_completion(ends.client.thread);
	received = endpoint_scene_read(&ends.client, SCENE_RESULT);
	assert_int_equal(completion.capability, received.header.capability[0].capability);
	for (uint32_t i = 0; i < TRANSFER_MAX; i++) {
		const struct memory_object *object =
			actor_object(&ends.client, received.header.capability[i].capability);

		assert_int_equal(object->pages, 1 + i);
		assert_int_equal(object->holds, i % 2 == 0 ? 2 : 1);
	}
	actor_assert_valid(&ends.client);
	actor_assert_valid(&ends.owner);
	endpoint_scene_end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_call_arguments),
		cmocka_unit_test(test_call_accepts),
		cmocka_unit_test(test_descriptor_kinds),
		cmocka_unit_test(test_message_limits),
		cmocka_unit_test(test_receive_buffers),
		cmocka_unit_test(test_receive_arguments),
		cmocka_unit_test(test_receive_buffer_comes_first),
		cmocka_unit_test(test_message_without_memory),
		cmocka_unit_test(test_accepted_capabilities),
		cmocka_unit_test(test_call_transfer),
		cmocka_unit_test(test_return_ids),
		cmocka_unit_test(test_return_arguments),
		cmocka_unit_test(test_return_without_buffer),
		cmocka_unit_test(test_return_transfer),
		cmocka_unit_test(test_capabilities),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
