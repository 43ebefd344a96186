#include "tests/host/endpoint_steps.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "abi/endpoint_abi.h"
#include "kernel/task/endpoint.h"
#include "kernel/task/transfer.h"
#include "lib/check.h"
#include "tests/host/endpoint_model.h"

#define FRAMES 1024u
#define BOGUS UINT32_C(0x70007)
#define MOST_BYTES 16u       /* of an answer */
#define CHECKS_OF_A_WHOLE 8u /* one check in so many looks at whole processes, page tables and all */

/* Each thread has its own places. */
#define PARAMETERS(thread) (ACTOR_MEMORY + (thread)*0x400)
#define RESULT(thread) (ACTOR_MEMORY + PAGE_SIZE + (thread)*0x400)

static struct host_random *dice;
static uint32_t checks; /* made so far */

/* ---- what is seen ---- */

static void learn_handles(struct model_thread *thread, const struct endpoint_message *header,
			  const struct ring_completion *completion)
{
	struct program *program = endpoint_model_program(thread);
	uint32_t first = program->caps - thread->arrived;

	assert_int_equal(completion->flags, thread->arrived != 0 ? COMPLETION_HAS_CAPABILITY : 0);
	for (uint32_t i = 0; i < thread->arrived; i++) {
		handle_t handle = header != NULL ? header->capability[i].capability : completion->capability;

		assert_int_equal(endpoint_model_find_cap(program, handle), program->caps); /* a new one */
		program->cap[first + i].handle = handle;
	}
	if (thread->arrived != 0)
		assert_int_equal(completion->capability, program->cap[first].handle);
}

static void check_done(struct model_thread *thread, uint32_t index)
{
	struct ring_completion completion;
	struct endpoint_message header;
	bool has_header = thread->has_buffer && thread->result >= 0;

	assert_int_equal(actor_take(thread->thread, &completion), STATUS_OK);
	assert_int_equal(completion.result, thread->result);
	assert_int_equal(completion.value, thread->value);
	if (has_header) {
		actor_read(&endpoint_model_program(thread)->actor, RESULT(index), &header, sizeof(header));
		assert_int_equal(header.capabilities, thread->arrived);
		assert_int_equal(header.method, header.call != 0 ? thread->method : 0);
		assert_int_equal(header.call, header.call != 0 ? thread->value : 0);
	}
	learn_handles(thread, has_header ? &header : NULL, &completion);
	thread->is_done = false;
}

static void check_program(struct program *program, bool whole)
{
	static const enum interface_id interface[] = { [OBJECT] = INTERFACE_MEMORY_OBJECT,
						       [OWNER] = INTERFACE_ENDPOINT,
						       [FACET] = INTERFACE_ENDPOINT_CLIENT,
						       [FACET_MOVE] = INTERFACE_ENDPOINT_CLIENT };

	struct charge charge = { .kinds = 0 };

	assert_true(!whole || process_is_valid(program->actor.process));
	for (uint32_t i = 0; i < program->caps; i++) {
		struct cap_hold hold;

		assert_int_equal(process_capability_use(program->actor.process, program->cap[i].handle, &hold),
				 STATUS_OK);
		hold_end_use(&hold);
		assert_ptr_equal(hold.object, program->cap[i].object);
		assert_int_equal(hold.interface, interface[program->cap[i].thing]);
		hold_charge(&hold, &charge);
	}
	assert_int_equal(actor_used(&program->actor, LEDGER_CAP_SLOTS), program->caps);
	assert_int_equal(actor_used(&program->actor, LEDGER_FRAME_GRANT),
			 program->frames_at_start + charge.amount[LEDGER_FRAME_GRANT]);
}

static void check_endpoint(const struct model_endpoint *one)
{
	struct endpoint_statistics statistics;
	uint32_t calls, receivers, served;

	endpoint_read(one->endpoint, &statistics);
	(void)endpoint_model_first(one->endpoint, CALLING, &calls);
	(void)endpoint_model_first(one->endpoint, RECEIVING, &receivers);
	(void)endpoint_model_first(one->endpoint, SERVED, &served);
	assert_int_equal(statistics.waiting_calls, calls);
	assert_int_equal(statistics.waiting_receivers, receivers);
	assert_int_equal(statistics.served_calls, served);
	assert_int_equal(statistics.owners, endpoint_model_count_caps(one->endpoint, true));
	assert_int_equal(statistics.clients, endpoint_model_count_caps(one->endpoint, false));
	assert_int_equal(one->endpoint->is_shut, one->is_shut);
	/* Nobody else keeps it. */
	assert_int_equal(one->endpoint->references,
			 statistics.owners + statistics.clients + calls + receivers + served);
}

void endpoint_steps_check(void)
{
	const bool whole = checks++ % CHECKS_OF_A_WHOLE == 0;

	/* Receivers fetch their calls, and callers are told of it. */
	for (uint32_t i = 0; i < MODEL_PROGRAMS * MODEL_THREADS; i++)
		if (endpoint_model_thread(i)->thread != NULL)
			actor_come(endpoint_model_thread(i)->thread);
	for (uint32_t i = 0; i < MODEL_PROGRAMS * MODEL_THREADS; i++) {
		struct model_thread *thread = endpoint_model_thread(i);
		struct ring_completion completion;

		if (thread->thread == NULL)
			continue;
		if (thread->is_done)
			check_done(thread, i % MODEL_THREADS);
		assert_int_equal(actor_take(thread->thread, &completion), STATUS_WOULD_BLOCK);
		assert_int_equal(thread->thread->open_count, thread->state != IDLE);
	}
	for (uint32_t i = 0; i < MODEL_PROGRAMS; i++)
		if (model.program[i].actor.process != NULL)
			check_program(&model.program[i], whole);
	for (uint32_t i = 0; i < MODEL_ENDPOINTS; i++)
		if (model.endpoint[i].endpoint != NULL)
			check_endpoint(&model.endpoint[i]);
	assert_true(endpoint_all_are_valid());
}

/* ---- steps ---- */

static void begin_program(struct program *program)
{
	uint64_t limits[LEDGER_COUNT];

	memset(program, 0, sizeof(*program));
	task_machine_limits(limits, TASK_MACHINE_PLENTY);
	limits[LEDGER_CAP_SLOTS] = MODEL_CAPS;
	actor_begin_limited(&program->actor, "random", NULL, limits);
	program->frames_at_start = actor_used(&program->actor, LEDGER_FRAME_GRANT);
	program->thread[0].thread = program->actor.thread;
	for (uint32_t i = 1; i < MODEL_THREADS; i++)
		program->thread[i].thread = actor_add_thread(&program->actor);
}

static void step_death(struct program *program)
{
	for (uint32_t i = 0; i < MODEL_THREADS; i++)
		program->thread[i] = (struct model_thread){ .thread = NULL };
	program->caps = 0;
	actor_end(&program->actor);
	endpoint_model_shut();
}

static struct model_endpoint *random_endpoint(void)
{
	return &model.endpoint[host_random_below(dice, MODEL_ENDPOINTS)];
}

/* From nowhere: an object, an endpoint of its own, or a part in one that lives. */
static void step_grant(struct program *program)
{
	struct model_endpoint *one = random_endpoint();
	enum thing thing = (enum thing)host_random_below(dice, 4);
	handle_t handle;

	if (program->caps == MODEL_CAPS)
		return;
	if (thing == OBJECT) {
		handle = actor_make_object(&program->actor, 1 + host_random_below(dice, 5));
		endpoint_model_add_cap(program, OBJECT, actor_object(&program->actor, handle), handle);
	} else if (one->endpoint == NULL) {
		handle = actor_make_endpoint(&program->actor);
		*one = (struct model_endpoint){ actor_object(&program->actor, handle), false, 1 };
		endpoint_model_add_cap(program, OWNER, one->endpoint, handle);
	} else if (thing == OWNER && !one->is_shut) {
		endpoint_add_owner(one->endpoint);
		endpoint_model_add_cap(program, OWNER, one->endpoint,
				       actor_grant(&program->actor, INTERFACE_ENDPOINT, TRANSFER_COPY, one->endpoint));
	} else if (thing != OWNER) {
		endpoint_add_client(one->endpoint);
		endpoint_model_add_cap(program, thing, one->endpoint,
				       actor_grant(&program->actor, INTERFACE_ENDPOINT_CLIENT,
						   thing == FACET ? TRANSFER_COPY : TRANSFER_MOVE, one->endpoint));
	}
}

static void step_release(struct program *program)
{
	uint32_t index;

	if (program->caps == 0)
		return;
	index = (uint32_t)host_random_below(dice, program->caps);
	assert_int_equal(process_capability_release(program->actor.process, program->cap[index].handle), STATUS_OK);
	endpoint_model_remove_cap(program, index);
	endpoint_model_shut();
}

/* A capability of one of two kinds; NULL: it has none. */
static const struct model_cap *random_cap(const struct program *program, enum thing one, enum thing other)
{
	uint32_t start = (uint32_t)host_random_below(dice, MODEL_CAPS);

	for (uint32_t i = 0; i < program->caps; i++) {
		const struct model_cap *cap = &program->cap[(start + i) % program->caps];

		if (cap->thing == one || cap->thing == other)
			return cap;
	}
	return NULL;
}

static uint32_t choose_capabilities(const struct program *program, struct transfer_descriptor sent[MODEL_SENT])
{
	const uint32_t count = (uint32_t)host_random_below(dice, MODEL_SENT + 1);

	for (uint32_t i = 0; i < count; i++) {
		const bool is_bogus = program->caps == 0 || host_random_once_in(dice, 20);

		sent[i].capability = is_bogus ? BOGUS : program->cap[host_random_below(dice, program->caps)].handle;
		sent[i].kind = host_random_once_in(dice, 2) ? TRANSFER_KIND_COPY : TRANSFER_KIND_MOVE;
	}
	return count;
}

/* For a message: half of them send none. */
static uint32_t choose_sent(struct program *program, uint32_t index, struct transfer_descriptor sent[MODEL_SENT])
{
	const uint32_t count = host_random_once_in(dice, 2) ? 0 : choose_capabilities(program, sent);

	if (count != 0)
		actor_write(&program->actor, PARAMETERS(index), sent, count * sizeof(*sent));
	return count;
}

/* The last so many of its capabilities have come by this transfer. */
static void learn_targets(struct program *to, const struct transfer *transfer)
{
	const uint32_t first = to->caps - transfer->count;

	for (uint32_t i = 0; i < transfer->count; i++) {
		assert_int_equal(endpoint_model_find_cap(to, transfer->item[i].target), to->caps); /* a new one */
		to->cap[first + i].handle = transfer->item[i].target;
	}
}

/* While it is under way: what moves is nowhere, what is copied is with the sender, and nothing has arrived. */
static void check_under_way(const struct transfer *transfer, struct program *from, struct program *to)
{
	for (uint32_t i = 0; i < transfer->count; i++) {
		const struct transfer_item *item = &transfer->item[i];
		bool moves = false;

		for (uint32_t j = 0; j < transfer->count; j++)
			moves |= transfer->item[j].source == item->source &&
				 transfer->item[j].kind == TRANSFER_KIND_MOVE;
		assert_int_equal(actor_has(&from->actor, item->source), !moves);
		assert_false(actor_has(&to->actor, item->target));
		if (moves)
			assert_int_equal(process_capability_release(from->actor.process, item->source),
					 STATUS_NO_SUCH_CAPABILITY);
	}
}

/* From one table to another without an endpoint: all of a list, none of it, or given up when it was ready. */
static void step_transfer(struct program *from)
{
	struct program *to = &model.program[host_random_below(dice, MODEL_PROGRAMS)];
	struct transfer_descriptor sent[MODEL_SENT];
	struct transfer_item item[MODEL_SENT];
	struct transfer transfer = { .from = from->actor.process, .to = to->actor.process, .item = item };
	enum status expected;

	if (to->actor.process == NULL)
		return;
	transfer.count = choose_capabilities(from, sent);
	for (uint32_t i = 0; i < transfer.count; i++)
		item[i] = (struct transfer_item){ .source = sent[i].capability,
						  .kind = (enum transfer_kind)sent[i].kind };
	expected = endpoint_model_check_transfer(from, to, sent, transfer.count);
	assert_int_equal(transfer_prepare(&transfer), expected);
	model.ended[expected]++;
	if (expected == STATUS_OK) {
		check_under_way(&transfer, from, to);
		if (host_random_once_in(dice, 4)) {
			transfer_abort(&transfer);
		} else {
			transfer_commit(&transfer);
			endpoint_model_transfer(from, to, sent, transfer.count);
			learn_targets(to, &transfer);
		}
	}
	transfer_finish(&transfer);
}

static void step_call(struct program *program, uint32_t index)
{
	const struct model_cap *facet = random_cap(program, FACET, FACET_MOVE);
	struct model_thread *thread = &program->thread[index];
	uint64_t result_bytes;

	if (facet == NULL || thread->state != IDLE)
		return;
	thread->has_buffer = host_random_once_in(dice, 2);
	thread->method = (uint16_t)host_random_u64(dice);
	thread->endpoint = facet->object;
	thread->order = ++model.last_order;
	thread->sends = choose_sent(program, index, thread->sent);
	thread->room = thread->has_buffer ? (uint32_t)host_random_below(dice, MOST_BYTES) : 0;
	thread->accepts = thread->has_buffer ? TRANSFER_MAX : 1;
	if (host_random_once_in(dice, 4))
		thread->accepts = (uint32_t)host_random_below(dice, thread->accepts);
	result_bytes = thread->has_buffer ? sizeof(struct endpoint_message) + thread->room : 0;
	(void)actor_submit(thread->thread, actor_first_of_call(thread->method, facet->handle, (uint8_t)thread->accepts),
			   (uint64_t[6]){ 0, 0, RESULT(index), result_bytes, PARAMETERS(index), thread->sends });
	if (endpoint_model_of(thread->endpoint)->is_shut) {
		endpoint_model_done(thread, -(int32_t)STATUS_GONE, 0);
		return;
	}
	thread->state = CALLING;
	endpoint_model_match(thread->endpoint);
}

static void step_receive(struct program *program, uint32_t index)
{
	const struct model_cap *owner = random_cap(program, OWNER, OWNER);
	struct model_thread *thread = &program->thread[index];

	if (owner == NULL || thread->state != IDLE)
		return;
	thread->has_buffer = true;
	thread->endpoint = owner->object;
	thread->order = ++model.last_order;
	thread->state = RECEIVING;
	thread->accepts = host_random_once_in(dice, 3) ? (uint32_t)host_random_below(dice, MODEL_SENT) : MODEL_SENT;
	(void)ACTOR_SUBMIT(thread->thread, RING_RECEIVE, 0, owner->handle, RESULT(index),
			   sizeof(struct endpoint_message), thread->accepts);
	endpoint_model_match(thread->endpoint);
}

static void step_return(struct program *program, uint32_t index)
{
	const struct model_cap *owner = random_cap(program, OWNER, OWNER);
	struct model_answer answer;
	struct model_endpoint *one;
	struct model_thread *call;
	uint32_t served;

	if (owner == NULL || program->thread[index].state != IDLE)
		return;
	one = endpoint_model_of(owner->object);
	call = endpoint_model_first(one->endpoint, SERVED, &served);
	answer.id =
		call != NULL && !host_random_once_in(dice, 8) ? call->id : host_random_below(dice, one->next_id + 2);
	answer.bytes = host_random_once_in(dice, 8) ? (uint32_t)host_random_below(dice, MOST_BYTES) : 0;
	answer.count = choose_sent(program, index, answer.sent);
	(void)ACTOR_SUBMIT(program->thread[index].thread, RING_RETURN, 0, owner->handle, answer.id, answer.id * 3,
			   PARAMETERS(index), answer.bytes, PARAMETERS(index), UINT64_C(5) << 32 | answer.count);
	endpoint_model_done(&program->thread[index], -(int32_t)endpoint_model_return(program, one, &answer), 0);
	program->thread[index].has_buffer = false;
}

static void step_cancel(struct program *program, uint32_t index)
{
	struct model_thread *thread = &program->thread[index];
	struct ring_completion completion;
	uint64_t user_data;

	if (thread->state == IDLE)
		return;
	user_data = thread->thread->operation[0].completion.user_data;
	(void)ACTOR_SUBMIT(thread->thread, RING_CANCEL, 0, HANDLE_NONE, user_data);
	assert_int_equal(actor_take(thread->thread, &completion), STATUS_OK);
	assert_int_equal(completion.user_data, user_data);
	assert_int_equal(actor_status(&completion), STATUS_CANCELLED);
	endpoint_model_done(thread, 0, 0);
	thread->has_buffer = false;
}

void endpoint_steps_take(void)
{
	struct program *program = &model.program[host_random_below(dice, MODEL_PROGRAMS)];
	uint32_t index = (uint32_t)host_random_below(dice, MODEL_THREADS);

	if (program->actor.process == NULL) {
		begin_program(program);
		return;
	}
	if (program->caps == MODEL_CAPS && host_random_once_in(dice, 4)) {
		step_release(program);
		return; /* it may have ended operations: they are looked at first */
	}
	switch (host_random_below(dice, 16)) {
	case 0:
		if (host_random_once_in(dice, 8))
			step_death(program);
		break;
	case 1:
	case 2:
		step_cancel(program, index);
		break;
	case 3:
	case 4:
		step_grant(program);
		break;
	case 5:
	case 6:
	case 7:
		step_receive(program, index);
		break;
	case 8:
	case 9:
	case 10:
		step_return(program, index);
		break;
	case 11:
		if (host_random_once_in(dice, 4))
			step_release(program);
		else
			step_transfer(program);
		break;
	default:
		step_call(program, index);
		break;
	}
}

void endpoint_steps_begin(struct host_random *random)
{
	dice = random;
	checks = 0;
	task_machine_start(FRAMES);
	memset(model.endpoint, 0, sizeof(model.endpoint));
	for (uint32_t i = 0; i < MODEL_PROGRAMS; i++)
		begin_program(&model.program[i]);
}

void endpoint_steps_end(void)
{
	for (uint32_t i = 0; i < MODEL_PROGRAMS; i++) {
		if (model.program[i].actor.process != NULL)
			step_death(&model.program[i]);
		checks = 0;
		endpoint_steps_check();
	}
	task_machine_stop();
}
