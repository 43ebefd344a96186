/*
 * A server in a process of its own that does as it is told: keeps what is transferred to it, gives it back, tells its
 * ledgers, or ends. The other side of trials of transfer and of death.
 */
#ifndef CAPOS_USER_DEMOS_SPAWN_CONTRACT_HOLDER_H
#define CAPOS_USER_DEMOS_SPAWN_CONTRACT_HOLDER_H

#include "user/runtime/endpoint_client.h"
#include "user/runtime/process_client.h"
#include "user/testing/trial.h"

enum holder_method {
	HOLDER_KEEP,         /* what came with the call; value: how many */
	HOLDER_LEDGERS,      /* result: struct memory_statistics */
	HOLDER_RETURN_MOVED, /* all that is kept */
	HOLDER_RETURN_COPIED,
	HOLDER_RELEASE,  /* all that is kept */
	HOLDER_TRY_CALL, /* with the last kept, a facet: its status as the answer */
	HOLDER_EXIT,     /* without an answer */
};

struct holder {
	struct process_client process;
	struct endpoint_facet facet;
};

/* Its endpoint is made here and moved there. */
void holder_start(struct holder *holder);

/* Let it end by itself (GONE is the answer), and wait for it. */
void holder_stop(struct holder *holder);

enum status holder_call(const struct holder *holder, enum holder_method method,
			const struct transfer_descriptor *transfer, uint32_t transfers, struct endpoint_reply *reply);

struct memory_statistics holder_ledgers(const struct holder *holder);

/* What came back with the last holder_call. */
extern struct endpoint_buffer holder_result;

void holder_role(void);

#endif
