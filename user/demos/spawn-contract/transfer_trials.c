#include "user/demos/spawn-contract/transfer_trials.h"

#include <stddef.h>

#include "lib/check.h"
#include "lib/string.h"
#include "user/demos/spawn-contract/holder.h"
#include "user/runtime/open_operation.h"
#include "user/testing/trial.h"

#define PAGES 7u
#define TOO_MANY_PAGES 600u /* more than a holder may hold */

/* Both sides' ledgers at one moment. */
struct both {
	struct memory_statistics here, there;
};

static struct both read_both(const struct holder *holder)
{
	struct both both;

	both.there = holder_ledgers(holder);
	both.here = trial_statistics();
	return both;
}

/* Since `before` each side's slots and frame grant have grown by that much. */
static void expect_growth(const struct holder *holder, const struct both *before, const int64_t here[2],
			  const int64_t there[2])
{
	static const enum ledger_kind kind[] = { LEDGER_CAP_SLOTS, LEDGER_FRAME_GRANT };
	const struct both after = read_both(holder);

	for (uint32_t i = 0; i < 2; i++) {
		EXPECT_EQUAL(after.here.ledger[kind[i]].used, before->here.ledger[kind[i]].used + (uint64_t)here[i]);
		EXPECT_EQUAL(after.there.ledger[kind[i]].used, before->there.ledger[kind[i]].used + (uint64_t)there[i]);
	}
	/* What an object costs in bytes is the same on either side, and nothing else is left of a call. */
	const uint64_t grown =
		after.there.ledger[LEDGER_KERNEL_OBJECT].used - before->there.ledger[LEDGER_KERNEL_OBJECT].used;

	EXPECT((grown != 0) == (there[1] != 0));
}

static void expect_holds(struct memory_object_client object, uint32_t holds)
{
	struct memory_object_info info;

	EXPECT_OK(memory_object_client_info(object, &info));
	EXPECT_EQUAL(info.holds, holds);
}

static void copy_and_copy_back(void)
{
	static const int64_t none[2] = { 0, 0 }, one[2] = { 1, PAGES };
	struct memory_object_client object, back;
	struct transfer_descriptor descriptor = { .kind = TRANSFER_KIND_COPY };
	struct endpoint_reply reply;
	struct holder holder;

	holder_start(&holder);
	EXPECT_OK(trial_object(PAGES, &object));
	struct both before = read_both(&holder);

	descriptor.capability = object.handle;
	EXPECT_OK(holder_call(&holder, HOLDER_KEEP, &descriptor, 1, &reply));
	EXPECT_EQUAL(reply.value, 1);
	expect_holds(object, 2);
	expect_growth(&holder, &before, none, one);
	EXPECT_OK(holder_call(&holder, HOLDER_RETURN_COPIED, NULL, 0, &reply));
	EXPECT(reply.capability.interface == INTERFACE_MEMORY_OBJECT && reply.capability.capability != object.handle);
	EXPECT_EQUAL(holder_result.message.capabilities, 1);
	EXPECT_EQUAL(holder_result.message.capability[0].capability, reply.capability.capability);
	back.handle = reply.capability.capability;
	expect_holds(back, 3);
	expect_growth(&holder, &before, one, one);
	EXPECT_OK(ring_client_release(back.handle));
	EXPECT_OK(holder_call(&holder, HOLDER_RELEASE, NULL, 0, &reply));
	expect_growth(&holder, &before, none, none);
	EXPECT_OK(ring_client_release(object.handle));
	holder_stop(&holder);
}

static void move_and_move_back(void)
{
	static const int64_t none[2] = { 0, 0 }, gone[2] = { -1, -(int64_t)PAGES }, one[2] = { 1, PAGES };
	struct transfer_descriptor descriptor = { .kind = TRANSFER_KIND_MOVE };
	struct memory_object_client object;
	struct memory_object_info info;
	struct endpoint_reply reply;
	struct holder holder;
	void *mapping;

	holder_start(&holder);
	EXPECT_OK(trial_object(PAGES, &object));
	EXPECT_OK(trial_map_object(object, PAGES, TRIAL_READ_WRITE, &mapping));
	memset(mapping, 0x3c, TRIAL_BYTES(PAGES));
	EXPECT_OK(memory_object_client_unmap(object, mapping, TRIAL_BYTES(PAGES)));
	struct both before = read_both(&holder);

	descriptor.capability = object.handle;
	EXPECT_OK(holder_call(&holder, HOLDER_KEEP, &descriptor, 1, &reply));
	EXPECT_STATUS(memory_object_client_info(object, &info), STATUS_NO_SUCH_CAPABILITY);
	expect_growth(&holder, &before, gone, one);
	EXPECT_OK(holder_call(&holder, HOLDER_RETURN_MOVED, NULL, 0, &reply));
	expect_growth(&holder, &before, none, none);
	EXPECT(reply.capability.capability != object.handle);
	object.handle = reply.capability.capability;
	expect_holds(object, 1);
	EXPECT_OK(trial_map_object(object, PAGES, PROTECTION_READ, &mapping));
	EXPECT(((const uint8_t *)mapping)[0] == 0x3c && ((const uint8_t *)mapping)[TRIAL_BYTES(PAGES) - 1] == 0x3c);
	EXPECT_OK(memory_object_client_unmap(object, mapping, TRIAL_BYTES(PAGES)));
	EXPECT_OK(ring_client_release(object.handle));
	holder_stop(&holder);
}

static void four_at_once(void)
{
	static const int64_t here[2] = { -2, -(1 + 3) }, there[2] = { 4, 1 + 2 + 3 + 4 }, none[2] = { 0, 0 };
	struct transfer_descriptor descriptor[TRANSFER_MAX];
	struct memory_object_client object[TRANSFER_MAX];
	struct endpoint_reply reply;
	struct holder holder;

	holder_start(&holder);
	for (uint32_t i = 0; i < TRANSFER_MAX; i++) {
		EXPECT_OK(trial_object(i + 1, &object[i]));
		descriptor[i].capability = object[i].handle;
		descriptor[i].kind = i % 2 == 0 ? TRANSFER_KIND_MOVE : TRANSFER_KIND_COPY;
	}
	struct both before = read_both(&holder);

	EXPECT_OK(holder_call(&holder, HOLDER_KEEP, descriptor, TRANSFER_MAX, &reply));
	EXPECT_EQUAL(reply.value, TRANSFER_MAX);
	expect_growth(&holder, &before, here, there);
	EXPECT_OK(holder_call(&holder, HOLDER_RELEASE, NULL, 0, &reply));
	for (uint32_t i = 1; i < TRANSFER_MAX; i += 2)
		EXPECT_OK(ring_client_release(object[i].handle));
	before.here.ledger[LEDGER_CAP_SLOTS].used -= 4;
	before.here.ledger[LEDGER_FRAME_GRANT].used -= 10;
	expect_growth(&holder, &before, none, none);
	holder_stop(&holder);
}

/* ---- refused: nothing has moved on either side ---- */

static void expect_refused(const struct holder *holder, const struct transfer_descriptor *descriptor, uint32_t count,
			   enum status wanted)
{
	static const int64_t none[2] = { 0, 0 };
	struct both before = read_both(holder);
	struct endpoint_reply reply;

	EXPECT_STATUS(holder_call(holder, HOLDER_KEEP, descriptor, count, &reply), wanted);
	expect_growth(holder, &before, none, none);
}

static void what_may_not_travel(void)
{
	const handle_t bound[] = { trial.memory.handle, trial.threads.handle, trial.park.handle };
	struct holder holder;

	holder_start(&holder);
	for (uint32_t i = 0; i < COUNT_OF(bound); i++) {
		const struct transfer_descriptor copy = { bound[i], TRANSFER_KIND_COPY };
		const struct transfer_descriptor move = { bound[i], TRANSFER_KIND_MOVE };

		expect_refused(&holder, &copy, 1, STATUS_NOT_TRANSFERABLE);
		expect_refused(&holder, &move, 1, STATUS_NOT_TRANSFERABLE);
	}
	const struct transfer_descriptor handle = { holder.process.handle, TRANSFER_KIND_MOVE };

	expect_refused(&holder, &handle, 1, STATUS_NOT_TRANSFERABLE);
	holder_stop(&holder);
}

/* The last of several is bad: those before it stay, moves among them. */
static void all_or_nothing(void)
{
	struct transfer_descriptor descriptor[TRANSFER_MAX];
	struct memory_object_client object, stale;
	struct holder holder;

	holder_start(&holder);
	EXPECT_OK(trial_object(2, &object));
	EXPECT_OK(trial_object(1, &stale));
	EXPECT_OK(ring_client_release(stale.handle));
	descriptor[0] = (struct transfer_descriptor){ object.handle, TRANSFER_KIND_MOVE };
	descriptor[1] = (struct transfer_descriptor){ trial.console.handle, TRANSFER_KIND_COPY };
	descriptor[2] = (struct transfer_descriptor){ stale.handle, TRANSFER_KIND_COPY };
	expect_refused(&holder, descriptor, 3, STATUS_NO_SUCH_CAPABILITY);
	descriptor[2].kind = TRANSFER_KIND_MOVE;
	expect_refused(&holder, descriptor, 3, STATUS_NO_SUCH_CAPABILITY);
	descriptor[2] = descriptor[0]; /* moved twice */
	expect_refused(&holder, descriptor, 3, STATUS_NO_SUCH_CAPABILITY);
	descriptor[2] = (struct transfer_descriptor){ trial.memory.handle, TRANSFER_KIND_MOVE };
	expect_refused(&holder, descriptor, 3, STATUS_NOT_TRANSFERABLE);
	expect_holds(object, 1);
	EXPECT_OK(ring_client_release(object.handle));
	holder_stop(&holder);
}

static void receiver_has_no_room(void)
{
	struct transfer_descriptor descriptor[2];
	struct memory_object_client small, large;
	struct holder holder;

	holder_start(&holder);
	EXPECT_OK(trial_object(1, &small));
	EXPECT_OK(trial_object(TOO_MANY_PAGES, &large));
	for (uint32_t kind = TRANSFER_KIND_COPY; kind <= TRANSFER_KIND_MOVE; kind++) {
		descriptor[0] = (struct transfer_descriptor){ small.handle, kind };
		descriptor[1] = (struct transfer_descriptor){ large.handle, kind };
		expect_refused(&holder, descriptor, 2, STATUS_RECEIVER_LIMIT);
		expect_holds(small, 1);
		expect_holds(large, 1);
	}
	EXPECT_OK(ring_client_release(small.handle));
	EXPECT_OK(ring_client_release(large.handle));
	holder_stop(&holder);
}

/* Our own grant is used up but for less than what comes back: the holder is told, and keeps it. */
static void caller_has_no_room(void)
{
	const struct transfer_descriptor *nothing = NULL;
	struct transfer_descriptor descriptor = { .kind = TRANSFER_KIND_MOVE };
	struct memory_object_client object, filler[64];
	struct memory_statistics statistics;
	struct endpoint_reply reply;
	struct holder holder;
	uint32_t fillers = 0;
	enum status status = STATUS_OK;

	holder_start(&holder);
	EXPECT_OK(trial_object(PAGES, &object));
	descriptor.capability = object.handle;
	EXPECT_OK(holder_call(&holder, HOLDER_KEEP, &descriptor, 1, &reply));
	/* The same frames again and again: only the grant runs out. */
	statistics = trial_statistics();
	EXPECT_OK(trial_object(
		(statistics.ledger[LEDGER_FRAME_GRANT].limit - statistics.ledger[LEDGER_FRAME_GRANT].used) / 32 + 1,
		&filler[fillers++]));
	const uint64_t pages = memory_object_client_restrict(
		filler[0], &(struct memory_object_part){ .length = PAGE_SIZE }, &filler[fillers]);

	EXPECT_EQUAL(pages, STATUS_OK);
	for (fillers++; fillers < COUNT_OF(filler) && status == STATUS_OK; fillers += status == STATUS_OK)
		status = memory_object_client_restrict(filler[0], &(struct memory_object_part){ .length = PAGE_SIZE },
						       &filler[fillers]);
	EXPECT_STATUS(status, STATUS_OVER_FRAME_GRANT);
	statistics = trial_statistics();
	const uint64_t left = statistics.ledger[LEDGER_FRAME_GRANT].limit - statistics.ledger[LEDGER_FRAME_GRANT].used;
	void *rest = NULL;

	if (left >= PAGES)
		EXPECT_OK(trial_map(left - PAGES + 1, &rest));
	EXPECT_OK(holder_call(&holder, HOLDER_RETURN_MOVED, nothing, 0, &reply));
	EXPECT_EQUAL(reply.answer, STATUS_RECEIVER_LIMIT);
	EXPECT_EQUAL(reply.capability.capability, HANDLE_NONE);
	if (left >= PAGES)
		EXPECT_OK(trial_unmap(rest, left - PAGES + 1));
	while (fillers > 0)
		EXPECT_OK(ring_client_release(filler[--fillers].handle));
	EXPECT_OK(holder_call(&holder, HOLDER_RETURN_MOVED, nothing, 0, &reply));
	EXPECT_OK(ring_client_release(reply.capability.capability));
	holder_stop(&holder);
}

/* ---- endpoints that travel ---- */

static void facets_travel_as_their_maker_says(void)
{
	struct endpoint_client endpoint;
	struct endpoint_facet bound, free_one;
	struct transfer_descriptor descriptor;
	struct endpoint_reply reply;
	struct holder holder;

	holder_start(&holder);
	EXPECT_OK(endpoint_client_create(trial.endpoints, &endpoint));
	EXPECT_OK(endpoint_client_make_client(endpoint, 1, false, &bound));
	EXPECT_OK(endpoint_client_make_client(endpoint, 2, true, &free_one));
	descriptor = (struct transfer_descriptor){ bound.handle, TRANSFER_KIND_COPY };
	expect_refused(&holder, &descriptor, 1, STATUS_NOT_TRANSFERABLE);
	descriptor.kind = TRANSFER_KIND_MOVE;
	EXPECT_OK(holder_call(&holder, HOLDER_KEEP, &descriptor, 1, &reply));
	EXPECT_STATUS(ring_client_release(bound.handle), STATUS_NO_SUCH_CAPABILITY);
	descriptor = (struct transfer_descriptor){ free_one.handle, TRANSFER_KIND_COPY };
	EXPECT_OK(holder_call(&holder, HOLDER_KEEP, &descriptor, 1, &reply));
	/* The badge travels with it, and the endpoint's end is the end of both. */
	EXPECT_OK(ring_client_release(endpoint.handle));
	EXPECT_OK(holder_call(&holder, HOLDER_TRY_CALL, NULL, 0, &reply));
	EXPECT_EQUAL(reply.answer, STATUS_GONE);
	EXPECT_OK(ring_client_release(free_one.handle));
	EXPECT_OK(holder_call(&holder, HOLDER_RELEASE, NULL, 0, &reply));
	holder_stop(&holder);
}

/* Released between CALL and RECEIVE: the sender did not hold it when both sides were known. */
static void released_before_it_is_received(void)
{
	struct endpoint_client endpoint;
	struct endpoint_facet facet;
	struct endpoint_buffer buffer;
	struct memory_object_client object;
	struct transfer_descriptor descriptor = { .kind = TRANSFER_KIND_MOVE };
	struct endpoint_request request = { .transfer = &descriptor, .transfers = 1 };
	struct ring_completion completion;

	EXPECT_OK(endpoint_client_create(trial.endpoints, &endpoint));
	EXPECT_OK(endpoint_client_make_client(endpoint, 0, true, &facet));
	EXPECT_OK(trial_object(3, &object));
	descriptor.capability = object.handle;
	EXPECT_OK(endpoint_client_call_submit(facet, &request, 1));
	EXPECT_OK(ring_client_release(object.handle));
	EXPECT_OK(endpoint_client_receive_submit(endpoint, (struct endpoint_intake){ &buffer, sizeof(buffer), 1 }, 2));
	EXPECT_OK(open_operation_wait(1, TRIAL_MS(5000), &completion));
	EXPECT_STATUS(ring_client_status(&completion), STATUS_NO_SUCH_CAPABILITY);
	EXPECT_OK(ring_client_release(endpoint.handle));
	EXPECT_OK(open_operation_wait(2, TRIAL_MS(5000), &completion));
	EXPECT_STATUS(ring_client_status(&completion), STATUS_GONE);
	EXPECT_OK(ring_client_release(facet.handle));
}

/* An endpoint that travels through itself, and the last owner that is moved away. */
static void owner_through_itself(void)
{
	struct transfer_descriptor descriptor = { .kind = TRANSFER_KIND_MOVE };
	struct endpoint_request request = { .transfer = &descriptor, .transfers = 1 };
	struct endpoint_client endpoint;
	struct endpoint_facet facet;
	struct endpoint_buffer buffer;
	struct ring_completion completion;

	EXPECT_OK(endpoint_client_create(trial.endpoints, &endpoint));
	EXPECT_OK(endpoint_client_make_client(endpoint, 0, true, &facet));
	descriptor.capability = endpoint.handle;
	EXPECT_OK(endpoint_client_call_submit(facet, &request, 1));
	EXPECT_OK(endpoint_client_receive(endpoint, (struct endpoint_intake){ &buffer, sizeof(buffer), 1 }));
	EXPECT_EQUAL(buffer.message.capabilities, 1);
	EXPECT_EQUAL(buffer.message.capability[0].interface, INTERFACE_ENDPOINT);
	EXPECT_STATUS(ring_client_release(endpoint.handle), STATUS_NO_SUCH_CAPABILITY);
	endpoint.handle = buffer.message.capability[0].capability;
	EXPECT_OK(ring_client_release(endpoint.handle));
	EXPECT_OK(open_operation_wait(1, TRIAL_MS(5000), &completion));
	EXPECT_STATUS(ring_client_status(&completion), STATUS_GONE);
	EXPECT_OK(ring_client_release(facet.handle));
}

void transfer_trials_check(void)
{
	static const struct trial_case cases[] = {
		{ "copy-and-copy-back", copy_and_copy_back },
		{ "move-and-move-back", move_and_move_back },
		{ "four-at-once", four_at_once },
		{ "what-may-not-travel", what_may_not_travel },
		{ "all-or-nothing", all_or_nothing },
		{ "receiver-has-no-room", receiver_has_no_room },
		{ "caller-has-no-room", caller_has_no_room },
		{ "facets-travel-as-their-maker-says", facets_travel_as_their_maker_says },
		{ "released-before-it-is-received", released_before_it_is_received },
		{ "owner-through-itself", owner_through_itself },
	};

	trial_check(cases, COUNT_OF(cases));
}
