/* ProcessSpawner: abi/process_abi.h. All that the request points to is read once, before anything is done. */
#include "abi/process_abi.h"

#include <stddef.h>

#include "kernel/cap/call.h"
#include "kernel/mem/frame.h"
#include "kernel/mem/memory_object.h"
#include "kernel/mem/user_access.h"
#include "kernel/task/boot_package.h"
#include "kernel/task/process_capability.h"
#include "kernel/task/program_image.h"
#include "kernel/task/spawn.h"
#include "lib/check.h"
#include "lib/string.h"

/* The kernel's copy of what the request points to: two frames, since a stack is too small for it. */
struct spawn_texts {
	char text[PROCESS_MAX_STRING_BYTES];
};

struct spawn_grants {
	struct process_grant grant[CAPSET_MAX];
};

_Static_assert(sizeof(struct spawn_texts) <= PAGE_SIZE && sizeof(struct spawn_grants) <= PAGE_SIZE, "a frame each");

struct spawn_copy {
	struct process_spawn_request request;
	struct spawn_texts *texts;
	struct spawn_grants *grants;
	struct process *made; /* once it is */
};

static bool is_terminated(const char *text, size_t size)
{
	return string_length(text, size) < size;
}

static enum status check_request(const struct process_spawn_request *request)
{
	GUARD(request->name[0] != 0 && is_terminated(request->name, sizeof(request->name)), STATUS_BAD_ARGUMENT);
	GUARD(is_terminated(request->program, sizeof(request->program)), STATUS_BAD_ARGUMENT);
	GUARD(request->source <= PROCESS_FROM_OBJECT, STATUS_BAD_ARGUMENT);
	GUARD((uint64_t)request->argument_bytes + request->environment_bytes <= PROCESS_MAX_STRING_BYTES,
	      STATUS_TOO_LONG);
	GUARD(request->grant_count <= CAPSET_MAX, STATUS_TOO_LONG);
	return STATUS_OK;
}

static enum status copy_texts(struct call *call, struct spawn_copy *copy)
{
	struct address_space *space = &call->process->space;
	const struct process_spawn_request *request = &copy->request;

	TRY(user_access_read(space, request->arguments, request->argument_bytes, copy->texts->text));
	TRY(user_access_read(space, request->environment, request->environment_bytes,
			     copy->texts->text + request->argument_bytes));
	TRY(user_access_read(space, request->grants, request->grant_count * sizeof(struct process_grant),
			     copy->grants->grant));
	for (uint32_t i = 0; i < request->grant_count; i++)
		GUARD(is_terminated(copy->grants->grant[i].name, sizeof(copy->grants->grant[i].name)),
		      STATUS_BAD_ARGUMENT);
	return STATUS_OK;
}

static enum status spawn_from(struct call *call, struct spawn_copy *copy, const struct elf_source *source)
{
	const struct process_spawn_request *request = &copy->request;
	struct spawn_request spawn = {
		.name = request->name,
		.parent = call->process,
		.source = source,
		.strings = { { copy->texts->text, request->argument_count, request->argument_bytes },
			     { copy->texts->text + request->argument_bytes, request->environment_count,
			       request->environment_bytes } },
		.limits = request->limit,
		.priority = request->priority,
		.layout = { request->layout, request->layout_flags, request->layout_seed, request->stack_limit },
		.grant = copy->grants->grant,
		.grants = request->grant_count,
	};

	TRY(spawn_process(&spawn, &copy->made, &call->capability, &call->value));
	call->interface = INTERFACE_PROCESS_HANDLE;
	return STATUS_OK;
}

static enum status spawn_from_package(struct call *call, struct spawn_copy *copy)
{
	const struct archive *archive = boot_package_archive();
	struct memory_file file;
	struct elf_source source;
	uint32_t index;

	TRY(archive_find(archive, copy->request.program, &index));
	file = (struct memory_file){ archive->file[index].data, archive->file[index].size };
	source = program_image_of_file(&file);
	return spawn_from(call, copy, &source);
}

static enum status spawn_from_object(struct call *call, struct spawn_copy *copy)
{
	const struct memory_object *object;
	struct elf_source source;
	struct cap_hold hold;
	enum status status = STATUS_BEYOND_OBJECT;

	TRY(process_capability_use_interface(call->process, copy->request.image, INTERFACE_MEMORY_OBJECT, &hold));
	object = hold.object;
	if (hold.badge != 0) {
		status = STATUS_NOT_PERMITTED; /* a part of an object, or one that may only be read, is no program */
	} else if (copy->request.image_bytes <= object->pages << PAGE_SHIFT) {
		source = program_image_of_object(object, copy->request.image_bytes);
		status = spawn_from(call, copy, &source);
	}
	hold_end_use(&hold);
	return status;
}

static enum status spawn_with_copy(struct call *call, struct spawn_copy *copy)
{
	TRY(copy_texts(call, copy));
	return copy->request.source == PROCESS_FROM_PACKAGE ? spawn_from_package(call, copy)
							    : spawn_from_object(call, copy);
}

static enum status spawn(struct call *call)
{
	struct spawn_copy copy;
	enum status status;
	frame_t texts, grants;

	GUARD(call->argument[1] == sizeof(copy.request), STATUS_BAD_ARGUMENT);
	TRY(user_access_read(&call->process->space, call->argument[0], sizeof(copy.request), &copy.request));
	TRY(check_request(&copy.request));
	TRY(frame_promise(2));
	texts = frame_take(FRAME_TASK, NULL);
	grants = frame_take(FRAME_TASK, NULL);
	copy.texts = direct_map_of_frame(texts);
	copy.grants = direct_map_of_frame(grants);
	status = spawn_with_copy(call, &copy);
	frame_free(texts, FRAME_TASK, NULL);
	frame_free(grants, FRAME_TASK, NULL);
	if (status == STATUS_OK)
		process_start(copy.made);
	return status;
}

static call_handler_t *const handlers[] = { [PROCESS_SPAWNER_SPAWN] = spawn };

_Static_assert(COUNT_OF(handlers) == PROCESS_SPAWNER_OPERATION_COUNT, "a handler for each operation");

const struct call_table process_spawner_calls = { handlers, COUNT_OF(handlers) };
