#include "user/demos/spawn-contract/thread_trials.h"

#include <stddef.h>

#include "lib/check.h"
#include "user/demos/spawn-contract/register_hold.h"
#include "user/runtime/program.h"
#include "user/runtime/user_thread.h"
#include "user/testing/trial.h"
#include "user/testing/trial_child.h"

#define MANY 8u
#define BUSY_OF_A_CPU 6u /* more than SWITCHES_OF_A_SLEEP */

static int64_t answer(void *code)
{
	return (int64_t)code;
}

static void create_and_join(void)
{
	struct user_thread thread[MANY];

	for (uint64_t i = 0; i < MANY; i++)
		trial_thread(&thread[i], answer, (void *)(i * 1000 - 3));
	for (uint64_t i = MANY; i-- > 0;)
		trial_join(&thread[i], (int64_t)(i * 1000 - 3));
}

static int64_t leave_deep(void *code)
{
	user_thread_exit((int64_t)code + 1);
}

static void exit_from_anywhere(void)
{
	struct user_thread thread;

	trial_thread(&thread, leave_deep, (void *)41);
	trial_join(&thread, 42);
}

static void ids_are_never_used_again(void)
{
	uint64_t last[2] = { 0, 0 };
	struct user_thread thread;

	for (uint32_t i = 0; i < 40; i++) {
		trial_thread(&thread, answer, NULL);
		EXPECT(thread.id != 0 && thread.id != last[0] && thread.id != last[1]);
		last[i % 2] = thread.id;
		trial_join(&thread, 0);
	}
}

static int64_t sleep_on(void *word)
{
	return park_client_sleep(word, 0, PARK_FOREVER) == STATUS_OK ? 0 : 1;
}

static void no_more_than_64(void)
{
	static struct user_thread thread[THREAD_MAX];
	static uint32_t word;
	uint32_t count = 1; /* ourselves */

	word = 0;
	while (count < THREAD_MAX)
		trial_thread(&thread[count++], sleep_on, &word);
	EXPECT_STATUS(user_thread_start(&thread[0], answer, NULL, NULL), STATUS_BUSY);
	word = 1;
	park_client_wake(&word, PARK_ALL);
	for (uint32_t i = 1; i < THREAD_MAX; i++)
		trial_join(&thread[i], 0);
	trial_thread(&thread[0], answer, NULL);
	trial_join(&thread[0], 0);
}

/* An id that nobody waited for keeps its place, and nothing else. */
static void ended_threads_keep_their_ids(void)
{
	static struct user_thread thread[THREAD_MAX];

	for (uint32_t i = 1; i < THREAD_MAX; i++)
		trial_thread(&thread[i], answer, (void *)(uint64_t)i);
	trial_sleep(TRIAL_MS(30));
	EXPECT_STATUS(user_thread_start(&thread[0], answer, NULL, NULL), STATUS_BUSY);
	for (uint32_t i = 1; i < THREAD_MAX; i++)
		trial_join(&thread[i], i);
}

static void bad_beginnings_are_refused(void)
{
	static const struct thread_begin good = {
		.entry = 0x400000, .stack = 0x500000, .tls = 0x500000, .priority = 1
	};
	struct thread_begin begin;
	uint64_t id;

	begin = good;
	begin.stack = 0;
	EXPECT_STATUS(thread_client_create(trial.threads, &begin, &id), STATUS_NOT_USER_ADDRESS);
	for (uint32_t i = 0; i < 2; i++) {
		static const uint64_t bad[] = { UINT64_C(0xffff800000000000), UINT64_C(0x0000800000000000) };

		begin = good;
		begin.entry = bad[i];
		EXPECT_STATUS(thread_client_create(trial.threads, &begin, &id), STATUS_NOT_USER_ADDRESS);
		begin = good;
		begin.stack = bad[i] + 16;
		EXPECT_STATUS(thread_client_create(trial.threads, &begin, &id), STATUS_NOT_USER_ADDRESS);
		begin = good;
		begin.tls = bad[i];
		EXPECT_STATUS(thread_client_create(trial.threads, &begin, &id), STATUS_NOT_USER_ADDRESS);
	}
	begin = good;
	begin.priority = THREAD_PRIORITIES;
	EXPECT_STATUS(thread_client_create(trial.threads, &begin, &id), STATUS_BAD_ARGUMENT);
}

static void waits_that_are_refused(void)
{
	struct thread_exit exit;
	struct user_thread thread;
	uint64_t self;

	EXPECT_OK(thread_client_self(trial.threads, &self));
	EXPECT_STATUS(thread_client_wait(trial.threads, self, &exit), STATUS_BAD_ARGUMENT);
	EXPECT_STATUS(thread_client_wait(trial.threads, 77, &exit), STATUS_NOT_FOUND);
	EXPECT_STATUS(thread_client_wait(trial.threads, UINT64_MAX, &exit), STATUS_NOT_FOUND);
	trial_thread(&thread, answer, NULL);
	const uint64_t id = thread.id;

	trial_join(&thread, 0);
	EXPECT_STATUS(thread_client_wait(trial.threads, id, &exit), STATUS_NOT_FOUND);
	EXPECT_STATUS(thread_client_set_priority(trial.threads, id, 1), STATUS_NOT_FOUND);
}

/* ---- what each has for itself ---- */

static _Thread_local uint64_t initialised = 0x1122334455667788;
static _Thread_local char zeroed[100];

static int64_t use_storage(void *pattern)
{
	if (initialised != 0x1122334455667788 || zeroed[0] != 0 || zeroed[99] != 0)
		return 1;
	for (uint32_t i = 0; i < 2000; i++) {
		initialised = (uint64_t)pattern + i;
		zeroed[i % sizeof(zeroed)] = (char)i;
		if (i % 100 == 0 && thread_client_yield(trial.threads) != STATUS_OK)
			return 2;
		if (initialised != (uint64_t)pattern + i || zeroed[i % sizeof(zeroed)] != (char)i)
			return 3;
	}
	return 0;
}

static void storage_is_a_threads_own(void)
{
	struct user_thread thread[MANY];

	for (uint64_t i = 0; i < MANY; i++)
		trial_thread(&thread[i], use_storage, (void *)(i << 32));
	for (uint64_t i = 0; i < MANY; i++)
		trial_join(&thread[i], 0);
	EXPECT_EQUAL(initialised, UINT64_C(0x1122334455667788));
}

static int64_t use_ring(void *seen)
{
	*(uint64_t *)seen = (uint64_t)ring_client_current.page;
	for (uint32_t i = 0; i < 200; i++) {
		uint64_t now;

		if (timer_client_now(trial.timer, &now) != STATUS_OK)
			return 1;
	}
	return 0;
}

static void each_has_a_ring(void)
{
	struct user_thread thread[MANY];
	uint64_t ring[MANY];

	for (uint32_t i = 0; i < MANY; i++)
		trial_thread(&thread[i], use_ring, &ring[i]);
	for (uint32_t i = 0; i < MANY; i++)
		trial_join(&thread[i], 0);
	for (uint32_t i = 0; i < MANY; i++) {
		EXPECT(ring[i] > RING_ADDRESS && ring[i] < BOOTSTRAP_END && ring[i] % PAGE_SIZE == 0);
		for (uint32_t j = 0; j < i; j++)
			EXPECT(ring[i] != ring[j] || thread[i].id != thread[j].id);
	}
}

static int64_t hold_registers(void *pattern)
{
	return (int64_t)register_hold((uint64_t)pattern, 3000, (uint64_t)pattern >> 32 & 1);
}

/* Vector registers, x87, rounding control: through preemption, and through system calls. */
static void registers_are_kept(void)
{
	struct user_thread thread[MANY];

	for (uint64_t i = 0; i < MANY; i++)
		trial_thread(&thread[i], hold_registers, (void *)(i << 32 | i * 77777));
	for (uint32_t i = 0; i < MANY; i++)
		trial_join(&thread[i], 0);
	EXPECT(register_has_avx() <= 1);
}

/* ---- turns ---- */

static struct {
	uint32_t stop;
	uint32_t count[BUSY_OF_A_CPU * MANY]; /* rounds of each */
} busy;

static int64_t be_busy(void *index)
{
	while (__atomic_load_n(&busy.stop, __ATOMIC_RELAXED) == 0)
		__atomic_fetch_add(&busy.count[(uint64_t)index], 1, __ATOMIC_RELAXED);
	return 0;
}

static void start_busy(struct user_thread *thread, uint32_t count, uint32_t priority)
{
	const struct user_thread_options options = { .priority = priority };

	busy.stop = 0;
	for (uint64_t i = 0; i < count; i++) {
		busy.count[i] = 0;
		CHECK(user_thread_start(&thread[i], be_busy, (void *)i, &options) == STATUS_OK);
	}
}

static void stop_busy(struct user_thread *thread, uint32_t count)
{
	__atomic_store_n(&busy.stop, 1, __ATOMIC_RELAXED);
	for (uint32_t i = 0; i < count; i++)
		trial_join(&thread[i], 0);
}

static uint32_t cpus(void)
{
	const uint64_t count = trial_read().machine.cpus;

	return count > MANY ? MANY : (uint32_t)count;
}

/* More busy threads than CPUs, none of which ever enters the kernel. */
static void busy_threads_take_turns(void)
{
	struct user_thread thread[2 * MANY];
	const uint32_t count = 2 * cpus();

	start_busy(thread, count, THREAD_PRIORITY_DEFAULT);
	for (uint32_t i = 0; i < count; i++)
		EXPECT(trial_reaches(&busy.count[i], 1));
	for (uint32_t i = 0; i < count; i++) {
		const uint32_t seen = __atomic_load_n(&busy.count[i], __ATOMIC_RELAXED);

		EXPECT(trial_reaches(&busy.count[i], seen + 1));
	}
	stop_busy(thread, count);
}

/* How often the CPU that the first thread is on has changed threads. */
static uint64_t switches_of_our_cpu(uint32_t *index)
{
	struct inspector_thread thread;
	struct inspector_cpu cpu;

	CHECK(inspector_client_thread(trial.inspector, program_process_id(), 0, &thread) == STATUS_OK);
	CHECK(inspector_client_cpu(trial.inspector, thread.cpu, &cpu) == STATUS_OK);
	*index = thread.cpu;
	return cpu.switches;
}

/* To another thread when we fall asleep, and back to us; one more, if its turn ends just before we wake. */
#define SWITCHES_OF_A_SLEEP 3u

/*
 * Sleep shortly, and count how often our CPU changes threads meanwhile, which is not what the host does with the
 * machine's time. False: we are on another CPU afterwards, so the count says nothing.
 */
static bool sleep_and_count(bool *is_longer)
{
	uint32_t first, last;
	const uint64_t before = switches_of_our_cpu(&first);

	trial_sleep(TRIAL_MS(1));
	const uint64_t after = switches_of_our_cpu(&last);

	*is_longer = first == last && after - before > SWITCHES_OF_A_SLEEP;
	return first == last;
}

/* How many sleeps beside busy threads, several for each CPU, took longer; enough of them are an answer. */
static uint32_t count_long(uint32_t priority, uint32_t sleeps, uint32_t enough)
{
	const uint64_t end = trial_now() + TRIAL_MS(60000);
	struct user_thread thread[BUSY_OF_A_CPU * MANY];
	const uint32_t count = BUSY_OF_A_CPU * cpus();
	uint32_t longer = 0;
	bool is_longer;

	start_busy(thread, count, priority);
	while (sleeps != 0 && longer < enough && trial_now() < end) {
		if (!sleep_and_count(&is_longer))
			continue;
		sleeps--;
		longer += is_longer;
	}
	stop_busy(thread, count);
	if (sleeps != 0 && longer < enough)
		trial_break("%u sleeps could not be counted", sleeps);
	return longer;
}

/*
 * Who sleeps is not kept waiting by those of a lower priority; by those of its own it is, for a turn of each. A host
 * that lets the whole machine stand still may make a sleep longer in any case: of twenty not more than some may be.
 */
static void higher_priority_wakes_at_once(void)
{
	EXPECT(count_long(THREAD_PRIORITY_DEFAULT - 1, 20, 10) < 10);
	EXPECT(count_long(THREAD_PRIORITY_DEFAULT, 1000, 1) == 1);
}

#define WAKES 100u

static struct {
	uint32_t word;     /* the urgent thread sleeps on */
	uint32_t answered; /* what it has seen there last */
	uint32_t late;     /* how often whoever woke it went on before it */
} urgent;

static int64_t wake_the_urgent(void *ignored)
{
	(void)ignored;
	for (uint32_t i = 1; i <= WAKES; i++) {
		__atomic_store_n(&urgent.word, i, __ATOMIC_RELEASE);
		park_client_wake(&urgent.word, PARK_ALL);
		urgent.late += __atomic_load_n(&urgent.answered, __ATOMIC_ACQUIRE) != i;
	}
	return 0;
}

/* On one CPU, who wakes a more urgent thread goes on after it, not when its own turn is over. */
static void waker_gives_way(void)
{
	const struct user_thread_options less = { .priority = THREAD_PRIORITY_DEFAULT - 1 };
	struct user_thread waker;
	uint32_t seen = 0;

	if (cpus() > 1)
		return; /* it would go on beside it */
	urgent.word = urgent.answered = urgent.late = 0;
	CHECK(user_thread_start(&waker, wake_the_urgent, NULL, &less) == STATUS_OK);
	while (seen < WAKES) {
		const enum status status = park_client_sleep(&urgent.word, seen, PARK_FOREVER);

		EXPECT(status == STATUS_OK || status == STATUS_WOULD_BLOCK);
		seen = __atomic_load_n(&urgent.word, __ATOMIC_ACQUIRE);
		__atomic_store_n(&urgent.answered, seen, __ATOMIC_RELEASE);
	}
	trial_join(&waker, 0);
	EXPECT_EQUAL(urgent.late, 0);
}

/* On one CPU a busy thread leaves nothing to those of a lower priority, until it gets lower itself. */
static void lower_priority_waits(void)
{
	const struct user_thread_options low = { .priority = 0 };
	struct user_thread thread[1], waiting;

	if (cpus() > 1)
		return; /* it would find another CPU */
	start_busy(thread, 1, 2);
	CHECK(user_thread_start(&waiting, be_busy, (void *)1, &low) == STATUS_OK);
	trial_sleep(TRIAL_MS(40));
	const uint32_t before = __atomic_load_n(&busy.count[1], __ATOMIC_RELAXED);

	trial_sleep(TRIAL_MS(40));
	EXPECT_EQUAL(__atomic_load_n(&busy.count[1], __ATOMIC_RELAXED), before);
	EXPECT_OK(thread_client_set_priority(trial.threads, thread[0].id, 0));
	EXPECT(trial_reaches(&busy.count[1], before + 1));
	stop_busy(thread, 1);
	trial_join(&waiting, 0);
}

static int64_t say_that_it_runs(void *word)
{
	__atomic_store_n((uint32_t *)word, 1, __ATOMIC_RELEASE);
	return 0;
}

/*
 * A thread waits for a CPU behind busy ones that are more urgent, on every CPU; then it gets more urgent than they are,
 * and nothing else happens: no thread sleeps or ends, and no turn is over, since the busy ones have no equals.
 */
static void changed_priority_acts_at_once(void)
{
	const struct user_thread_options low = { .priority = 0 };
	struct user_thread thread[MANY], waiting;
	const uint32_t count = cpus();
	uint32_t has_run = 0;

	start_busy(thread, count, 1);
	for (uint32_t i = 0; i < count; i++)
		EXPECT(trial_reaches(&busy.count[i], 1));
	CHECK(user_thread_start(&waiting, say_that_it_runs, &has_run, &low) == STATUS_OK);
	trial_sleep(TRIAL_MS(20));
	EXPECT_EQUAL(__atomic_load_n(&has_run, __ATOMIC_ACQUIRE), 0);
	EXPECT_OK(thread_client_set_priority(trial.threads, waiting.id, 2));
	EXPECT(trial_reaches(&has_run, 1));
	trial_join(&waiting, 0);
	stop_busy(thread, count);
}

/* ---- sleep ---- */

#define SLEEPERS 48u

static int64_t sleep_until(void *deadline)
{
	const uint64_t now = trial_now(), end = *(const uint64_t *)deadline;

	trial_sleep(end > now ? end - now : 0);
	return trial_now() >= end ? 0 : 1;
}

/* The time of more threads has come than are woken in one step. */
static void many_wake_at_one_time(void)
{
	static struct user_thread thread[SLEEPERS];
	uint64_t deadline = trial_now() + TRIAL_MS(100);

	for (uint32_t i = 0; i < SLEEPERS; i++)
		trial_thread(&thread[i], sleep_until, &deadline);
	for (uint32_t i = 0; i < SLEEPERS; i++)
		trial_join(&thread[i], 0);
}

/* ---- ends ---- */

static int64_t outlive(void *ignored)
{
	(void)ignored;
	trial_sleep(TRIAL_MS(30));
	user_thread_exit(9);
}

void thread_trials_role_first_leaves(void)
{
	struct user_thread thread;

	trial_thread(&thread, outlive, NULL);
	user_thread_exit(3);
}

static void process_lasts_as_long_as_its_last_thread(void)
{
	struct process_builder builder;
	struct process_client process;

	trial_child_build(&builder, "first-leaves");
	EXPECT_OK(trial_child_start(&builder, &process));
	trial_child_expect(process, PROCESS_EXITED, 9);
}

static int64_t come_and_go(void *ignored)
{
	struct user_thread thread;

	(void)ignored;
	for (;;) {
		trial_thread(&thread, answer, NULL);
		trial_join(&thread, 0);
	}
	return 0;
}

void thread_trials_role_come_and_go(void)
{
	struct user_thread thread[4];

	for (uint32_t i = 0; i < COUNT_OF(thread); i++)
		trial_thread(&thread[i], come_and_go, NULL);
	(void)come_and_go(NULL);
}

static void killed_while_threads_come_and_go(void)
{
	struct process_builder builder;
	struct process_client process;

	trial_child_build(&builder, "come-and-go");
	for (uint32_t i = 0; i < 10; i++) {
		EXPECT_OK(trial_child_start(&builder, &process));
		trial_sleep(TRIAL_MS(i));
		trial_child_finish(process);
	}
}

void thread_trials_check(void)
{
	static const struct trial_case cases[] = {
		{ "create-and-join", create_and_join },
		{ "exit-from-anywhere", exit_from_anywhere },
		{ "ids-are-never-used-again", ids_are_never_used_again },
		{ "no-more-than-64", no_more_than_64 },
		{ "ended-threads-keep-their-ids", ended_threads_keep_their_ids },
		{ "bad-beginnings-are-refused", bad_beginnings_are_refused },
		{ "waits-that-are-refused", waits_that_are_refused },
		{ "storage-is-a-threads-own", storage_is_a_threads_own },
		{ "each-has-a-ring", each_has_a_ring },
		{ "registers-are-kept", registers_are_kept },
		{ "busy-threads-take-turns", busy_threads_take_turns },
		{ "higher-priority-wakes-at-once", higher_priority_wakes_at_once },
		{ "waker-gives-way", waker_gives_way },
		{ "lower-priority-waits", lower_priority_waits },
		{ "changed-priority-acts-at-once", changed_priority_acts_at_once },
		{ "many-wake-at-one-time", many_wake_at_one_time },
		{ "process-lasts-as-long-as-its-last-thread", process_lasts_as_long_as_its_last_thread },
		{ "killed-while-threads-come-and-go", killed_while_threads_come_and_go },
	};

	trial_check(cases, COUNT_OF(cases));
}
