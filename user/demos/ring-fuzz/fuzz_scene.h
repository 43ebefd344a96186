/*
 * What a fuzzing process has, and arguments made of it. Its threads share it without a lock: what one of them reads
 * while another writes is one more odd argument.
 */
#ifndef CAPOS_USER_DEMOS_RING_FUZZ_FUZZ_SCENE_H
#define CAPOS_USER_DEMOS_RING_FUZZ_FUZZ_SCENE_H

#include <stdint.h>

#include "abi/interface.h"
#include "abi/memory_layout.h"
#include "abi/ring_abi.h"
#include "abi/transfer_abi.h"
#include "user/demos/ring-fuzz/fuzz_operation.h"
#include "user/protocol/random_sequence.h"
#include "user/runtime/process_builder.h"

#define FUZZ_KEPT 16u
#define FUZZ_BUFFER_BYTES 2048u
#define FUZZ_STACKS 8u
#define FUZZ_STACK_BYTES 4096u

struct fuzz_mapping {
	handle_t object;
	uint64_t address;
};

struct fuzz_scene {
	handle_t base[INTERFACE_COUNT];            /* what it began with */
	handle_t made[INTERFACE_COUNT][FUZZ_KEPT]; /* what came of operations */
	uint64_t address[FUZZ_KEPT];               /* ranges that were given */
	struct fuzz_mapping mapped[FUZZ_KEPT];     /* of objects */
	uint64_t call[FUZZ_KEPT];                  /* ids of calls that were received */
	uint64_t ticket[FUZZ_KEPT];                /* user_data */
	uint32_t word[4];                          /* to park on */
	uint64_t heap_end;
	struct process_builder builder;
	struct process_spawn_request request;
	struct transfer_descriptor transfer[TRANSFER_MAX];
	char name[16];
	uint8_t buffer[FUZZ_BUFFER_BYTES];
	uint8_t stack[FUZZ_STACKS][FUZZ_STACK_BYTES] __attribute__((aligned(16)));
};

/* From the CapSet. */
void fuzz_scene_make(struct fuzz_scene *scene);

/* Remember what an operation has given that was submitted on that capability. */
void fuzz_scene_keep(struct fuzz_scene *scene, struct random_sequence *random, const struct fuzz_operation *operation,
		     handle_t capability, const struct ring_completion *completion);

/* One that operations gave, or what it began with; HANDLE_NONE if there is none of that interface. */
handle_t fuzz_scene_capability(const struct fuzz_scene *scene, struct random_sequence *random, uint32_t interface);

/* One that operations gave, or HANDLE_NONE. */
handle_t fuzz_scene_made(const struct fuzz_scene *scene, struct random_sequence *random, uint32_t interface);

/* In or near a range that was given. */
uint64_t fuzz_scene_address(const struct fuzz_scene *scene, struct random_sequence *random);

uint64_t fuzz_scene_argument(struct fuzz_scene *scene, struct random_sequence *random, enum fuzz_argument argument);

#endif
