#include "lib/check.h"
#include "lib/string.h"
#include "user/demos/stress/stress.h"
#include "user/runtime/capset_client.h"
#include "user/runtime/mutex.h"
#include "user/runtime/open_operation.h"
#include "user/runtime/print.h"
#include "user/runtime/user_thread.h"
#include "user/testing/trial.h"
#include "user/testing/trial_child.h"

#define RANGES 8u /* of anonymous memory, shared by the threads of a worker */
#define OBJECTS 6u
#define RANGE_PAGES 6u
#define MAPPING_PAGES 2u
#define FACETS 3u

/* One thread's own. */
struct hand {
	uint64_t seed;
	uint32_t index;
};

/* The threads of a worker get into each other's way: what one unmaps another may be using. */
static struct {
	struct stress_figures *figures;
	struct endpoint_client endpoint;
	struct endpoint_facet facet[FACETS];
	void *range[RANGES];      /* atomic; NULL: none */
	handle_t object[OBJECTS]; /* atomic; HANDLE_NONE: none */
	uint32_t word;            /* to park on */
} own;

static uint64_t next_random(struct hand *hand)
{
	hand->seed ^= hand->seed << 13;
	hand->seed ^= hand->seed >> 7;
	hand->seed ^= hand->seed << 17;
	return hand->seed;
}

static void count(uint64_t *figure)
{
	__atomic_fetch_add(figure, 1, __ATOMIC_RELAXED);
}

static void surprise(const char *what, enum status status)
{
	count(&own.figures->surprises);
	print("stress: %s gives %s\n", what, status_name(status));
}

/* What ran out, or what another thread has done to it meanwhile. */
static bool is_usual(enum status status)
{
	return status == STATUS_OK || (status >= STATUS_OUT_OF_MEMORY && status <= STATUS_OVER_KERNEL_OBJECT) ||
	       status == STATUS_NOT_RESERVED || status == STATUS_NOT_COMMITTED || status == STATUS_NO_SUCH_CAPABILITY ||
	       status == STATUS_RECEIVER_LIMIT || status == STATUS_GONE || status == STATUS_BUSY ||
	       status == STATUS_BEYOND_OBJECT || status == STATUS_NOT_PERMITTED || status == STATUS_NOT_ACCEPTED;
}

static void expect_usual(const char *what, enum status status)
{
	if (!is_usual(status))
		surprise(what, status);
}

/* ---- memory ---- */

static void make_range(struct hand *hand)
{
	void **place = &own.range[next_random(hand) % RANGES], *none = NULL, *range;
	const uint64_t length = TRIAL_BYTES(RANGE_PAGES);
	const enum status status = next_random(hand) % 2 == 0
					   ? trial_map(RANGE_PAGES, &range)
					   : virtual_memory_client_reserve(trial.memory, NULL, length, 0, &range);

	expect_usual("map", status);
	if (status == STATUS_OK &&
	    !__atomic_compare_exchange_n(place, &none, range, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
		expect_usual("unmap", trial_unmap(range, RANGE_PAGES));
}

static void drop_range(struct hand *hand)
{
	void *range = __atomic_exchange_n(&own.range[next_random(hand) % RANGES], NULL, __ATOMIC_ACQ_REL);

	if (range != NULL)
		expect_usual("unmap", trial_unmap(range, RANGE_PAGES));
}

static void change_range(struct hand *hand)
{
	char *range = __atomic_load_n(&own.range[next_random(hand) % RANGES], __ATOMIC_ACQUIRE);
	const uint64_t first = next_random(hand) % RANGE_PAGES, pages = 1 + next_random(hand) % (RANGE_PAGES - first);
	static const uint32_t protections[] = { 0, PROTECTION_READ, TRIAL_READ_WRITE };
	const uint32_t protection = protections[next_random(hand) % COUNT_OF(protections)];

	if (range == NULL)
		return;
	range += TRIAL_BYTES(first);
	switch (next_random(hand) % 4) {
	case 0:
		expect_usual("commit",
			     virtual_memory_client_commit(trial.memory, range, TRIAL_BYTES(pages), protection));
		break;
	case 1:
		expect_usual("decommit", virtual_memory_client_decommit(trial.memory, range, TRIAL_BYTES(pages)));
		break;
	case 2:
		expect_usual("protect",
			     virtual_memory_client_protect(trial.memory, range, TRIAL_BYTES(pages), protection));
		break;
	default: {
		/* Whatever is there now; the kernel must look, and a fault is no surprise. */
		const enum status status = virtual_memory_client_statistics(trial.memory, (void *)range);

		if (status != STATUS_BUFFER_FAULT)
			expect_usual("statistics", status);
		break;
	}
	}
}

/* ---- objects ---- */

static void keep_object(struct hand *hand, handle_t object)
{
	const handle_t old = __atomic_exchange_n(&own.object[next_random(hand) % OBJECTS], object, __ATOMIC_ACQ_REL);

	if (old != HANDLE_NONE)
		expect_usual("release", ring_client_release(old));
}

static void make_object(struct hand *hand)
{
	struct memory_object_client object;
	const enum status status = trial_object(MAPPING_PAGES + next_random(hand) % 4, &object);

	expect_usual("allocate", status);
	if (status == STATUS_OK)
		keep_object(hand, object.handle);
}

/* Write through one mapping, read through another. */
static void use_object(struct hand *hand)
{
	const struct memory_object_client object = { __atomic_load_n(&own.object[next_random(hand) % OBJECTS],
								     __ATOMIC_ACQUIRE) };
	void *first;
	enum status status;

	if (object.handle == HANDLE_NONE)
		return;
	status = trial_map_object(object, 1 + next_random(hand) % MAPPING_PAGES, TRIAL_READ_WRITE, &first);
	/* A part may be too small, or only to be read. */
	expect_usual("map an object", status);
	if (status != STATUS_OK)
		return;
	*(volatile uint64_t *)first = next_random(hand);
	/* It has gone to another process, perhaps: then the mapping stays. */
	status = memory_object_client_unmap(object, first, PAGE_SIZE);
	expect_usual("unmap an object", status);
}

static void narrow_object(struct hand *hand)
{
	const struct memory_object_client object = { __atomic_load_n(&own.object[next_random(hand) % OBJECTS],
								     __ATOMIC_ACQUIRE) };
	const struct memory_object_part part = { .length = TRIAL_BYTES(1 + next_random(hand) % 2),
						 .flags = (uint32_t)(next_random(hand) % 2) };
	struct memory_object_client narrower;

	if (object.handle == HANDLE_NONE)
		return;
	const enum status status = memory_object_client_restrict(object, &part, &narrower);

	expect_usual("restrict", status);
	if (status == STATUS_OK)
		keep_object(hand, narrower.handle);
}

/* ---- calls ---- */

static void call_neighbour(struct hand *hand)
{
	const struct endpoint_facet facet = own.facet[next_random(hand) % FACETS];
	struct transfer_descriptor descriptor = {
		__atomic_load_n(&own.object[next_random(hand) % OBJECTS], __ATOMIC_ACQUIRE),
		next_random(hand) % 2 == 0 ? TRANSFER_KIND_COPY : TRANSFER_KIND_MOVE
	};
	uint64_t sent[16] = { next_random(hand) };
	struct endpoint_buffer result;
	const struct endpoint_request request = { .method = (uint16_t)next_random(hand),
						  .accepts = next_random(hand) % 4 != 0,
						  .parameters = sent,
						  .parameter_bytes = sizeof(sent),
						  .result = &result,
						  .result_bytes = sizeof(result),
						  .transfer = &descriptor,
						  .transfers = descriptor.capability != HANDLE_NONE };
	struct endpoint_reply reply;
	const enum status status = endpoint_client_call(facet, &request, &reply);

	expect_usual("call", status);
	if (status != STATUS_OK)
		return;
	count(&own.figures->calls);
	if (*(const uint64_t *)result.bytes != ~sent[0] || reply.value != request.method)
		surprise("an answer of another call", STATUS_OTHER_OBJECT);
	if (result.message.capabilities > request.accepts)
		surprise("an answer with more than was asked for", STATUS_NOT_ACCEPTED);
	if (reply.capability.capability != HANDLE_NONE)
		keep_object(hand, reply.capability.capability);
}

/* What comes in is kept; an object of ours goes back now and then. */
static void serve(struct hand *hand)
{
	const uint64_t ticket = open_operation_ticket();
	struct endpoint_buffer buffer;
	const struct endpoint_intake intake = { &buffer, sizeof(buffer), next_random(hand) % 4 != 0 };
	struct ring_completion completion;

	if (endpoint_client_receive_submit(own.endpoint, intake, ticket) != STATUS_OK)
		return;
	/* The buffer is the kernel's until this completes, so it is waited for. */
	if (open_operation_wait(ticket, CAP_ENTER_FOREVER, &completion) != STATUS_OK ||
	    ring_client_status(&completion) != STATUS_OK)
		return surprise("receive", ring_client_status(&completion));
	for (uint32_t i = 0; i < buffer.message.capabilities; i++)
		keep_object(hand, buffer.message.capability[i].capability);
	uint64_t back = ~*(const uint64_t *)buffer.bytes;
	struct transfer_descriptor descriptor = {
		__atomic_load_n(&own.object[next_random(hand) % OBJECTS], __ATOMIC_ACQUIRE), TRANSFER_KIND_COPY
	};
	struct endpoint_answer answer = { .call = buffer.message.call,
					  .value = buffer.message.method,
					  .bytes = &back,
					  .byte_count = sizeof(back),
					  .transfer = &descriptor,
					  .transfers =
						  descriptor.capability != HANDLE_NONE && next_random(hand) % 4 == 0 };
	enum status status = endpoint_client_return(own.endpoint, &answer);

	if (status != STATUS_OK && status != STATUS_GONE) {
		expect_usual("return", status);
		answer.transfers = 0;
		status = endpoint_client_return(own.endpoint, &answer);
	}
	expect_usual("return without a capability", status);
}

/* ---- children, sleeps ---- */

void stress_leaf_role(void)
{
	void *range;

	if (trial_map(3, &range) == STATUS_OK)
		*(volatile char *)range = 1;
	if (trial_argument(0) % 5 == 0)
		*(volatile char *)UINT64_C(8) = 1;
	trial_sleep(trial_argument(0) % 2000000);
}

static void start_leaf(struct hand *hand)
{
	struct process_builder builder;
	struct process_client process;
	const uint64_t act = next_random(hand) % 4;

	trial_child_build(&builder, "leaf");
	trial_child_argument(&builder, next_random(hand) >> 16);
	process_builder_limit(&builder, LEDGER_VIRTUAL_RESERVATION, 1000);
	process_builder_limit(&builder, LEDGER_FRAME_GRANT, 8);
	process_builder_limit(&builder, LEDGER_PAGE_TABLE, 24);
	process_builder_limit(&builder, LEDGER_IMAGE, 100);
	process_builder_limit(&builder, LEDGER_KERNEL_OBJECT, 12 * PAGE_SIZE);
	process_builder_limit(&builder, LEDGER_CAP_SLOTS, 8);
	const enum status status = trial_child_start(&builder, &process);

	expect_usual("spawn", status);
	if (status != STATUS_OK)
		return;
	count(&own.figures->children);
	if (act == 0)
		expect_usual("kill", process_client_kill(process));
	if (act != 1)
		(void)trial_child_wait(process);
	expect_usual("release a child", ring_client_release(process.handle));
}

static void park_or_wake(struct hand *hand)
{
	uint64_t woken;

	if (next_random(hand) % 2 == 0) {
		expect_usual("wake", park_client_unpark(trial.park, &own.word, 1 + next_random(hand) % 3, &woken));
		return;
	}
	const enum status status = park_client_park(trial.park, &own.word, 0, next_random(hand) % 3000000);

	if (status != STATUS_TIMED_OUT)
		expect_usual("park", status);
}

static void be_away(struct hand *hand)
{
	trial_sleep(next_random(hand) % 2000000);
}

/* Any operation of any interface with anything: it must be refused, or harmless. */
static void make_bad_request(struct hand *hand)
{
	const handle_t targets[] = { trial.memory.handle, trial.frames.handle,    own.endpoint.handle,
				     trial.park.handle,   trial.spawner.handle,   (handle_t)next_random(hand),
				     trial.timer.handle,  trial.endpoints.handle, own.facet[0].handle };
	struct ring_submission request = { .opcode = RING_CALL,
					   .operation = (uint16_t)(100 + next_random(hand) % 1000),
					   .capability = targets[next_random(hand) % COUNT_OF(targets)] };

	for (uint32_t i = 0; i < 6; i++)
		request.argument[i] = next_random(hand) >> next_random(hand) % 64;
	request.argument[1] |= UINT64_C(1) << 63; /* a length, or count, that nothing has */
	count(&own.figures->faults);
	const enum status status = ring_client_call_plain(&request);

	if (status == STATUS_OK)
		surprise("a bad request", status);
}

static void (*const acts[])(struct hand *hand) = {
	make_range,  make_range,   drop_range, change_range,     change_range,     change_range,
	make_object, use_object,   use_object, narrow_object,    call_neighbour,   call_neighbour,
	start_leaf,  park_or_wake, be_away,    make_bad_request, make_bad_request, make_object,
};

static int64_t act_at_random(void *index)
{
	struct hand hand = { .seed = (trial_argument(0) ^ (uint64_t)index << 7) | 1,
			     .index = (uint32_t)(uint64_t)index };

	for (;;) {
		acts[next_random(&hand) % COUNT_OF(acts)](&hand);
		count(&own.figures->operations);
	}
	return 0;
}

static void take_figures(void)
{
	struct memory_object_client figures;
	void *address;

	CHECK(capset_client_find("figures", INTERFACE_MEMORY_OBJECT, &figures.handle) == STATUS_OK);
	CHECK(trial_map_object(figures, 1, TRIAL_READ_WRITE, &address) == STATUS_OK);
	own.figures = address;
	CHECK(capset_client_find("endpoint", INTERFACE_ENDPOINT, &own.endpoint.handle) == STATUS_OK);
	CHECK(capset_client_find("facet-1", INTERFACE_ENDPOINT_CLIENT, &own.facet[0].handle) == STATUS_OK);
	CHECK(capset_client_find("facet-2", INTERFACE_ENDPOINT_CLIENT, &own.facet[1].handle) == STATUS_OK);
	CHECK(capset_client_find("facet-3", INTERFACE_ENDPOINT_CLIENT, &own.facet[2].handle) == STATUS_OK);
}

/* Three threads act; the first one serves, for as long as it lasts. */
void stress_worker_role(void)
{
	struct hand hand = { .seed = trial_argument(0) | 1 };
	struct user_thread thread;

	take_figures();
	for (uint64_t i = 1; i < STRESS_THREADS; i++)
		trial_thread(&thread, act_at_random, (void *)i);
	for (;;)
		serve(&hand);
}
