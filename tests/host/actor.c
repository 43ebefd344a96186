#include "tests/host/actor.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "abi/endpoint_abi.h"
#include "abi/frame_allocator_abi.h"
#include "kernel/cap/dispatch.h"
#include "kernel/mem/anonymous.h"
#include "kernel/mem/user_access.h"
#include "kernel/task/endpoint.h"
#include "kernel/task/process_end.h"
#include "kernel/task/process_tree.h"
#include "lib/check.h"
#include "tests/host/task_scheduler.h"

static uint64_t next_user_data = 1000;

/* ---- life ---- */

static void map_memory(struct process *process)
{
	struct placement writable = { ACTOR_MEMORY, ACTOR_MEMORY_PAGES * PAGE_SIZE, true };
	struct placement readable = { ACTOR_READABLE, PAGE_SIZE, true };
	struct uaddr_range range;

	assert_int_equal(anonymous_map(&process->space, &writable, PROTECTION_READ | PROTECTION_WRITE, &range),
			 STATUS_OK);
	assert_int_equal(anonymous_map(&process->space, &readable, PROTECTION_READ, &range), STATUS_OK);
}

static enum status make_thread(struct process *process, struct thread **thread)
{
	struct thread_start start = { .entry = ACTOR_MEMORY, .stack = ACTOR_MEMORY + 16, .tls = ACTOR_MEMORY };
	uint64_t id;

	start.priority = process->priority;
	return process_thread_create(process, &start, thread, &id);
}

void actor_begin_limited(struct actor *actor, const char *name, struct process *parent,
			 const uint64_t limits[LEDGER_COUNT])
{
	struct process_template template = { name, parent, limits, THREAD_PRIORITY_DEFAULT };

	assert_int_equal(process_create(&template, &actor->process), STATUS_OK);
	assert_int_equal(make_thread(actor->process, &actor->thread), STATUS_OK);
	map_memory(actor->process);
	process_start(actor->process);
}

void actor_begin(struct actor *actor, const char *name)
{
	uint64_t limits[LEDGER_COUNT];

	task_machine_limits(limits, TASK_MACHINE_PLENTY);
	actor_begin_limited(actor, name, NULL, limits);
}

struct thread *actor_add_thread(struct actor *actor)
{
	struct thread *thread;

	assert_int_equal(make_thread(actor->process, &thread), STATUS_OK);
	scheduler_add(thread);
	return thread;
}

static void leave(void *code)
{
	process_end_thread(*(const int64_t *)code);
}

void actor_end_thread(struct thread *thread, int64_t code)
{
	assert_true(task_scheduler_run(thread, leave, &code));
}

void actor_end(struct actor *actor)
{
	const struct process_exit exit = { .code = 0, .end = PROCESS_EXITED };
	struct process *process = actor->process;

	actor_assert_valid(actor);
	process_use(process); /* to look at it when it is over */
	process_end_begin(process, &exit);
	for (uint32_t i = 0; i < THREAD_MAX; i++)
		if (process->slot[i].thread != NULL)
			actor_end_thread(process->slot[i].thread, 0);
	assert_true(process->ended);
	process_end_use(process);
	actor->process = NULL;
	actor->thread = NULL;
}

/* ---- capabilities ---- */

handle_t actor_grant(struct actor *actor, enum interface_id interface, enum transfer_mode mode, void *object)
{
	struct cap_hold hold = { .object = object, .interface = (uint8_t)interface, .mode = (uint8_t)mode };
	handle_t handle;

	assert_int_equal(process_capability_add(actor->process, &hold, 0, &handle), STATUS_OK);
	return handle;
}

handle_t actor_make_endpoint(struct actor *owner)
{
	struct endpoint *endpoint;

	assert_int_equal(endpoint_create(&endpoint), STATUS_OK);
	return actor_grant(owner, INTERFACE_ENDPOINT, TRANSFER_COPY, endpoint);
}

handle_t actor_make_client(struct actor *owner, handle_t endpoint, uint64_t badge, struct actor *client)
{
	struct cap_hold hold = { .interface = INTERFACE_ENDPOINT_CLIENT, .mode = TRANSFER_COPY, .badge = badge };
	handle_t handle;

	hold.object = actor_object(owner, endpoint);
	endpoint_add_client(hold.object);
	assert_int_equal(process_capability_add(client->process, &hold, 0, &handle), STATUS_OK);
	return handle;
}

handle_t actor_make_object(struct actor *actor, uint64_t pages)
{
	struct memory_object *object;

	assert_int_equal(memory_object_create(pages, 0, &object), STATUS_OK);
	return actor_grant(actor, INTERFACE_MEMORY_OBJECT, TRANSFER_COPY, object);
}

void *actor_object(struct actor *actor, handle_t handle)
{
	struct cap_hold hold;

	assert_int_equal(process_capability_use(actor->process, handle, &hold), STATUS_OK);
	hold_end_use(&hold);
	return hold.object;
}

bool actor_has(struct actor *actor, handle_t handle)
{
	struct cap_hold hold;

	if (process_capability_use(actor->process, handle, &hold) != STATUS_OK)
		return false;
	hold_end_use(&hold);
	return true;
}

/* ---- memory ---- */

void actor_write(struct actor *actor, uint64_t address, const void *bytes, uint64_t count)
{
	assert_int_equal(user_access_write(&actor->process->space, address, count, bytes), STATUS_OK);
}

void actor_read(struct actor *actor, uint64_t address, void *bytes, uint64_t count)
{
	assert_int_equal(user_access_read(&actor->process->space, address, count, bytes), STATUS_OK);
}

void actor_write_word(struct actor *actor, uint64_t address, uint32_t word)
{
	actor_write(actor, address, &word, sizeof(word));
}

/* ---- calls ---- */

uint64_t actor_submit(struct thread *thread, uint64_t first, const uint64_t argument[6])
{
	struct ring_submission *slot;
	struct ring_look look;

	task_scheduler_run_as(thread);
	assert_int_equal(ring_submitted(thread->ring), 0);
	CHECK(ring_submit_slot(thread->ring, &slot) == STATUS_OK);
	*(ring_word_t *)slot = first;
	slot->user_data = ++next_user_data;
	for (uint32_t i = 0; i < COUNT_OF(slot->argument); i++)
		slot->argument[i] = argument[i];
	ring_publish(thread->ring);
	look = ring_kernel_look(&thread->ring_state, thread->ring);
	assert_int_equal(look.pending, 1);
	(void)dispatch_queue(thread, look.pending, look.waiting);
	assert_int_equal(ring_submitted(thread->ring), 0);
	return next_user_data;
}

void actor_come(struct thread *thread)
{
	uint64_t next_look = UINT64_MAX;

	task_scheduler_run_as(thread);
	(void)operation_post_done(thread, &next_look);
}

enum status actor_take(struct thread *thread, struct ring_completion *completion)
{
	actor_come(thread);
	return ring_take(thread->ring, completion);
}

struct ring_completion actor_call(struct thread *thread, uint64_t first, const uint64_t argument[6])
{
	struct ring_completion completion;
	uint64_t user_data = actor_submit(thread, first, argument);

	assert_int_equal(actor_take(thread, &completion), STATUS_OK);
	assert_int_equal(completion.user_data, user_data);
	assert_int_equal(ring_completed(thread->ring), 0);
	return completion;
}

enum status actor_status(const struct ring_completion *completion)
{
	if (completion->result >= 0)
		return STATUS_OK;
	assert_int_equal(completion->flags, 0);
	assert_int_equal(completion->capability, HANDLE_NONE);
	assert_int_equal(completion->interface, INTERFACE_NONE);
	return (enum status) - completion->result;
}

/* ---- looking ---- */

void actor_assert_valid(struct actor *actor)
{
	assert_true(process_is_valid(actor->process));
	assert_true(address_space_is_valid(&actor->process->space, machine_kernel_root()));
	assert_true(endpoint_all_are_valid());
	assert_true(process_tree_is_valid());
	assert_true(frame_is_valid());
	assert_true(heap_is_valid());
}

uint64_t actor_used(struct actor *actor, enum ledger_kind kind)
{
	struct resource_ledger ledger;

	account_read(&actor->process->account, &ledger);
	return ledger.of[kind].used;
}
