#include "user/runtime/mutex.h"

#include "user/runtime/deadline.h"
#include "user/runtime/park_client.h"
#include "user/runtime/program.h"

bool mutex_threads;

/* Own it, however long that takes, or until the time is over. */
static enum status acquire(struct mutex *mutex, uint64_t timeout_ns)
{
	struct deadline deadline = deadline_after(timeout_ns);

	/* CONTENDED even if nobody else waits: who has slept cannot know. It costs the unlock one needless wake-up. */
	while (__atomic_exchange_n(&mutex->word, MUTEX_CONTENDED, __ATOMIC_ACQUIRE) != MUTEX_FREE) {
		const uint64_t left = deadline_left(&deadline);

		GUARD(left > 0, STATUS_TIMED_OUT);
		TRY(park_client_sleep(&mutex->word, MUTEX_CONTENDED, left));
	}
	return STATUS_OK;
}

void mutex_lock_slow(struct mutex *mutex)
{
	if (!mutex_threads)
		program_abort("mutex: locked twice by the only thread", mutex);
	CHECK(acquire(mutex, PARK_FOREVER) == STATUS_OK);
}

enum status mutex_lock_within(struct mutex *mutex, uint64_t timeout_ns)
{
	if (mutex_try_lock(mutex) == STATUS_OK)
		return STATUS_OK;
	return acquire(mutex, timeout_ns);
}

void mutex_wake(struct mutex *mutex)
{
	park_client_wake(&mutex->word, 1);
}
