#include "tests/host/endpoint_scene.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "kernel/mem/user_access.h"

#define FRAMES 1024u

struct endpoint_scene ends;

void endpoint_scene_begin(void)
{
	task_machine_start(FRAMES);
	actor_begin(&ends.client, "client");
	actor_begin(&ends.owner, "owner");
	actor_begin(&ends.other, "other");
	ends.owned = actor_make_endpoint(&ends.owner);
	ends.endpoint = actor_object(&ends.owner, ends.owned);
	ends.facet = actor_make_client(&ends.owner, ends.owned, SCENE_BADGE, &ends.client);
}

static void end_one(struct actor *actor)
{
	if (actor->process != NULL)
		actor_end(actor);
}

void endpoint_scene_end(void)
{
	end_one(&ends.client);
	end_one(&ends.owner);
	end_one(&ends.other);
	task_machine_stop();
}

/* ---- calls ---- */

static void put(struct thread *thread, const struct parcel *parcel)
{
	struct address_space *space = &thread->process->space;

	assert_int_equal(user_access_write(space, SCENE_PARAMETERS, parcel->count, parcel->bytes), STATUS_OK);
	assert_int_equal(user_access_write(space, SCENE_DESCRIPTORS,
					   parcel->capabilities * sizeof(parcel->capability[0]), parcel->capability),
			 STATUS_OK);
}

uint64_t endpoint_scene_call(struct thread *thread, handle_t facet, uint16_t method, const struct parcel *parcel,
			     uint64_t result_bytes)
{
	put(thread, parcel);
	return actor_submit(thread, actor_first_of_call(method, facet, result_bytes != 0 ? TRANSFER_MAX : 1),
			    (uint64_t[6]){ SCENE_PARAMETERS, parcel->count, SCENE_RESULT, result_bytes,
					   SCENE_DESCRIPTORS, parcel->capabilities });
}

uint64_t endpoint_scene_receive(struct thread *thread, handle_t owned, uint64_t bytes)
{
	return ACTOR_SUBMIT(thread, RING_RECEIVE, 0, owned, SCENE_RECEIVE, bytes, TRANSFER_MAX);
}

enum status endpoint_scene_return(struct thread *thread, handle_t owned, uint64_t call, uint32_t answer, uint64_t value,
				  const struct parcel *parcel)
{
	struct ring_completion completion;

	put(thread, parcel);
	completion = ACTOR_CALL(thread, RING_RETURN, 0, owned, call, value, SCENE_PARAMETERS, parcel->count,
				SCENE_DESCRIPTORS, parcel->capabilities | (uint64_t)answer << 32);
	return actor_status(&completion);
}

struct ring_completion endpoint_scene_completion(struct thread *thread)
{
	struct ring_completion completion;

	assert_int_equal(actor_take(thread, &completion), STATUS_OK);
	assert_int_equal(ring_completed(thread->ring), 0);
	return completion;
}

enum status endpoint_scene_status(struct thread *thread)
{
	struct ring_completion completion = endpoint_scene_completion(thread);

	return actor_status(&completion);
}

void endpoint_scene_assert_waits(struct thread *thread)
{
	struct ring_completion completion;

	assert_int_equal(actor_take(thread, &completion), STATUS_WOULD_BLOCK);
}

uint64_t endpoint_scene_serve(void)
{
	struct ring_completion completion;

	(void)endpoint_scene_receive(ends.owner.thread, ends.owned, SCENE_ROOM);
	completion = endpoint_scene_completion(ends.owner.thread);
	assert_int_equal(completion.result, 0);
	return completion.value;
}

/* ---- looking ---- */

struct message_read endpoint_scene_read(struct actor *actor, uint64_t address)
{
	struct message_read read;

	actor_read(actor, address, &read, sizeof(read));
	return read;
}

void endpoint_scene_assert_queues(uint32_t calls, uint32_t receivers, uint32_t served)
{
	struct endpoint_statistics statistics;

	assert_true(endpoint_all_are_valid());
	endpoint_read(ends.endpoint, &statistics);
	assert_int_equal(statistics.waiting_calls, calls);
	assert_int_equal(statistics.waiting_receivers, receivers);
	assert_int_equal(statistics.served_calls, served);
}
