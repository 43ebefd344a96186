#include "user/demos/spawn-contract/fault_trials.h"

#include <stddef.h>

#include "abi/user_fault_abi.h"
#include "lib/check.h"
#include "user/runtime/fault_client.h"
#include "user/runtime/open_operation.h"
#include "user/runtime/program.h"
#include "user/runtime/user_thread.h"
#include "user/testing/trial.h"

#define PATIENCE TRIAL_MS(60000)
#define RETURN 0xc3 /* the instruction */
#define MANY 20u

/* ---- what faults ---- */

static int64_t write_to(void *address)
{
	*(volatile unsigned char *)address = 1;
	return 0;
}

static int64_t read_from(void *address)
{
	return *(const volatile unsigned char *)address;
}

static int64_t run_at(void *address)
{
	((void (*)(void))(uint64_t)address)();
	return 0;
}

/* ---- the first thread as handler ---- */

static void handle(bool does)
{
	EXPECT_OK(fault_client_set_handler(trial.threads, does ? 0 : THREAD_NONE));
}

/* The next fault; the trial is broken if none comes. */
static void next_fault(struct thread_fault *fault)
{
	const uint64_t ticket = open_operation_ticket();
	struct ring_completion completion;

	EXPECT_OK(fault_client_wait_submit(trial.threads, fault, ticket));
	EXPECT_OK(open_operation_wait(ticket, PATIENCE, &completion));
	EXPECT_OK(ring_client_status(&completion));
	EXPECT_EQUAL(completion.value, fault->thread_id);
}

static void retry(uint64_t thread_id)
{
	EXPECT_OK(fault_client_resume(trial.threads, thread_id, THREAD_FAULT_RETRY));
}

static enum status protect(const void *page, uint32_t protection)
{
	return virtual_memory_client_protect(trial.memory, page, PAGE_SIZE, protection);
}

/* ---- kinds ---- */

/* A kind of fault: how a page gets to be so, what touches it, and what mends it. */
static const struct fault_case {
	uint32_t kind, access;
	int64_t (*touch)(void *address);
} kinds[] = {
	{ USER_FAULT_UNRESERVED, PROTECTION_WRITE, write_to },  { USER_FAULT_UNRESERVED, PROTECTION_READ, read_from },
	{ USER_FAULT_UNCOMMITTED, PROTECTION_WRITE, write_to }, { USER_FAULT_UNCOMMITTED, PROTECTION_READ, read_from },
	{ USER_FAULT_UNCOMMITTED, PROTECTION_EXECUTE, run_at }, { USER_FAULT_NO_ACCESS, PROTECTION_READ, read_from },
	{ USER_FAULT_NO_ACCESS, PROTECTION_WRITE, write_to },   { USER_FAULT_READ_ONLY, PROTECTION_WRITE, write_to },
	{ USER_FAULT_NO_EXECUTE, PROTECTION_EXECUTE, run_at },
};

static enum status spoil(uint32_t kind, char *page)
{
	switch (kind) {
	case USER_FAULT_UNRESERVED:
		return trial_unmap(page, 1);
	case USER_FAULT_UNCOMMITTED:
		return virtual_memory_client_decommit(trial.memory, page, PAGE_SIZE);
	case USER_FAULT_NO_ACCESS:
		return protect(page, PROTECTION_NONE);
	case USER_FAULT_READ_ONLY:
		return protect(page, PROTECTION_READ);
	default:
		return STATUS_OK;
	}
}

static enum status mend(const struct fault_case *fault, char *page)
{
	void *address;

	if (fault->kind == USER_FAULT_UNRESERVED)
		TRY(virtual_memory_client_map(trial.memory, page, PAGE_SIZE, TRIAL_READ_WRITE, VIRTUAL_MEMORY_FIXED,
					      &address));
	else if (fault->kind == USER_FAULT_UNCOMMITTED)
		TRY(virtual_memory_client_commit(trial.memory, page, PAGE_SIZE, TRIAL_READ_WRITE));
	TRY(protect(page, TRIAL_READ_WRITE));
	*page = fault->access == PROTECTION_EXECUTE ? (char)RETURN : 0;
	return protect(page,
		       fault->access == PROTECTION_EXECUTE ? PROTECTION_READ | PROTECTION_EXECUTE : TRIAL_READ_WRITE);
}

static void mend_one(const struct fault_case *wanted, char *page)
{
	char *at = wanted->access == PROTECTION_EXECUTE ? page : page + 7;
	struct user_thread thread;
	struct thread_fault fault;

	trial_thread(&thread, wanted->touch, at);
	next_fault(&fault);
	EXPECT_EQUAL(fault.thread_id, thread.id);
	EXPECT_EQUAL(fault.kind, wanted->kind);
	EXPECT_EQUAL(fault.access, wanted->access);
	EXPECT_EQUAL(fault.address, (uint64_t)at);
	if (wanted->access == PROTECTION_EXECUTE)
		EXPECT_EQUAL(fault.rip, (uint64_t)page);
	else
		EXPECT(fault.rip - (uint64_t)wanted->touch < 64);
	EXPECT_OK(mend(wanted, page));
	retry(fault.thread_id);
	trial_join(&thread, 0);
	EXPECT(wanted->access != PROTECTION_WRITE || *at == 1);
}

/* Far from where ranges go by themselves: nothing comes to a page that was unmapped. */
static void each_kind_is_told_and_mended(void)
{
	const void *far = (const void *)0x20000000;
	void *page;

	handle(true);
	for (uint32_t i = 0; i < COUNT_OF(kinds) && !trial.broken; i++) {
		EXPECT_OK(virtual_memory_client_map(trial.memory, far, PAGE_SIZE, TRIAL_READ_WRITE,
						    VIRTUAL_MEMORY_FIXED, &page));
		EXPECT_OK(spoil(kinds[i].kind, page));
		mend_one(&kinds[i], page);
		EXPECT_OK(trial_unmap(page, 1));
	}
	handle(false);
}

/* ---- many, waits, and who is told ---- */

static struct {
	char *pages;
	uint32_t ready;
} crowd;

static int64_t touch_together(void *index)
{
	__atomic_fetch_add(&crowd.ready, 1, __ATOMIC_ACQ_REL);
	while (__atomic_load_n(&crowd.ready, __ATOMIC_ACQUIRE) <= MANY)
		if (thread_client_yield(trial.threads) != STATUS_OK)
			return 1;
	crowd.pages[(uint64_t)index * PAGE_SIZE] = (char)(uint64_t)index;
	return 0;
}

static enum status commit(const struct thread_fault *fault)
{
	return virtual_memory_client_commit(trial.memory, (const void *)(fault->address & ~(uint64_t)(PAGE_SIZE - 1)),
					    PAGE_SIZE, TRIAL_READ_WRITE);
}

static uint32_t standing(void)
{
	struct inspector_thread thread;
	uint32_t count = 0;

	for (uint64_t i = 0; inspector_client_thread(trial.inspector, program_process_id(), i, &thread) == STATUS_OK;
	     i++)
		count += thread.state == INSPECTOR_THREAD_FAULTED;
	return count;
}

static void expect_standing(uint32_t wanted)
{
	const uint64_t end = trial_now() + PATIENCE;

	while (standing() != wanted && trial_now() < end)
		trial_sleep(TRIAL_MS(1));
	EXPECT_EQUAL(standing(), wanted);
}

static void start_crowd(struct user_thread *thread)
{
	void *range;

	EXPECT_OK(virtual_memory_client_reserve(trial.memory, NULL, TRIAL_BYTES(MANY), 0, &range));
	crowd.pages = range;
	crowd.ready = 0;
	for (uint64_t i = 0; i < MANY; i++)
		trial_thread(&thread[i], touch_together, (void *)i);
	__atomic_fetch_add(&crowd.ready, 1, __ATOMIC_ACQ_REL);
	expect_standing(MANY);
}

/* Twenty stand faulted, and nobody asks. Each is told of once, and stands until it is resumed, in any order. */
static void many_at_once(void)
{
	struct thread_fault fault[MANY];
	struct user_thread thread[MANY];
	uint32_t pages = 0;

	handle(true);
	start_crowd(thread);
	for (uint32_t i = 0; i < MANY && !trial.broken; i++) {
		next_fault(&fault[i]);
		pages |= 1u << (fault[i].address - (uint64_t)crowd.pages) / PAGE_SIZE;
	}
	EXPECT_EQUAL(pages, (1u << MANY) - 1);
	EXPECT_EQUAL(standing(), MANY);
	for (uint32_t i = MANY; i-- > 0 && !trial.broken;) {
		EXPECT_OK(commit(&fault[i]));
		retry(fault[i].thread_id);
	}
	for (uint32_t i = 0; i < MANY; i++) {
		trial_join(&thread[i], 0);
		EXPECT_EQUAL(crowd.pages[i * PAGE_SIZE], i);
	}
	EXPECT_EQUAL(standing(), 0);
	handle(false);
	EXPECT_OK(trial_unmap(crowd.pages, MANY));
}

/* Resumed before anything is mended: it faults again, and is told of again. */
static void retried_too_early(void)
{
	struct thread_fault fault;
	struct user_thread thread;
	void *page;

	EXPECT_OK(trial_map(1, &page));
	EXPECT_OK(protect(page, PROTECTION_READ));
	handle(true);
	trial_thread(&thread, write_to, page);
	for (uint32_t i = 0; i < 10 && !trial.broken; i++) {
		next_fault(&fault);
		EXPECT_EQUAL(fault.thread_id, thread.id);
		retry(fault.thread_id);
	}
	next_fault(&fault);
	EXPECT_OK(protect(page, TRIAL_READ_WRITE));
	retry(fault.thread_id);
	trial_join(&thread, 0);
	handle(false);
	EXPECT_OK(trial_unmap(page, 1));
}

/* Several waits of the handler are open: each is told of another fault. One that is cancelled takes none with it. */
static void waits_before_faults(void)
{
	struct ring_submission cancel = { .opcode = RING_CANCEL, .argument = { 3 } };
	struct thread_fault fault[3] = { { 0 } };
	struct ring_completion completion;
	struct user_thread thread[3];
	void *range;

	EXPECT_OK(virtual_memory_client_reserve(trial.memory, NULL, TRIAL_BYTES(3), 0, &range));
	handle(true);
	for (uint64_t i = 0; i < 3; i++)
		EXPECT_OK(fault_client_wait_submit(trial.threads, &fault[i], i + 1));
	EXPECT_OK(ring_client_call_plain(&cancel));
	EXPECT_OK(open_operation_wait(3, PATIENCE, &completion));
	EXPECT_STATUS(ring_client_status(&completion), STATUS_CANCELLED);
	for (uint64_t i = 0; i < 3; i++)
		trial_thread(&thread[i], write_to, (char *)range + TRIAL_BYTES(i));
	for (uint64_t i = 0; i < 2; i++) {
		EXPECT_OK(open_operation_wait(i + 1, PATIENCE, &completion));
		EXPECT_OK(ring_client_status(&completion));
	}
	next_fault(&fault[2]);
	EXPECT(fault[0].thread_id != fault[1].thread_id && fault[1].thread_id != fault[2].thread_id);
	for (uint32_t i = 0; i < 3; i++) {
		EXPECT_OK(commit(&fault[i]));
		retry(fault[i].thread_id);
	}
	for (uint32_t i = 0; i < 3; i++)
		trial_join(&thread[i], 0);
	handle(false);
	EXPECT_OK(trial_unmap(range, 3));
}

void fault_trials_check(void)
{
	static const struct trial_case cases[] = {
		{ "each-kind-is-told-and-mended", each_kind_is_told_and_mended },
		{ "many-stand-faulted-at-once", many_at_once },
		{ "retried-too-early", retried_too_early },
		{ "waits-before-faults", waits_before_faults },
	};

	trial_check(cases, COUNT_OF(cases));
}
