#include "tests/host/endpoint_model.h"

#include <stddef.h>
#include <string.h>

#include "lib/check.h"

struct endpoint_model model;

struct model_endpoint *endpoint_model_of(const struct endpoint *endpoint)
{
	for (uint32_t i = 0; i < MODEL_ENDPOINTS; i++)
		if (model.endpoint[i].endpoint == endpoint)
			return &model.endpoint[i];
	CHECK(false && "an endpoint that nobody made");
	return NULL;
}

struct program *endpoint_model_program(const struct model_thread *thread)
{
	return &model.program[((const char *)thread - (const char *)model.program) / (long)sizeof(struct program)];
}

void endpoint_model_done(struct model_thread *thread, int32_t result, uint64_t value)
{
	thread->state = IDLE;
	thread->is_done = true;
	thread->result = result;
	thread->value = value;
	thread->arrived = 0;
	model.ended[result < 0 ? -result : 0]++;
}

/* The first in a queue; NULL: it is empty. */
struct model_thread *endpoint_model_first(const struct endpoint *endpoint, enum model_state state, uint32_t *count)
{
	struct model_thread *first = NULL;

	*count = 0;
	for (uint32_t i = 0; i < MODEL_PROGRAMS * MODEL_THREADS; i++) {
		struct model_thread *thread = endpoint_model_thread(i);

		if (thread->thread == NULL || thread->state != state || thread->endpoint != endpoint)
			continue;
		++*count;
		if (first == NULL || thread->order < first->order)
			first = thread;
	}
	return first;
}

uint32_t endpoint_model_count_caps(const struct endpoint *endpoint, bool owners)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < MODEL_PROGRAMS; i++)
		for (uint32_t j = 0; j < model.program[i].caps; j++)
			count += model.program[i].cap[j].object == endpoint &&
				 (model.program[i].cap[j].thing == OWNER) == owners;
	return count;
}

/* With the last owner every operation of the endpoint ends; with the last capability and operation, it. */
void endpoint_model_shut(void)
{
	for (uint32_t i = 0; i < MODEL_ENDPOINTS; i++) {
		struct model_endpoint *one = &model.endpoint[i];
		struct model_thread *thread;
		uint32_t count;

		if (one->endpoint == NULL || endpoint_model_count_caps(one->endpoint, true) != 0)
			continue;
		one->is_shut = true;
		for (uint32_t state = CALLING; state <= RECEIVING; state++)
			while ((thread = endpoint_model_first(one->endpoint, (enum model_state)state, &count)) != NULL)
				endpoint_model_done(thread, -(int32_t)STATUS_GONE, 0);
		if (endpoint_model_count_caps(one->endpoint, false) == 0)
			one->endpoint = NULL;
	}
}

uint32_t endpoint_model_find_cap(const struct program *program, handle_t handle)
{
	uint32_t i = 0;

	while (i < program->caps && program->cap[i].handle != handle)
		i++;
	return i;
}

void endpoint_model_add_cap(struct program *program, enum thing thing, void *object, handle_t handle)
{
	CHECK(program->caps < MODEL_CAPS);
	program->cap[program->caps++] = (struct model_cap){ handle, thing, object };
}

void endpoint_model_remove_cap(struct program *program, uint32_t index)
{
	program->caps--;
	memmove(&program->cap[index], &program->cap[index + 1], (program->caps - index) * sizeof(program->cap[0]));
}

enum status endpoint_model_check_transfer(const struct program *from, const struct program *to,
					  const struct transfer_descriptor *sent, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		uint32_t index = endpoint_model_find_cap(from, sent[i].capability);

		GUARD(index < from->caps, STATUS_NO_SUCH_CAPABILITY);
		for (uint32_t j = 0; j < i; j++)
			GUARD(sent[j].capability != sent[i].capability || sent[j].kind == TRANSFER_KIND_COPY,
			      STATUS_NO_SUCH_CAPABILITY);
		GUARD(sent[i].kind == TRANSFER_KIND_MOVE || from->cap[index].thing != FACET_MOVE,
		      STATUS_NOT_TRANSFERABLE);
	}
	GUARD(to->caps + count <= MODEL_CAPS, STATUS_RECEIVER_LIMIT);
	return STATUS_OK;
}

void endpoint_model_transfer(struct program *from, struct program *to, const struct transfer_descriptor *sent,
			     uint32_t count)
{
	struct model_cap taken[MODEL_SENT];

	for (uint32_t i = 0; i < count; i++)
		taken[i] = from->cap[endpoint_model_find_cap(from, sent[i].capability)];
	for (uint32_t i = 0; i < count; i++)
		if (sent[i].kind == TRANSFER_KIND_MOVE)
			endpoint_model_remove_cap(from, endpoint_model_find_cap(from, sent[i].capability));
	for (uint32_t i = 0; i < count; i++) {
		to->cap[to->caps] = taken[i];
		to->cap[to->caps++].handle = HANDLE_NONE;
	}
	model.moved += count;
}

/* False: the call was refused. */
static bool deliver(struct model_thread *call, struct model_thread *receive)
{
	struct program *from = endpoint_model_program(call), *to = endpoint_model_program(receive);
	enum status status = endpoint_model_check_transfer(from, to, call->sent, call->sends);

	if (call->sends > receive->accepts)
		status = STATUS_NOT_ACCEPTED;
	if (status != STATUS_OK) {
		endpoint_model_done(call, -(int32_t)status, 0);
		return false;
	}
	endpoint_model_transfer(from, to, call->sent, call->sends);
	call->state = SERVED;
	call->id = endpoint_model_of(call->endpoint)->next_id++;
	call->order = ++model.last_order;
	endpoint_model_done(receive, 0, call->id);
	receive->arrived = call->sends;
	receive->method = call->method;
	model.delivered++;
	return true;
}

void endpoint_model_match(const struct endpoint *endpoint)
{
	for (;;) {
		uint32_t calls, receivers;
		struct model_thread *call = endpoint_model_first(endpoint, CALLING, &calls);
		struct model_thread *receive = endpoint_model_first(endpoint, RECEIVING, &receivers);

		if (call == NULL || receive == NULL || deliver(call, receive))
			return;
	}
}

static struct model_thread *served_with(const struct endpoint *endpoint, uint64_t id)
{
	for (uint32_t i = 0; i < MODEL_PROGRAMS * MODEL_THREADS; i++) {
		struct model_thread *thread = endpoint_model_thread(i);

		if (thread->state == SERVED && thread->endpoint == endpoint && thread->id == id)
			return thread;
	}
	return NULL;
}

enum status endpoint_model_return(struct program *program, const struct model_endpoint *one,
				  const struct model_answer *answer)
{
	struct model_thread *call = served_with(one->endpoint, answer->id);

	GUARD(answer->id != 0 && answer->id < one->next_id, STATUS_NOT_FOUND);
	GUARD(call != NULL, STATUS_GONE);
	model.unwanted += answer->count > call->accepts;
	GUARD(answer->count <= call->accepts, STATUS_NOT_ACCEPTED);
	GUARD(answer->bytes <= call->room, STATUS_TOO_LONG);
	TRY(endpoint_model_check_transfer(program, endpoint_model_program(call), answer->sent, answer->count));
	endpoint_model_transfer(program, endpoint_model_program(call), answer->sent, answer->count);
	endpoint_model_done(call, 5, answer->id * 3);
	call->arrived = answer->count;
	return STATUS_OK;
}
