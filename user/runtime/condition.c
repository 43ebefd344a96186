#include "user/runtime/condition.h"

#include "lib/check.h"
#include "user/runtime/park_client.h"

enum status condition_wait_within(struct condition *condition, struct mutex *mutex, uint64_t timeout_ns)
{
	const uint32_t sequence = __atomic_load_n(&condition->sequence, __ATOMIC_SEQ_CST);
	enum status status;

	(void)__atomic_fetch_add(&condition->waiters, 1, __ATOMIC_SEQ_CST);
	mutex_unlock(mutex);
	status = park_client_sleep(&condition->sequence, sequence, timeout_ns);
	(void)__atomic_fetch_sub(&condition->waiters, 1, __ATOMIC_SEQ_CST);
	mutex_lock(mutex);
	return status;
}

void condition_wait(struct condition *condition, struct mutex *mutex)
{
	CHECK(condition_wait_within(condition, mutex, PARK_FOREVER) == STATUS_OK);
}

static void wake(struct condition *condition, uint64_t count)
{
	if (__atomic_load_n(&condition->waiters, __ATOMIC_SEQ_CST) == 0)
		return;
	(void)__atomic_fetch_add(&condition->sequence, 1, __ATOMIC_SEQ_CST);
	park_client_wake(&condition->sequence, count);
}

void condition_signal(struct condition *condition)
{
	wake(condition, 1);
}

void condition_broadcast(struct condition *condition)
{
	wake(condition, PARK_ALL);
}
