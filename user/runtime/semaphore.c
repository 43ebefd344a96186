#include "user/runtime/semaphore.h"

#include <stdbool.h>

#include "lib/check.h"
#include "user/runtime/deadline.h"
#include "user/runtime/park_client.h"

/*
 * All accesses are sequentially consistent: "say that one waits, then look at the count" and "change the count, then
 * look who waits" must not both miss the other.
 */
enum status semaphore_try_wait(struct semaphore *semaphore)
{
	uint32_t count = __atomic_load_n(&semaphore->count, __ATOMIC_SEQ_CST);

	do {
		GUARD(count > 0, STATUS_WOULD_BLOCK);
	} while (!__atomic_compare_exchange_n(&semaphore->count, &count, count - 1, false, __ATOMIC_SEQ_CST,
					      __ATOMIC_SEQ_CST));
	return STATUS_OK;
}

/* Between counting itself among the waiters and no more. */
static enum status wait_counted(struct semaphore *semaphore, const struct deadline *deadline)
{
	while (semaphore_try_wait(semaphore) != STATUS_OK) {
		const uint64_t left = deadline_left(deadline);

		GUARD(left > 0, STATUS_TIMED_OUT);
		TRY(park_client_sleep(&semaphore->count, 0, left));
	}
	return STATUS_OK;
}

enum status semaphore_wait_within(struct semaphore *semaphore, uint64_t timeout_ns)
{
	struct deadline deadline;
	enum status status;

	if (semaphore_try_wait(semaphore) == STATUS_OK)
		return STATUS_OK;
	deadline = deadline_after(timeout_ns);
	(void)__atomic_fetch_add(&semaphore->waiters, 1, __ATOMIC_SEQ_CST);
	status = wait_counted(semaphore, &deadline);
	(void)__atomic_fetch_sub(&semaphore->waiters, 1, __ATOMIC_SEQ_CST);
	return status;
}

void semaphore_wait(struct semaphore *semaphore)
{
	CHECK(semaphore_wait_within(semaphore, PARK_FOREVER) == STATUS_OK);
}

enum status semaphore_post(struct semaphore *semaphore)
{
	uint32_t count = __atomic_load_n(&semaphore->count, __ATOMIC_SEQ_CST);

	do {
		GUARD(count < UINT32_MAX, STATUS_TOO_LONG);
	} while (!__atomic_compare_exchange_n(&semaphore->count, &count, count + 1, false, __ATOMIC_SEQ_CST,
					      __ATOMIC_SEQ_CST));
	if (__atomic_load_n(&semaphore->waiters, __ATOMIC_SEQ_CST) > 0)
		park_client_wake(&semaphore->count, 1);
	return STATUS_OK;
}
