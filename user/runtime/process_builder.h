/*
 * A request to spawn a process, put together step by step in storage of the caller's (abi/process_abi.h). Nothing is
 * allocated and nothing points into the builder, so it may be copied, and spawned from as often as wanted.
 *
 * Texts are copied, 0-terminated; an empty name is ZERO_LENGTH, everywhere. Of source (program or image) and of each
 * ledger's limit the last word counts.
 */
#ifndef CAPOS_USER_RUNTIME_PROCESS_BUILDER_H
#define CAPOS_USER_RUNTIME_PROCESS_BUILDER_H

#include <stdint.h>

#include "abi/capset.h"
#include "abi/handle.h"
#include "abi/interface.h"
#include "abi/process_abi.h"
#include "abi/status.h"
#include "user/runtime/memory_object_client.h"
#include "user/runtime/virtual_memory_client.h"

struct process_builder {
	struct process_spawn_request request; /* addresses are filled in by process_builder_request */
	struct process_grant grant[CAPSET_MAX];
	char strings[PROCESS_MAX_STRING_BYTES]; /* the arguments, then the environment */
};

/* No grant, no argument, no environment, limits 0, THREAD_PRIORITY_DEFAULT. TOO_LONG: the name. */
enum status process_builder_init(struct process_builder *builder, const char *name);

/* The program is this file of the boot package. TOO_LONG. */
enum status process_builder_program(struct process_builder *builder, const char *file);

/* The program is the first `bytes` bytes of a memory object. */
void process_builder_image(struct process_builder *builder, struct memory_object_client image, uint64_t bytes);

/* One more argument; the first is the program's own name, by custom. TOO_LONG: more than a request takes. */
enum status process_builder_argument(struct process_builder *builder, const char *text);

/* One more "NAME=value". TOO_LONG. */
enum status process_builder_environment(struct process_builder *builder, const char *text);

/* The child holds it too, under that name of its CapSet. TOO_LONG: the name, or more than CAPSET_MAX grants. */
enum status process_builder_grant_copy(struct process_builder *builder, const char *name, handle_t capability);

/* The child holds it and the caller no more, if the spawn succeeds. TOO_LONG. */
enum status process_builder_grant_move(struct process_builder *builder, const char *name, handle_t capability);

/* The child's own VIRTUAL_MEMORY, THREAD_CONTROL or PARK_SPACE. TOO_LONG; BAD_ARGUMENT: another interface. */
enum status process_builder_grant_own(struct process_builder *builder, const char *name, enum interface_id interface);

/* The child's own three, under the names by which the runtime looks for them: "memory", "threads", "park". TOO_LONG. */
enum status process_builder_grant_usual(struct process_builder *builder);

/* Pages, slots or bytes, as the ledger counts. */
void process_builder_limit(struct process_builder *builder, enum ledger_kind ledger, uint64_t limit);

/*
 * For each ledger `part` of `of` equal parts of what the caller has not used of its own, which `memory` tells.
 * BAD_ARGUMENT: `of` is 0 or less than `part`; the refusals of virtual_memory_client_statistics.
 */
enum status process_builder_limit_share(struct process_builder *builder, struct virtual_memory_client memory,
					uint32_t part, uint32_t of);

/* The highest priority of the child's threads, and that of its first one; below THREAD_PRIORITIES. */
void process_builder_priority(struct process_builder *builder, uint32_t priority);

/* Where the child's parts lie: enum process_layout, PROCESS_LAYOUT_* flags, and the seed of SEEDED, else 0. */
void process_builder_layout(struct process_builder *builder, enum process_layout layout, uint32_t flags, uint64_t seed);

/* Bytes that the stack of its first thread may grow to; 0: the usual limit. */
void process_builder_stack_limit(struct process_builder *builder, uint64_t bytes);

/* The request as the kernel wants it; it points into the builder, which must stay where it is until the spawn. */
struct process_spawn_request process_builder_request(const struct process_builder *builder);

#endif
