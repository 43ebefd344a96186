/* links: HOST_TASK_KERNEL */
/* ProcessSpawner, as a program uses it: what is granted and carved, and what is refused at each point where something
   can run out. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "abi/capset.h"
#include "abi/memory_object_abi.h"
#include "abi/process_abi.h"
#include "kernel/mem/kernel_stack.h"
#include "kernel/task/endpoint.h"
#include "kernel/task/process_tree.h"
#include "kernel/task/program_image.h"
#include "kernel/task/spawn.h"
#include "lib/check.h"
#include "tests/host/actor.h"
#include "tests/host/host_support.h"
#include "tests/host/program_file.h"
#include "tests/host/task_scheduler.h"
#include "tests/host/task_snapshot.h"

#define FRAMES 4096u
#define CHILD_LIMIT (UINT64_C(1) << 20)
#define REQUEST ACTOR_MEMORY
#define STRINGS (ACTOR_MEMORY + 0x400)
#define GRANTS (ACTOR_MEMORY + PAGE_SIZE)
#define OBJECT_PAGES 6u
#define MOST_VALUES 150u

static const char strings[] = "program\0argument\0NAME=value";

static struct program_file file;
static struct archive package;
static struct actor parent;
static handle_t spawner, timer, object, moved, own_memory, image;

static struct process_spawn_request request;
static struct process_grant grant[8];

/* ---- the scene ---- */

static void set_grant(uint32_t i, const char *name, enum process_grant_kind kind, handle_t capability,
		      uint32_t interface)
{
	memset(&grant[i], 0, sizeof(grant[i]));
	memcpy(grant[i].name, name, strlen(name));
	grant[i].kind = kind;
	grant[i].capability = capability;
	grant[i].interface = interface;
}

static void set_request(void)
{
	memset(&request, 0, sizeof(request));
	memcpy(request.name, "child", 6);
	memcpy(request.program, "program", 8);
	request.arguments = STRINGS;
	request.argument_count = 2;
	request.argument_bytes = 17;
	request.environment = STRINGS + 17;
	request.environment_count = 1;
	request.environment_bytes = sizeof(strings) - 17;
	request.grants = GRANTS;
	request.grant_count = 6;
	request.priority = 2;
	for (uint32_t kind = 0; kind < LEDGER_COUNT; kind++)
		request.limit[kind] = CHILD_LIMIT;
	set_grant(0, "memory", PROCESS_GRANT_OWN, HANDLE_NONE, INTERFACE_VIRTUAL_MEMORY);
	set_grant(1, "threads", PROCESS_GRANT_OWN, HANDLE_NONE, INTERFACE_THREAD_CONTROL);
	set_grant(2, "park", PROCESS_GRANT_OWN, HANDLE_NONE, INTERFACE_PARK_SPACE);
	set_grant(3, "timer", PROCESS_GRANT_COPY, timer, 0);
	set_grant(4, "object", PROCESS_GRANT_COPY, object, 0);
	set_grant(5, "moved", PROCESS_GRANT_MOVE, moved, 0);
}

/* The program's file in a memory object, from its first byte. */
static void fill_image(void)
{
	struct memory_object *pages = actor_object(&parent, image);

	for (uint64_t i = 0; i < sizeof(file) / PAGE_SIZE; i++)
		memcpy(direct_map_of_frame(memory_object_frame(pages, i)), (const uint8_t *)&file + i * PAGE_SIZE,
		       PAGE_SIZE);
}

static void begin(void)
{
	task_machine_start(FRAMES);
	file = program_file_good();
	package.count = 1;
	package.file[0].name = "program";
	package.file[0].data = (const uint8_t *)&file;
	package.file[0].size = sizeof(file);
	task_machine_set_package(&package);
	actor_begin(&parent, "parent");
	spawner = actor_grant(&parent, INTERFACE_PROCESS_SPAWNER, TRANSFER_COPY, NULL);
	timer = actor_grant(&parent, INTERFACE_TIMER, TRANSFER_COPY, NULL);
	object = actor_make_object(&parent, OBJECT_PAGES);
	moved = actor_make_endpoint(&parent);
	own_memory = actor_grant(&parent, INTERFACE_VIRTUAL_MEMORY, TRANSFER_NONE, &parent.process->space);
	image = actor_make_object(&parent, sizeof(file) / PAGE_SIZE);
	fill_image();
	actor_write(&parent, STRINGS, strings, sizeof(strings));
	set_request();
}

static void end(void)
{
	actor_end(&parent);
	task_machine_stop();
}

static void put_request(void)
{
	actor_write(&parent, REQUEST, &request, sizeof(request));
	actor_write(&parent, GRANTS, grant, sizeof(grant));
}

static struct ring_completion submit(void)
{
	return ACTOR_CALL(parent.thread, RING_CALL, PROCESS_SPAWNER_SPAWN, spawner, REQUEST, sizeof(request));
}

static struct ring_completion spawn(void)
{
	put_request();
	return submit();
}

static void assert_refused(enum status expected)
{
	struct ring_completion completion;
	struct task_snapshot before;

	put_request();
	task_snapshot_take(&before, parent.process);
	completion = submit();
	assert_int_equal(actor_status(&completion), expected);
	assert_true(task_snapshot_holds(&before, parent.process));
}

/* The child of a spawn that went well. */
static struct process *child_of(const struct ring_completion *completion)
{
	struct process *child;

	assert_int_equal(completion->result, 0);
	assert_int_equal(completion->flags, COMPLETION_HAS_CAPABILITY);
	assert_int_equal(completion->interface, INTERFACE_PROCESS_HANDLE);
	child = actor_object(&parent, completion->capability);
	assert_int_equal(child->id, completion->value);
	assert_true(process_is_valid(child));
	return child;
}

static void end_child(struct process *child)
{
	actor_end_thread(child->slot[0].thread, 3);
	assert_true(child->ended);
	assert_true(process_is_valid(child));
}

/* ---- what a child gets ---- */

static uint64_t limit_of(struct process *process, enum ledger_kind kind)
{
	struct resource_ledger ledger;

	account_read(&process->account, &ledger);
	return ledger.of[kind].limit;
}

static void check_capset(struct process *child)
{
	struct actor actor = { child, child->slot[0].thread };
	const void *const expected[] = { &child->space, child, child, NULL, actor_object(&parent, object) };
	struct capset_page capset;

	actor_read(&actor, CAPSET_ADDRESS, &capset, sizeof(capset));
	assert_int_equal(capset.count, request.grant_count);
	assert_int_equal(actor_used(&actor, LEDGER_CAP_SLOTS), request.grant_count); /* and nothing else */
	for (uint32_t i = 0; i < request.grant_count; i++) {
		struct cap_hold hold;

		assert_string_equal(capset.entry[i].name, grant[i].name);
		assert_int_equal(process_capability_use(child, capset.entry[i].capability, &hold), STATUS_OK);
		hold_end_use(&hold);
		assert_int_equal(capset.entry[i].interface, hold.interface);
		assert_int_equal(hold.mode, i < 3 ? TRANSFER_NONE : TRANSFER_COPY);
		assert_int_equal(cap_hold_origin(&hold), parent.process->id);
		if (i < COUNT_OF(expected))
			assert_ptr_equal(hold.object, expected[i]);
	}
	assert_int_equal(capset.entry[5].interface, INTERFACE_ENDPOINT);
	assert_false(actor_has(&parent, moved));
}

static void test_spawn(void **state)
{
	(void)state;
	for (uint32_t source = PROCESS_FROM_PACKAGE; source <= PROCESS_FROM_OBJECT; source++) {
		struct ring_completion completion;
		struct task_snapshot before;
		struct process *child;

		begin();
		request.source = source;
		request.image = image;
		request.image_bytes = sizeof(file);
		task_snapshot_take(&before, parent.process);
		completion = spawn();
		child = child_of(&completion);
		assert_string_equal(child->name, "child");
		assert_int_equal(child->priority, 2);
		assert_int_equal(process_tree_parent_id(child), parent.process->id);
		assert_ptr_equal(task_scheduler_log.last_added, child->slot[0].thread);
		assert_int_equal(child->slot[0].thread->entry, file.header.e_entry);
		check_capset(child);
		for (uint32_t kind = 0; kind < LEDGER_COUNT; kind++) {
			assert_int_equal(limit_of(child, (enum ledger_kind)kind), CHILD_LIMIT);
			assert_int_equal(limit_of(parent.process, (enum ledger_kind)kind),
					 before.ledger[kind].limit - CHILD_LIMIT);
		}
		/* One handle more, one endpoint less. */
		assert_int_equal(actor_used(&parent, LEDGER_CAP_SLOTS), before.ledger[LEDGER_CAP_SLOTS].used);
		assert_int_equal(actor_used(&parent, LEDGER_KERNEL_OBJECT), before.ledger[LEDGER_KERNEL_OBJECT].used +
										    PROCESS_KERNEL_BYTES -
										    sizeof(struct endpoint));
		actor_assert_valid(&parent);
		end_child(child);
		for (uint32_t kind = 0; kind < LEDGER_COUNT; kind++)
			assert_int_equal(limit_of(parent.process, (enum ledger_kind)kind), before.ledger[kind].limit);
		end();
	}
}

/* ---- what runs out ---- */

/* Below the ring, which would try again with the frames of a stack that was given back. */
static enum status spawn_directly(struct process **child, handle_t *handle)
{
	const struct memory_file bytes = { (const uint8_t *)&file, sizeof(file) };
	const struct elf_source source = program_image_of_file(&bytes);
	const struct spawn_request direct = {
		.name = request.name,
		.parent = parent.process,
		.source = &source,
		.strings = { { strings, 2, 17 }, { strings + 17, 1, sizeof(strings) - 17 } },
		.limits = request.limit,
		.priority = request.priority,
		.grant = grant,
		.grants = request.grant_count,
	};
	uint64_t id;

	return spawn_process(&direct, child, handle, &id);
}

/* Memory for the table that the transfer goes to is the receiver's, who is not to blame by name. */
static void test_refused_promise(void **state)
{
	struct task_snapshot before;
	struct process *child;
	handle_t handle;
	uint64_t k;

	(void)state;
	begin();
	grant[0] = grant[4]; /* no slot is there when the transfer begins */
	request.grant_count = 1;
	for (uint32_t round = 0; round < 2; round++) {
		task_snapshot_take(&before, parent.process);
		for (k = 0;; k++) {
			enum status status;

			(void)machine_refuse_promise(k);
			status = spawn_directly(&child, &handle);
			if (!machine_refuse_promise(UINT64_MAX)) {
				assert_int_equal(status, STATUS_OK);
				break;
			}
			assert_int_equal(status, STATUS_OUT_OF_MEMORY);
			assert_true(task_snapshot_holds(&before, parent.process));
		}
		assert_true(k > 3 + 1 + 2 * KERNEL_STACK_PAGES + 2); /* process, thread, ring and CapSet at least */
		process_start(child);
		end_child(child);
		set_request();
	}
	end();
}

/* What a child needs of each ledger to begin. */
static void learn_needs(uint64_t needs[LEDGER_COUNT])
{
	struct ring_completion completion;
	struct process *child;

	begin();
	completion = spawn();
	child = child_of(&completion);
	task_snapshot_read_peaks(child, needs);
	end_child(child);
	end();
}

/* The child's limit, at values below the need: refused, and the parent has everything back. */
static void test_child_ledgers(void **state)
{
	uint64_t needs[LEDGER_COUNT];

	(void)state;
	learn_needs(needs);
	for (uint32_t kind = 0; kind < LEDGER_COUNT; kind++) {
		uint64_t step = needs[kind] / host_rounds(MOST_VALUES) + 1;
		struct ring_completion completion;
		struct task_snapshot before;

		begin();
		for (uint64_t below = needs[kind]; below > 0; below -= below < step ? below : step) {
			request.limit[kind] = below - 1;
			put_request();
			task_snapshot_take(&before, parent.process);
			completion = submit();
			assert_int_equal(actor_status(&completion), ledger_refusal((enum ledger_kind)kind));
			assert_true(task_snapshot_holds(&before, parent.process));
		}
		request.limit[kind] = needs[kind];
		completion = spawn();
		end_child(child_of(&completion));
		end();
	}
}

/* The parent's own unused limits: for what is carved, and for the handle. */
static void test_parent_ledgers(void **state)
{
	(void)state;
	for (uint32_t kind = 0; kind < LEDGER_COUNT; kind++) {
		uint64_t handle = kind == LEDGER_CAP_SLOTS       ? 1
				  : kind == LEDGER_KERNEL_OBJECT ? PROCESS_KERNEL_BYTES
								 : 0;
		const uint64_t short_of[] = { 1, handle, handle + 1, CHILD_LIMIT };
		struct ring_completion completion;

		begin();
		for (uint32_t i = 0; i < COUNT_OF(short_of); i++) {
			if (short_of[i] == 0)
				continue;
			machine_set_limit(&parent.process->account, (enum ledger_kind)kind,
					  actor_used(&parent, (enum ledger_kind)kind) + CHILD_LIMIT + handle -
						  short_of[i]);
			assert_refused(ledger_refusal((enum ledger_kind)kind));
		}
		machine_set_limit(&parent.process->account, (enum ledger_kind)kind,
				  actor_used(&parent, (enum ledger_kind)kind) + CHILD_LIMIT + handle);
		completion = spawn();
		end_child(child_of(&completion));
		end();
	}
}

/* ---- what is refused ---- */

static void test_bad_grants(void **state)
{
	const struct {
		enum process_grant_kind kind;
		uint32_t interface;
		enum status status;
	} bad[] = {
		{ (enum process_grant_kind)0, 0, STATUS_BAD_ARGUMENT },
		{ (enum process_grant_kind)4, 0, STATUS_BAD_ARGUMENT },
		{ PROCESS_GRANT_COPY, INTERFACE_TIMER, STATUS_BAD_ARGUMENT },
		{ PROCESS_GRANT_MOVE, 1, STATUS_BAD_ARGUMENT },
		{ PROCESS_GRANT_OWN, 0, STATUS_BAD_ARGUMENT },
		{ PROCESS_GRANT_OWN, INTERFACE_TIMER, STATUS_BAD_ARGUMENT },
		{ PROCESS_GRANT_OWN, INTERFACE_PROCESS_SPAWNER, STATUS_BAD_ARGUMENT },
		{ PROCESS_GRANT_OWN, UINT32_MAX, STATUS_BAD_ARGUMENT },
	};

	(void)state;
	begin();
	for (uint32_t place = 0; place < 6; place++) {
		for (uint32_t i = 0; i < COUNT_OF(bad); i++) {
			set_request();
			set_grant(place, "bad", bad[i].kind, timer, bad[i].interface);
			assert_refused(bad[i].status);
		}
		set_request();
		grant[place].unused = 1;
		assert_refused(STATUS_BAD_ARGUMENT);
		set_request();
		memset(grant[place].name, 0, sizeof(grant[place].name));
		assert_refused(STATUS_BAD_ARGUMENT);
		memset(grant[place].name, 'x', sizeof(grant[place].name));
		assert_refused(STATUS_BAD_ARGUMENT);
		memcpy(grant[place].name, grant[(place + 1) % 6].name, sizeof(grant[place].name));
		assert_refused(STATUS_BAD_ARGUMENT);
		set_request();
		set_grant(place, "own", PROCESS_GRANT_MOVE, own_memory, 0);
		assert_refused(STATUS_NOT_TRANSFERABLE);
		set_grant(place, "stale", PROCESS_GRANT_COPY, timer + 0x10000, 0);
		assert_refused(STATUS_NO_SUCH_CAPABILITY);
	}
	set_request();
	set_grant(3, "twice", PROCESS_GRANT_MOVE, moved, 0);
	assert_refused(STATUS_NO_SUCH_CAPABILITY);
	end();
}

static void test_bad_requests(void **state)
{
	struct ring_completion completion;

	(void)state;
	begin();
	memset(request.name, 0, sizeof(request.name));
	assert_refused(STATUS_BAD_ARGUMENT);
	memset(request.name, 'n', sizeof(request.name));
	assert_refused(STATUS_BAD_ARGUMENT);
	set_request();
	memset(request.program, 'p', sizeof(request.program));
	assert_refused(STATUS_BAD_ARGUMENT);
	memcpy(request.program, "another", 8);
	assert_refused(STATUS_NOT_FOUND);
	set_request();
	request.source = 2;
	assert_refused(STATUS_BAD_ARGUMENT);
	set_request();
	request.priority = THREAD_PRIORITY_DEFAULT + 1; /* above the parent's */
	assert_refused(STATUS_BAD_ARGUMENT);
	request.priority = UINT32_MAX;
	assert_refused(STATUS_BAD_ARGUMENT);
	set_request();
	request.grant_count = CAPSET_MAX + 1;
	assert_refused(STATUS_TOO_LONG);
	set_request();
	request.argument_bytes = PROCESS_MAX_STRING_BYTES + 1;
	assert_refused(STATUS_TOO_LONG);
	request.argument_bytes = UINT32_MAX;
	request.environment_bytes = UINT32_MAX;
	assert_refused(STATUS_TOO_LONG);
	set_request();
	request.argument_count = 1;
	assert_refused(STATUS_BAD_ARGUMENT);
	set_request();
	request.arguments = ACTOR_NOTHING;
	assert_refused(STATUS_BUFFER_FAULT);
	set_request();
	request.environment = UINT64_C(1) << 50;
	assert_refused(STATUS_NOT_USER_ADDRESS);
	set_request();
	request.grants = ACTOR_READABLE + PAGE_SIZE - 47;
	assert_refused(STATUS_BUFFER_FAULT);
	set_request();
	request.limit[LEDGER_IMAGE] = UINT64_MAX;
	assert_refused(STATUS_OVER_IMAGE);
	set_request();
	put_request();
	completion = ACTOR_CALL(parent.thread, RING_CALL, PROCESS_SPAWNER_SPAWN, spawner, REQUEST, sizeof(request) - 1);
	assert_int_equal(actor_status(&completion), STATUS_BAD_ARGUMENT);
	completion =
		ACTOR_CALL(parent.thread, RING_CALL, PROCESS_SPAWNER_SPAWN, spawner, ACTOR_NOTHING, sizeof(request));
	assert_int_equal(actor_status(&completion), STATUS_BUFFER_FAULT);
	end();
}

/* An image in a memory object: all of it, and nothing but it. */
static void test_bad_images(void **state)
{
	struct ring_completion completion;

	(void)state;
	begin();
	request.source = PROCESS_FROM_OBJECT;
	request.image = HANDLE_NONE;
	assert_refused(STATUS_NO_SUCH_CAPABILITY);
	request.image = timer;
	assert_refused(STATUS_WRONG_INTERFACE);
	request.image = image;
	request.image_bytes = sizeof(file) + 1;
	assert_refused(STATUS_BEYOND_OBJECT);
	request.image_bytes = UINT64_MAX;
	assert_refused(STATUS_BEYOND_OBJECT);
	request.image_bytes = 100;
	assert_refused(STATUS_ELF_TRUNCATED);
	completion = ACTOR_CALL(parent.thread, RING_CALL, MEMORY_OBJECT_RESTRICT, image, 0, sizeof(file), 0);
	assert_int_equal(actor_status(&completion), STATUS_OK);
	request.image = completion.capability;
	request.image_bytes = sizeof(file);
	assert_refused(STATUS_NOT_PERMITTED);
	end();
}

/* The parent ends first: the child lives on, and what it had comes back to nobody, since the parent was the last. */
static void test_orphan(void **state)
{
	struct ring_completion completion;
	struct process *child;

	(void)state;
	begin();
	completion = spawn();
	child = child_of(&completion);
	actor_end(&parent);
	assert_int_equal(process_tree_parent_id(child), 0);
	assert_true(process_is_valid(child));
	actor_end_thread(child->slot[0].thread, 0);
	task_machine_stop();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_spawn),         cmocka_unit_test(test_refused_promise),
		cmocka_unit_test(test_child_ledgers), cmocka_unit_test(test_parent_ledgers),
		cmocka_unit_test(test_bad_grants),    cmocka_unit_test(test_bad_requests),
		cmocka_unit_test(test_bad_images),    cmocka_unit_test(test_orphan),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
