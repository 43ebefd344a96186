#include "user/demos/spawn-contract/origin_trials.h"

#include <stddef.h>

#include "lib/check.h"
#include "user/demos/spawn-contract/holder.h"
#include "user/runtime/program.h"
#include "user/testing/trial.h"
#include "user/testing/trial_child.h"

/* Of the first capability of that interface in a process's table, from a slot on. */
static void expect_origin(uint64_t process, uint64_t slot, enum interface_id interface, uint64_t origin)
{
	struct inspector_capability found = { .interface = INTERFACE_NONE };

	for (; found.interface != interface; slot = (uint64_t)found.slot + 1)
		EXPECT_OK(inspector_client_capability(trial.inspector, process, slot, &found));
	EXPECT_EQUAL(found.origin, origin);
}

static void expect_own(handle_t handle, enum interface_id interface, uint64_t origin)
{
	expect_origin(program_process_id(), handle & HANDLE_INDEX_MASK, interface, origin);
}

static uint64_t parent_of(uint64_t process)
{
	struct inspector_process found = { .process_id = 0 };

	for (uint64_t i = 0; found.process_id != process; i++) {
		if (inspector_client_process(trial.inspector, i, &found) != STATUS_OK) {
			trial_break("no process %lu", (unsigned long)process);
			return UINT64_MAX;
		}
	}
	return found.parent_id;
}

/* Whoever started this program has given it these; the kernel, if that is who did. */
static void granted_by_the_parent(void)
{
	const uint64_t parent = parent_of(program_process_id());

	expect_own(trial.console.handle, INTERFACE_CONSOLE, parent);
	expect_own(trial.memory.handle, INTERFACE_VIRTUAL_MEMORY, parent);
	expect_own(trial.spawner.handle, INTERFACE_PROCESS_SPAWNER, parent);
}

static void results_are_ones_own(void)
{
	const struct memory_object_part first_page = { .length = PAGE_SIZE };
	const uint64_t own = program_process_id();
	struct memory_object_client object, part;
	struct endpoint_client endpoint;
	struct endpoint_facet facet;
	struct process_builder builder;
	struct process_client process;

	EXPECT_OK(trial_object(2, &object));
	EXPECT_OK(memory_object_client_restrict(object, &first_page, &part));
	EXPECT_OK(endpoint_client_create(trial.endpoints, &endpoint));
	EXPECT_OK(endpoint_client_make_client(endpoint, 1, true, &facet));
	trial_child_build(&builder, "exit");
	trial_child_argument(&builder, 0);
	EXPECT_OK(trial_child_start(&builder, &process));
	expect_own(object.handle, INTERFACE_MEMORY_OBJECT, own);
	expect_own(part.handle, INTERFACE_MEMORY_OBJECT, own);
	expect_own(endpoint.handle, INTERFACE_ENDPOINT, own);
	expect_own(facet.handle, INTERFACE_ENDPOINT_CLIENT, own);
	expect_own(process.handle, INTERFACE_PROCESS_HANDLE, own);
	trial_child_expect(process, PROCESS_EXITED, 0);
	EXPECT_OK(ring_client_release(facet.handle));
	EXPECT_OK(ring_client_release(endpoint.handle));
	EXPECT_OK(ring_client_release(part.handle));
	EXPECT_OK(ring_client_release(object.handle));
}

/* From us to one child, back, and on to another: each time the last one that gave it, not the first. */
static void last_giver_counts(void)
{
	const uint64_t own = program_process_id();
	struct transfer_descriptor sent = { .kind = TRANSFER_KIND_MOVE };
	struct memory_object_client object;
	struct endpoint_reply reply;
	struct holder first, second;

	holder_start(&first);
	holder_start(&second);
	expect_origin(first.process.process_id, 0, INTERFACE_ENDPOINT, own);
	expect_origin(first.process.process_id, 0, INTERFACE_VIRTUAL_MEMORY, own);
	EXPECT_OK(trial_object(1, &object));
	sent.capability = object.handle;
	EXPECT_OK(holder_call(&first, HOLDER_KEEP, &sent, 1, &reply));
	expect_origin(first.process.process_id, 0, INTERFACE_MEMORY_OBJECT, own);
	EXPECT_OK(holder_call(&first, HOLDER_RETURN_MOVED, NULL, 0, &reply));
	expect_own(reply.capability.capability, INTERFACE_MEMORY_OBJECT, first.process.process_id);
	sent = (struct transfer_descriptor){ reply.capability.capability, TRANSFER_KIND_COPY };
	EXPECT_OK(holder_call(&second, HOLDER_KEEP, &sent, 1, &reply));
	expect_origin(second.process.process_id, 0, INTERFACE_MEMORY_OBJECT, own);
	expect_own(sent.capability, INTERFACE_MEMORY_OBJECT, first.process.process_id);
	holder_stop(&first);
	expect_own(sent.capability, INTERFACE_MEMORY_OBJECT, first.process.process_id); /* ids are never used again */
	holder_stop(&second);
	EXPECT_OK(ring_client_release(sent.capability));
}

void origin_trials_check(void)
{
	static const struct trial_case cases[] = {
		{ "origin-of-grants-is-the-parent", granted_by_the_parent },
		{ "origin-of-results-is-ones-own", results_are_ones_own },
		{ "origin-is-the-last-giver", last_giver_counts },
	};

	trial_check(cases, COUNT_OF(cases));
}
