/*
 * The thread's end of its capability ring (abi/ring_abi.h), for one thread: nothing here locks.
 *
 * Two ways to use it. ring_client_call() does one operation and waits for its completion; the typed clients stand on
 * it. Or by hand, for batches and for operations that take long, with the program side of lib/ring.h on `page`:
 * ring_submit_slot, fill it, ring_publish, ring_client_enter, ring_take. All of these are inline.
 *
 * user_data of the caller's own submissions must stay below RING_CLIENT_FIRST_TICKET, so that a completion always finds
 * who waits for it. Completions that come while another one is waited for are set aside, up to RING_CQ_ENTRIES.
 */
#ifndef CAPOS_USER_RUNTIME_RING_CLIENT_H
#define CAPOS_USER_RUNTIME_RING_CLIENT_H

#include <stdint.h>

#include "abi/ring_abi.h"
#include "abi/status.h"
#include "lib/ring.h"
#include "user/runtime/system_call.h"

#define RING_CLIENT_FIRST_TICKET (UINT64_C(1) << 63)

struct ring_client {
	struct ring_page *page;
	uint64_t next_ticket; /* user_data of the next ring_client_call */
	uint32_t set_aside;
	struct ring_completion aside[RING_CQ_ENTRIES];
};

/* Of the thread that runs. */
extern _Thread_local struct ring_client ring_client_current __attribute__((tls_model("local-exec")));

/* Take hold of the thread's ring: UNSUPPORTED if it is of another version or size than lib/ring.h knows. */
enum status ring_client_init(struct ring_client *ring, struct ring_page *page);

/*
 * Let the kernel take what was published and wait until `min_complete` completions are there or the time is over
 * (CAP_ENTER_FOREVER: no end). What the kernel refuses, such as TIMED_OUT, comes back.
 */
static inline enum status ring_client_enter(uint32_t min_complete, uint64_t timeout_ns)
{
	int64_t result = system_call_cap_enter(min_complete, timeout_ns);

	return result < 0 ? (enum status) - result : STATUS_OK;
}

/* What a completion of a kernel object says. */
static inline enum status ring_client_status(const struct ring_completion *completion)
{
	return completion->result < 0 ? (enum status) - completion->result : STATUS_OK;
}

/*
 * Wait for the completion with that user_data, entering as often as needed. BUSY: as many others as can be set aside
 * have come already; take them first.
 */
enum status ring_client_wait(struct ring_client *ring, uint64_t user_data, struct ring_completion *completion);

/*
 * Submit one operation on the current thread's ring and wait for it; user_data is filled in here. Returns what the
 * operation answered; the completion is good for every answer that the kernel gave to it.
 */
enum status ring_client_call(const struct ring_submission *request, struct ring_completion *completion);

/* The same for a caller that wants only the result word; `value` is left alone when the answer is not OK. */
enum status ring_client_call_value(const struct ring_submission *request, uint64_t *value);

/* The same for a caller that wants only the answer. */
enum status ring_client_call_plain(const struct ring_submission *request);

/* Give up a capability, whatever it is: NO_SUCH_CAPABILITY. */
enum status ring_client_release(handle_t capability);

#endif
