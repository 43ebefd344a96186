/*
 * Clients and owners of one endpoint, for tests: what they send and receive lies at fixed places of their memory.
 */
#ifndef CAPOS_TESTS_HOST_ENDPOINT_SCENE_H
#define CAPOS_TESTS_HOST_ENDPOINT_SCENE_H

#include <stdint.h>

#include "abi/endpoint_abi.h"
#include "kernel/task/endpoint.h"
#include "tests/host/actor.h"

#define SCENE_PARAMETERS ACTOR_MEMORY
#define SCENE_DESCRIPTORS (ACTOR_MEMORY + 0x800)
#define SCENE_RESULT (ACTOR_MEMORY + PAGE_SIZE)
#define SCENE_RECEIVE (ACTOR_MEMORY + 2 * PAGE_SIZE)
#define SCENE_ROOM (sizeof(struct endpoint_message) + ENDPOINT_MAX_BYTES)
#define SCENE_BADGE UINT64_C(0xb000000000000001)

struct endpoint_scene {
	struct actor client, owner, other; /* `other` has nothing at first */
	struct endpoint *endpoint;
	handle_t owned; /* the owner's capability */
	handle_t facet; /* the client's, with SCENE_BADGE */
};

extern struct endpoint_scene ends;

void endpoint_scene_begin(void);
void endpoint_scene_end(void);

/* What a CALL or RETURN sends. */
struct parcel {
	const void *bytes;
	uint64_t count;
	struct transfer_descriptor capability[TRANSFER_MAX];
	uint32_t capabilities;
};

/*
 * CALL with a result buffer of so many bytes (0: none); RECEIVE with a buffer of so many. Both take as many
 * capabilities as there can be. Their user data.
 */
uint64_t endpoint_scene_call(struct thread *thread, handle_t facet, uint16_t method, const struct parcel *parcel,
			     uint64_t result_bytes);
uint64_t endpoint_scene_receive(struct thread *thread, handle_t owned, uint64_t bytes);

/* RETURN; its status. */
enum status endpoint_scene_return(struct thread *thread, handle_t owned, uint64_t call, uint32_t answer, uint64_t value,
				  const struct parcel *parcel);

/* The completion that waits, which is the only one. */
struct ring_completion endpoint_scene_completion(struct thread *thread);
enum status endpoint_scene_status(struct thread *thread);

/* No completion waits. */
void endpoint_scene_assert_waits(struct thread *thread);

/* A call that is received: its id. */
uint64_t endpoint_scene_serve(void);

/* The header and bytes at SCENE_RESULT or SCENE_RECEIVE. */
struct message_read {
	struct endpoint_message header;
	uint8_t bytes[ENDPOINT_MAX_BYTES];
};

struct message_read endpoint_scene_read(struct actor *actor, uint64_t address);

/* How many operations are in each queue; and all of them valid. */
void endpoint_scene_assert_queues(uint32_t calls, uint32_t receivers, uint32_t served);

#endif
