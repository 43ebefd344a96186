#include "user/runtime/process_builder.h"

#include "abi/thread_control_abi.h"
#include "lib/check.h"
#include "lib/string.h"

/* A name with its 0 into `size` bytes. */
static enum status copy_name(char *to, size_t size, const char *from)
{
	GUARD(from[0] != '\0', STATUS_ZERO_LENGTH);
	GUARD(string_length(from, size) < size, STATUS_TOO_LONG);
	(void)string_copy(to, size, from);
	return STATUS_OK;
}

enum status process_builder_init(struct process_builder *builder, const char *name)
{
	memset(builder, 0, sizeof(*builder));
	builder->request.priority = THREAD_PRIORITY_DEFAULT;
	return copy_name(builder->request.name, sizeof(builder->request.name), name);
}

enum status process_builder_program(struct process_builder *builder, const char *file)
{
	TRY(copy_name(builder->request.program, sizeof(builder->request.program), file));
	builder->request.source = PROCESS_FROM_PACKAGE;
	return STATUS_OK;
}

void process_builder_image(struct process_builder *builder, struct memory_object_client image, uint64_t bytes)
{
	builder->request.source = PROCESS_FROM_OBJECT;
	builder->request.image = image.handle;
	builder->request.image_bytes = bytes;
}

/* How many bytes `text` takes with its 0, if one more string of that length fits. */
static enum status room_for(const struct process_builder *builder, const char *text, uint32_t *bytes)
{
	const struct process_spawn_request *request = &builder->request;
	const uint32_t left = PROCESS_MAX_STRING_BYTES - request->argument_bytes - request->environment_bytes;
	const size_t length = string_length(text, left);

	GUARD(request->argument_count + request->environment_count < PROCESS_MAX_STRINGS, STATUS_TOO_LONG);
	GUARD(length < left, STATUS_TOO_LONG);
	*bytes = (uint32_t)length + 1;
	return STATUS_OK;
}

enum status process_builder_argument(struct process_builder *builder, const char *text)
{
	struct process_spawn_request *request = &builder->request;
	char *end = builder->strings + request->argument_bytes;
	uint32_t bytes;

	TRY(room_for(builder, text, &bytes));
	memmove(end + bytes, end, request->environment_bytes);
	memcpy(end, text, bytes);
	request->argument_bytes += bytes;
	request->argument_count++;
	return STATUS_OK;
}

enum status process_builder_environment(struct process_builder *builder, const char *text)
{
	struct process_spawn_request *request = &builder->request;
	uint32_t bytes;

	TRY(room_for(builder, text, &bytes));
	memcpy(builder->strings + request->argument_bytes + request->environment_bytes, text, bytes);
	request->environment_bytes += bytes;
	request->environment_count++;
	return STATUS_OK;
}

/* The next grant, named; it counts when all of it is filled in. */
static enum status next_grant(struct process_builder *builder, const char *name, struct process_grant **grant)
{
	GUARD(builder->request.grant_count < CAPSET_MAX, STATUS_TOO_LONG);
	*grant = &builder->grant[builder->request.grant_count];
	TRY(copy_name((*grant)->name, sizeof((*grant)->name), name));
	builder->request.grant_count++;
	return STATUS_OK;
}

enum status process_builder_grant_copy(struct process_builder *builder, const char *name, handle_t capability)
{
	struct process_grant *grant;

	TRY(next_grant(builder, name, &grant));
	grant->kind = PROCESS_GRANT_COPY;
	grant->capability = capability;
	return STATUS_OK;
}

enum status process_builder_grant_move(struct process_builder *builder, const char *name, handle_t capability)
{
	struct process_grant *grant;

	TRY(next_grant(builder, name, &grant));
	grant->kind = PROCESS_GRANT_MOVE;
	grant->capability = capability;
	return STATUS_OK;
}

enum status process_builder_grant_own(struct process_builder *builder, const char *name, enum interface_id interface)
{
	struct process_grant *grant;

	GUARD(interface == INTERFACE_VIRTUAL_MEMORY || interface == INTERFACE_THREAD_CONTROL ||
		      interface == INTERFACE_PARK_SPACE,
	      STATUS_BAD_ARGUMENT);
	TRY(next_grant(builder, name, &grant));
	grant->kind = PROCESS_GRANT_OWN;
	grant->interface = interface;
	return STATUS_OK;
}

enum status process_builder_grant_usual(struct process_builder *builder)
{
	TRY(process_builder_grant_own(builder, "memory", INTERFACE_VIRTUAL_MEMORY));
	TRY(process_builder_grant_own(builder, "threads", INTERFACE_THREAD_CONTROL));
	return process_builder_grant_own(builder, "park", INTERFACE_PARK_SPACE);
}

void process_builder_limit(struct process_builder *builder, enum ledger_kind ledger, uint64_t limit)
{
	builder->request.limit[ledger] = limit;
}

enum status process_builder_limit_share(struct process_builder *builder, struct virtual_memory_client memory,
					uint32_t part, uint32_t of)
{
	struct memory_statistics statistics;

	GUARD(of > 0 && part <= of, STATUS_BAD_ARGUMENT);
	TRY(virtual_memory_client_statistics(memory, &statistics));
	for (uint32_t i = 0; i < LEDGER_COUNT; i++) {
		const uint64_t unused = statistics.ledger[i].limit - statistics.ledger[i].used;

		builder->request.limit[i] = unused / of * part + unused % of * part / of; /* no product wraps */
	}
	return STATUS_OK;
}

void process_builder_priority(struct process_builder *builder, uint32_t priority)
{
	builder->request.priority = priority;
}

void process_builder_layout(struct process_builder *builder, enum process_layout layout, uint32_t flags, uint64_t seed)
{
	builder->request.layout = layout;
	builder->request.layout_flags = flags;
	builder->request.layout_seed = seed;
}

void process_builder_stack_limit(struct process_builder *builder, uint64_t bytes)
{
	builder->request.stack_limit = bytes;
}

struct process_spawn_request process_builder_request(const struct process_builder *builder)
{
	struct process_spawn_request request = builder->request;

	request.arguments = (uint64_t)builder->strings;
	request.environment = (uint64_t)(builder->strings + request.argument_bytes);
	request.grants = (uint64_t)builder->grant;
	return request;
}
