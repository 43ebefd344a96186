#include "user/runtime/park_client.h"

#include "user/runtime/capset_client.h"
#include "user/runtime/open_operation.h"
#include "user/runtime/program.h"
#include "user/runtime/ring_client.h"

/* What a thread without a place for one more operation waits before it looks again. */
#define BUSY_WAIT_NS UINT64_C(1000000)

static struct park_client own;

void park_client_init(void)
{
	if (capset_client_find("park", INTERFACE_PARK_SPACE, &own.handle) != STATUS_OK)
		own.handle = HANDLE_NONE;
}

enum status park_client_park(struct park_client client, const uint32_t *word, uint32_t expected, uint64_t timeout_ns)
{
	const uint64_t ticket = open_operation_ticket();
	struct ring_completion completion;
	struct ring_submission *slot;

	TRY(open_operation_begin((struct open_operation_head){ RING_PARK, 0, client.handle }, ticket, &slot));
	slot->argument[0] = (uint64_t)word;
	slot->argument[1] = expected;
	slot->argument[2] = timeout_ns;
	open_operation_finish();
	TRY(open_operation_wait(ticket, CAP_ENTER_FOREVER, &completion));
	return ring_client_status(&completion);
}

enum status park_client_unpark(struct park_client client, const uint32_t *word, uint64_t count, uint64_t *woken)
{
	const uint64_t ticket = open_operation_ticket();
	struct ring_completion completion;
	struct ring_submission *slot;

	TRY(open_operation_begin((struct open_operation_head){ RING_UNPARK, 0, client.handle }, ticket, &slot));
	slot->argument[0] = (uint64_t)word;
	slot->argument[1] = count;
	open_operation_finish();
	TRY(open_operation_wait(ticket, CAP_ENTER_FOREVER, &completion));
	*woken = completion.value;
	return ring_client_status(&completion);
}

enum status park_client_sleep(const uint32_t *word, uint32_t expected, uint64_t timeout_ns)
{
	const uint64_t busy_ns = timeout_ns < BUSY_WAIT_NS ? timeout_ns : BUSY_WAIT_NS;
	const enum status status = park_client_park(own, word, expected, timeout_ns);

	if (status == STATUS_OK || status == STATUS_WOULD_BLOCK)
		return STATUS_OK;
	if (status == STATUS_BUSY)
		return ring_client_enter(RING_CQ_ENTRIES, busy_ns);
	if (status != STATUS_TIMED_OUT)
		program_abort("cannot sleep on this word", word);
	return STATUS_TIMED_OUT;
}

void park_client_wake(const uint32_t *word, uint64_t count)
{
	uint64_t ignored;

	if (park_client_unpark(own, word, count, &ignored) != STATUS_OK)
		program_abort("cannot wake who sleeps on this word", word);
}
