#include "user/demos/hostile/fault_attacks.h"

#include <stddef.h>

#include "lib/check.h"
#include "user/demos/hostile/attack.h"
#include "user/runtime/fault_client.h"
#include "user/runtime/open_operation.h"
#include "user/runtime/user_thread.h"

#define FAULTERS_MAX (THREAD_MAX - 1)
#define FOREVER TRIAL_MS(60000)

/* A page for each thread that faults; it gives the page up again after each fault. */
static struct {
	char *pages;
	struct user_thread thread[FAULTERS_MAX];
	uint32_t faulters;
	uint32_t rounds;  /* that each faults at most; 0: it was long enough */
	uint32_t running; /* faulters that have not come to their end */
	uint32_t stop;
	struct thread_fault *told; /* where the handler is told */
} scene;

static const void *page_of(uint64_t address)
{
	return (const void *)(address & ~(uint64_t)(PAGE_SIZE - 1));
}

static int64_t fault_again(void *index)
{
	char *page = scene.pages + (uint64_t)index * PAGE_SIZE;

	for (uint32_t i = 0; i < __atomic_load_n(&scene.rounds, __ATOMIC_RELAXED); i++) {
		*(volatile char *)page = (char)i;
		if (*(volatile char *)page != (char)i)
			return 1;
		if (virtual_memory_client_decommit(trial.memory, page, PAGE_SIZE) != STATUS_OK)
			return 2;
	}
	__atomic_fetch_sub(&scene.running, 1, __ATOMIC_ACQ_REL);
	return 0;
}

static void start_faulters(uint32_t faulters, uint32_t rounds)
{
	void *range;

	EXPECT_OK(virtual_memory_client_reserve(trial.memory, NULL, TRIAL_BYTES(faulters + 1), 0, &range));
	scene.pages = range;
	scene.faulters = faulters;
	scene.rounds = rounds;
	scene.running = faulters;
	for (uint64_t i = 0; i < faulters; i++)
		trial_thread(&scene.thread[i], fault_again, (void *)i);
}

static void join_faulters(void)
{
	for (uint32_t i = 0; i < scene.faulters; i++)
		trial_join(&scene.thread[i], 0);
}

static enum status supply(const struct thread_fault *fault)
{
	return virtual_memory_client_commit(trial.memory, page_of(fault->address), PAGE_SIZE, TRIAL_READ_WRITE);
}

static bool is_over(void)
{
	return __atomic_load_n(&scene.running, __ATOMIC_ACQUIRE) == 0;
}

/* By the handler, as often as it looks for a fault. */
static bool goes_on(uint32_t look)
{
	if (attack_is_long_enough(look))
		__atomic_store_n(&scene.rounds, 0, __ATOMIC_RELAXED);
	return !is_over();
}

/* The next fault, or none for a while. */
static enum status next_fault(uint64_t timeout_ns)
{
	const struct ring_submission request = { .opcode = RING_CANCEL };
	struct ring_submission cancel = request;
	struct ring_completion completion;
	const uint64_t ticket = open_operation_ticket();

	TRY(fault_client_wait_submit(trial.threads, scene.told, ticket));
	if (open_operation_wait(ticket, timeout_ns, &completion) == STATUS_OK)
		return ring_client_status(&completion);
	cancel.argument[0] = ticket;
	(void)!ring_client_call_plain(&cancel); /* NOT_FOUND: it came in the last moment */
	TRY(open_operation_wait(ticket, FOREVER, &completion));
	return ring_client_status(&completion);
}

/* As a good handler does, until nobody is left that faults. CANCELLED and BUFFER_FAULT cost no fault. */
static enum status serve(uint64_t timeout_ns)
{
	for (uint32_t look = 0; goes_on(look); look++) {
		const enum status status = next_fault(timeout_ns);
		const struct thread_fault fault = *scene.told;

		if (status == STATUS_CANCELLED || status == STATUS_BUFFER_FAULT)
			continue;
		TRY(status);
		TRY(supply(&fault));
		/* Somebody else may have resumed it. */
		(void)!fault_client_resume(trial.threads, fault.thread_id, THREAD_FAULT_RETRY);
	}
	return STATUS_OK;
}

static void become_handler(void)
{
	static struct thread_fault told;

	scene.told = &told;
	EXPECT_OK(fault_client_set_handler(trial.threads, 0));
}

/* ---- storms ---- */

static void storm(const struct attack *attack)
{
	become_handler();
	start_faulters(attack->first, attack->second);
	EXPECT_OK(serve(TRIAL_MS(5)));
	join_faulters();
}

/* The time limits are so short that most waits are cancelled. */
static void cancel_waits(const struct attack *attack)
{
	(void)attack;
	become_handler();
	start_faulters(4, 60);
	EXPECT_OK(serve(1));
	join_faulters();
}

/* ---- resumes that nobody asked for ---- */

static int64_t resume_anybody(void *index)
{
	uint64_t seed = 4711 + (uint64_t)index;

	while (!is_over()) {
		const uint64_t random = attack_random(&seed);
		const enum status status =
			fault_client_resume(trial.threads, random % 16 + (random % 7 == 0 ? random << 8 : 0),
					    (enum thread_fault_action)(random % 5 == 0 ? 2 : THREAD_FAULT_RETRY));

		if (status != STATUS_OK && status != STATUS_NOT_FOUND && status != STATUS_BAD_ARGUMENT)
			return status;
	}
	return 0;
}

static void resume_at_random(const struct attack *attack)
{
	struct user_thread resumer[3];

	(void)attack;
	become_handler();
	start_faulters(8, 100);
	for (uint64_t i = 0; i < COUNT_OF(resumer); i++)
		trial_thread(&resumer[i], resume_anybody, (void *)i);
	EXPECT_OK(serve(TRIAL_MS(5)));
	for (uint32_t i = 0; i < COUNT_OF(resumer); i++)
		trial_join(&resumer[i], 0);
	join_faulters();
}

static void garbage_arguments(const struct attack *attack)
{
	static const uint16_t operations[] = { THREAD_CONTROL_SET_FAULT_HANDLER, THREAD_CONTROL_FAULT_WAIT,
					       THREAD_CONTROL_FAULT_RESUME };
	uint64_t seed = 5;

	(void)attack;
	for (uint32_t i = 0; i < 3000; i++) {
		struct ring_submission request = { .opcode = RING_CALL,
						   .operation = operations[i % COUNT_OF(operations)],
						   .capability = trial.threads.handle };

		for (uint32_t j = 0; j < 6; j++)
			request.argument[j] = 1 + (attack_random(&seed) >> (i % 64)); /* not ourselves */
		EXPECT(ring_client_call_plain(&request) != STATUS_OK);
	}
	/* The numbers of threads that other processes have. */
	for (uint64_t id = 1; id < 1000; id++)
		EXPECT_STATUS(fault_client_set_handler(trial.threads, id), STATUS_NOT_FOUND);
}

/* ---- handlers that go ---- */

enum leaving {
	LEAVES_BY_FAULT,
	LEAVES_BY_ENDING,
	LEAVES_BY_UNSETTING,
	LEAVES_BY_END,
	LEAVES_BY_EXIT,
	LEAVES_NOT,
	LEAVING_COUNT
};

static void leave(enum leaving how)
{
	switch (how) {
	case LEAVES_BY_FAULT:
		*(volatile char *)UINT64_C(8) = 1;
		break;
	case LEAVES_BY_ENDING:
		user_thread_exit(0);
	case LEAVES_BY_UNSETTING:
		(void)!fault_client_set_handler(trial.threads, THREAD_NONE);
		break;
	case LEAVES_BY_END:
		while (next_fault(FOREVER) == STATUS_OK)
			(void)!fault_client_resume(trial.threads, scene.told->thread_id, THREAD_FAULT_END);
		break;
	case LEAVES_BY_EXIT:
		system_call_exit(0);
	case LEAVES_NOT:
	case LEAVING_COUNT:
		break;
	}
	trial_sleep(FOREVER); /* the faulters end the process, or the driver does */
}

static int64_t leave_too(void *how)
{
	leave((enum leaving)(uint64_t)how);
	return 0;
}

/* In the middle of a storm, perhaps with others that go at the same moment. */
static void handler_goes(const struct attack *attack)
{
	become_handler();
	start_faulters(30, 1000000);
	for (uint32_t i = 0; i < 40; i++)
		if (next_fault(TRIAL_MS(1)) == STATUS_OK && supply(scene.told) == STATUS_OK)
			(void)!fault_client_resume(trial.threads, scene.told->thread_id, THREAD_FAULT_RETRY);
	if (attack->second != 0)
		attack_beside(leave_too, (void *)(uint64_t)LEAVES_BY_UNSETTING);
	leave((enum leaving)attack->first);
}

/* Named, and gone at once, over and over. */
static int64_t come_and_go(void *ignored)
{
	(void)ignored;
	return 0;
}

static void handlers_come_and_go(const struct attack *attack)
{
	struct user_thread thread;

	(void)attack;
	for (uint32_t round = 0; !attack_is_long_enough(round); round++) {
		trial_thread(&thread, come_and_go, NULL);
		const enum status status = fault_client_set_handler(trial.threads, thread.id);

		if (status != STATUS_OK && status != STATUS_NOT_FOUND)
			trial_break("naming gives %s", status_name(status));
		trial_join(&thread, 0);
	}
}

/* Each wants to be the handler and is told of what the one before did not do. */
static int64_t want_to_handle(void *ignored)
{
	struct thread_fault fault;
	uint64_t self;

	(void)ignored;
	TRY(thread_client_self(trial.threads, &self));
	while (!is_over()) {
		enum status status = fault_client_set_handler(trial.threads, self);

		if (status == STATUS_OK)
			status = fault_client_wait(trial.threads, &fault);
		if (status == STATUS_GONE)
			continue;
		TRY(status);
		TRY(supply(&fault));
		(void)!fault_client_resume(trial.threads, fault.thread_id, THREAD_FAULT_RETRY);
	}
	return 0;
}

static void handlers_replace_each_other(const struct attack *attack)
{
	(void)attack;
	become_handler();
	start_faulters(8, 1000000);
	for (uint32_t i = 0; i < 4; i++)
		attack_beside(want_to_handle, NULL);
	trial_sleep(FOREVER);
}

/* ---- the buffer of the wait ---- */

static int64_t spoil_buffer(void *how)
{
	void *page = scene.told, *again;

	while (__atomic_load_n(&scene.stop, __ATOMIC_ACQUIRE) == 0) {
		if (how == NULL) {
			TRY(trial_unmap(page, 1));
			TRY(virtual_memory_client_map(trial.memory, page, PAGE_SIZE, TRIAL_READ_WRITE,
						      VIRTUAL_MEMORY_FIXED, &again));
		} else {
			TRY(virtual_memory_client_protect(trial.memory, page, PAGE_SIZE, PROTECTION_READ));
			TRY(virtual_memory_client_protect(trial.memory, page, PAGE_SIZE, TRIAL_READ_WRITE));
		}
	}
	return 0;
}

/*
 * The handler only looks at what it was told through the kernel, which says BUFFER_FAULT if the page is away; what was
 * written may be gone when it looks. So it mends the page of whoever it was told of by number.
 */
static enum status serve_by_number(void)
{
	for (uint32_t look = 0; goes_on(look); look++) {
		struct ring_completion completion;
		const struct ring_submission request = { .opcode = RING_CALL,
							 .operation = THREAD_CONTROL_FAULT_WAIT,
							 .capability = trial.threads.handle,
							 .argument = { (uint64_t)scene.told, sizeof(*scene.told) } };
		const enum status status = ring_client_call(&request, &completion);

		if (status == STATUS_BUFFER_FAULT)
			continue;
		TRY(status);
		for (uint32_t i = 0; i <= scene.faulters; i++) {
			if (i < scene.faulters && scene.thread[i].id != completion.value)
				continue;
			const struct thread_fault fault = { .address = (uint64_t)scene.pages + i * PAGE_SIZE };

			TRY(supply(&fault));
			break;
		}
		TRY(fault_client_resume(trial.threads, completion.value, THREAD_FAULT_RETRY));
	}
	return STATUS_OK;
}

/* The last to fault: it wakes the handler when all others are through. */
static int64_t be_last(void *ignored)
{
	(void)ignored;
	while (!is_over())
		trial_sleep(TRIAL_MS(1));
	*(volatile char *)(scene.pages + TRIAL_BYTES(scene.faulters)) = 1;
	return 0;
}

static void buffer_goes(const struct attack *attack)
{
	struct user_thread spoiler, last;
	void *page;

	EXPECT_OK(trial_map(1, &page));
	become_handler();
	scene.told = page;
	scene.stop = 0;
	start_faulters(5, 100);
	trial_thread(&last, be_last, NULL);
	/* From now on nothing is mapped that could come to where the buffer is not. */
	trial_thread(&spoiler, spoil_buffer, (void *)(uint64_t)attack->first);
	EXPECT_OK(serve_by_number());
	__atomic_store_n(&scene.stop, 1, __ATOMIC_RELEASE);
	trial_join(&spoiler, 0);
	join_faulters();
	EXPECT_EQUAL(scene.running, 0);
}

void fault_attacks_add(void)
{
	static const struct {
		const char *name;
		uint32_t ends;
	} leavings[LEAVING_COUNT] = {
		[LEAVES_BY_FAULT] = { "faults itself", ATTACK_FAULTS },
		[LEAVES_BY_ENDING] = { "ends", ATTACK_FAULTS },
		[LEAVES_BY_UNSETTING] = { "gives up", ATTACK_FAULTS },
		[LEAVES_BY_END] = { "ends the process", ATTACK_FAULTS },
		[LEAVES_BY_EXIT] = { "exits", ATTACK_EXITS },
		[LEAVES_NOT] = { "does nothing until it is killed", ATTACK_KILLED },
	};
	struct attack *attack;

	attack = attack_add("fault storm of ", "63 threads", storm, ATTACK_EXITS);
	attack->first = FAULTERS_MAX;
	attack->second = 20;
	attack = attack_add("fault storm of ", "two threads", storm, ATTACK_EXITS);
	attack->first = 2;
	attack->second = 500;
	attack = attack_add("fault storm of ", "40 threads until killed", storm, ATTACK_KILLED | ATTACK_EXITS);
	attack->first = 40;
	attack->second = UINT32_MAX;
	attack->kill_ms = 60;
	attack_add("waits for faults ", "are cancelled", cancel_waits, ATTACK_EXITS);
	attack_add("threads are resumed ", "at random", resume_at_random, ATTACK_EXITS);
	attack_add("garbage to ", "the handling of faults", garbage_arguments, ATTACK_EXITS);
	for (uint32_t i = 0; i < LEAVING_COUNT; i++) {
		attack = attack_add("in a fault storm the handler ", leavings[i].name, handler_goes, leavings[i].ends);
		attack->first = i;
		attack->kill_ms = i == LEAVES_NOT ? 60 : 0;
		if (i == LEAVES_NOT)
			continue;
		attack = attack_add("and another gives up while it ", leavings[i].name, handler_goes,
				    leavings[i].ends | ATTACK_FAULTS);
		attack->first = i;
		attack->second = 1;
	}
	attack_add("handlers ", "come and go", handlers_come_and_go, ATTACK_EXITS);
	attack = attack_add("handlers ", "replace each other", handlers_replace_each_other, ATTACK_KILLED);
	attack->kill_ms = 100;
	for (uint32_t i = 0; i < 2; i++)
		attack_add(i == 0 ? "unmap " : "write-protect ", "where a fault is told", buffer_goes, ATTACK_EXITS)
			->first = i;
}
