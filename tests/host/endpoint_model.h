/*
 * A plain model of programs that share endpoints: who has which capability, and which operation of which thread is in
 * which queue. What the kernel alone can choose, ids of capabilities, is left open and learned from it.
 */
#ifndef CAPOS_TESTS_HOST_ENDPOINT_MODEL_H
#define CAPOS_TESTS_HOST_ENDPOINT_MODEL_H

#include <stdbool.h>
#include <stdint.h>

#include "abi/transfer_abi.h"
#include "tests/host/actor.h"

#define MODEL_PROGRAMS 4u
#define MODEL_THREADS 3u /* of each program */
#define MODEL_ENDPOINTS 2u
#define MODEL_CAPS 12u /* of a program, by its ledger */
#define MODEL_SENT 3u  /* in one message */

enum thing {
	OBJECT,
	OWNER,
	FACET,
	FACET_MOVE /* cannot be copied */
};

struct model_cap {
	handle_t handle; /* HANDLE_NONE: not learned yet */
	enum thing thing;
	void *object;
};

enum model_state {
	IDLE,
	CALLING,
	SERVED,
	RECEIVING
};

/* One thread, with at most one operation. */
struct model_thread {
	struct thread *thread; /* NULL: there is none */
	enum model_state state;
	struct endpoint *endpoint;
	uint64_t order;  /* in its queue */
	uint64_t id;     /* SERVED */
	uint16_t method; /* of the call that it made, or received last */
	bool has_buffer;
	uint32_t room;    /* CALLING, SERVED: bytes that its buffer has behind the header */
	uint32_t accepts; /* capabilities, at most */
	uint32_t sends;
	struct transfer_descriptor sent[MODEL_SENT];

	/* what is to be found in its ring after this step */
	bool is_done;
	int32_t result;
	uint64_t value;
	uint32_t arrived; /* the last so many of its program's capabilities */
};

struct program {
	struct actor actor;
	struct model_thread thread[MODEL_THREADS];
	struct model_cap cap[MODEL_CAPS];
	uint32_t caps;
	uint64_t frames_at_start; /* what the program has of LEDGER_FRAME_GRANT without capabilities */
};

struct model_endpoint {
	struct endpoint *endpoint; /* NULL: none */
	bool is_shut;
	uint64_t next_id;
};

struct endpoint_model {
	struct program program[MODEL_PROGRAMS];
	struct model_endpoint endpoint[MODEL_ENDPOINTS];
	uint64_t last_order;

	/* how often */
	uint64_t delivered, moved, unwanted;
	uint64_t ended[256]; /* by status */
};

extern struct endpoint_model model;

static inline struct model_thread *endpoint_model_thread(uint32_t index)
{
	return &model.program[index / MODEL_THREADS].thread[index % MODEL_THREADS];
}

struct model_endpoint *endpoint_model_of(const struct endpoint *endpoint);
struct program *endpoint_model_program(const struct model_thread *thread);

/* Its operation, or call that completes at once, ends so. */
void endpoint_model_done(struct model_thread *thread, int32_t result, uint64_t value);

/* The first in a queue, NULL if it is empty; and how many there are. */
struct model_thread *endpoint_model_first(const struct endpoint *endpoint, enum model_state state, uint32_t *count);

uint32_t endpoint_model_count_caps(const struct endpoint *endpoint, bool owners);

/* Place of a capability; program->caps: it has none of that id. */
uint32_t endpoint_model_find_cap(const struct program *program, handle_t handle);
void endpoint_model_add_cap(struct program *program, enum thing thing, void *object, handle_t handle);
void endpoint_model_remove_cap(struct program *program, uint32_t index);

/* After capabilities have gone: ends what is left without an owner. */
void endpoint_model_shut(void);

/* After a call or a receive was queued: delivers what can be. */
void endpoint_model_match(const struct endpoint *endpoint);

/*
 * Capabilities of one program for another: whether the kernel must refuse it; and that it is done. The ids are the
 * kernel's to choose: HANDLE_NONE until they are learned.
 */
enum status endpoint_model_check_transfer(const struct program *from, const struct program *to,
					  const struct transfer_descriptor *sent, uint32_t count);
void endpoint_model_transfer(struct program *from, struct program *to, const struct transfer_descriptor *sent,
			     uint32_t count);

struct model_answer {
	uint64_t id; /* of the call */
	uint32_t bytes, count;
	struct transfer_descriptor sent[MODEL_SENT];
};

/* RETURN by a program: what it is answered with. */
enum status endpoint_model_return(struct program *program, const struct model_endpoint *one,
				  const struct model_answer *answer);

#endif
