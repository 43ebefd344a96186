#include "user/demos/spawn-contract/end_trials.h"

#include <stddef.h>

#include "abi/user_fault_abi.h"
#include "lib/check.h"
#include "user/runtime/open_operation.h"
#include "user/runtime/program.h"
#include "user/runtime/user_thread.h"
#include "user/testing/trial.h"
#include "user/testing/trial_child.h"

#define PAGE_FAULT_CODE (128 + 14)
#define PROTECTION_CODE (128 + 13)
#define BUSY_THREADS_MAX 8u

/* ---- roles ---- */

void end_trials_role_exit(void)
{
	const int64_t code = (int64_t)trial_argument(0);

	if (trial_argument(1) != 0)
		user_thread_exit(code);
	system_call_exit((int)code);
}

static void touch(uint64_t address)
{
	*(volatile char *)address = 1;
}

static void fault(uint64_t kind)
{
	void *page;

	switch (kind) {
	case USER_FAULT_UNRESERVED:
		touch(0x20000000);
		break;
	case USER_FAULT_UNCOMMITTED:
		CHECK(virtual_memory_client_reserve(trial.memory, NULL, PAGE_SIZE, 0, &page) == STATUS_OK);
		touch((uint64_t)page);
		break;
	case USER_FAULT_READ_ONLY:
		touch(CAPSET_ADDRESS);
		break;
	case USER_FAULT_NO_EXECUTE:
		((void (*)(void))RING_ADDRESS)();
		break;
	case USER_FAULT_KERNEL_ADDRESS:
		touch(UINT64_C(0xffff800000000000));
		break;
	case USER_FAULT_EXCEPTION:
		__builtin_trap();
	default:
		break;
	}
}

static int64_t fault_in_thread(void *kind)
{
	fault((uint64_t)kind);
	return 0;
}

void end_trials_role_fault(void)
{
	struct user_thread thread;

	if (trial_argument(1) == 0)
		fault(trial_argument(0));
	else
		trial_thread(&thread, fault_in_thread, (void *)trial_argument(0));
	trial_sleep(TRIAL_MS(60000));
}

static int64_t be_busy(void *ignored)
{
	(void)ignored;
	for (volatile uint64_t i = 0;; i++)
		continue;
	return 0;
}

void end_trials_role_busy(void)
{
	struct user_thread thread[BUSY_THREADS_MAX];

	CHECK(trial_argument(0) <= BUSY_THREADS_MAX);
	for (uint64_t i = 0; i < trial_argument(0); i++)
		trial_thread(&thread[i], be_busy, NULL);
	(void)be_busy(NULL);
}

void end_trials_role_sleep(void)
{
	trial_sleep(TRIAL_MS(trial_argument(0)));
}

void end_trials_role_parent(void)
{
	struct process_builder builder;
	struct process_client process;

	trial_child_build(&builder, "sleep");
	trial_child_argument(&builder, trial_argument(0));
	EXPECT_OK(trial_child_start(&builder, &process));
}

/* ---- ends ---- */

static enum status start(const char *role, uint64_t first, uint64_t second, struct process_client *process)
{
	struct process_builder builder;

	trial_child_build(&builder, role);
	trial_child_argument(&builder, first);
	trial_child_argument(&builder, second);
	return trial_child_start(&builder, process);
}

static void exit_codes(void)
{
	static const int64_t codes[] = { 0, 1, 63, 64, 255, 1000000 };
	struct process_client process;

	for (uint32_t i = 0; i < 2 * COUNT_OF(codes); i++) {
		EXPECT_OK(start("exit", (uint64_t)codes[i / 2], i % 2, &process));
		trial_child_expect(process, PROCESS_EXITED, codes[i / 2]);
	}
}

static void expect_fault(struct process_client process, uint32_t kind, uint64_t address, int64_t code)
{
	const struct process_exit exit = trial_child_wait(process);

	EXPECT_OK(ring_client_release(process.handle));
	EXPECT_EQUAL(exit.process_id, process.process_id);
	EXPECT_EQUAL(exit.end, PROCESS_FAULTED);
	EXPECT_EQUAL(exit.code, code);
	EXPECT_EQUAL(exit.fault_kind, kind);
	if (address != 0)
		EXPECT_EQUAL(exit.fault_address, address);
	EXPECT(exit.fault_rip != 0);
}

static void faults_are_reported(void)
{
	static const struct {
		uint32_t kind;
		uint64_t address;
		int64_t code;
	} faults[] = {
		{ USER_FAULT_UNRESERVED, 0x20000000, PAGE_FAULT_CODE },
		{ USER_FAULT_UNCOMMITTED, 0, PAGE_FAULT_CODE },
		{ USER_FAULT_READ_ONLY, CAPSET_ADDRESS, PAGE_FAULT_CODE },
		{ USER_FAULT_NO_EXECUTE, RING_ADDRESS, PAGE_FAULT_CODE },
		{ USER_FAULT_KERNEL_ADDRESS, UINT64_C(0xffff800000000000), PAGE_FAULT_CODE },
		{ USER_FAULT_EXCEPTION, 0, 128 + 6 },
	};
	struct process_client process;

	for (uint32_t i = 0; i < 2 * COUNT_OF(faults); i++) {
		EXPECT_OK(start("fault", faults[i / 2].kind, i % 2, &process));
		expect_fault(process, faults[i / 2].kind, faults[i / 2].address, faults[i / 2].code);
	}
}

static void kill_and_expect(struct process_client process)
{
	EXPECT_OK(process_client_kill(process));
	EXPECT_OK(process_client_kill(process));
	trial_child_expect(process, PROCESS_KILLED, 137);
}

static void kill_at_once(void)
{
	struct process_client process;

	for (uint32_t i = 0; i < 10; i++) {
		EXPECT_OK(start("busy", i % 4, 0, &process));
		kill_and_expect(process);
	}
}

static void kill_busy_threads(void)
{
	struct process_client process;

	for (uint32_t threads = 0; threads <= BUSY_THREADS_MAX; threads += 4) {
		EXPECT_OK(start("busy", threads, 0, &process));
		trial_sleep(TRIAL_MS(30));
		kill_and_expect(process);
	}
}

static void kill_a_sleeper(void)
{
	struct process_client process;

	EXPECT_OK(start("sleep", 60000, 0, &process));
	trial_sleep(TRIAL_MS(20));
	kill_and_expect(process);
}

static void kill_what_has_ended(void)
{
	struct process_client process;

	EXPECT_OK(start("exit", 5, 0, &process));
	EXPECT_EQUAL(trial_child_wait(process).code, 5);
	EXPECT_OK(process_client_kill(process));
	trial_child_expect(process, PROCESS_EXITED, 5);
}

/* ---- waiting ---- */

static void wait_any_number_of_times(void)
{
	struct process_client process;
	struct process_wait first, second;

	EXPECT_OK(start("sleep", 20, 0, &process));
	EXPECT_OK(process_client_wait_begin(process, &first));
	EXPECT_OK(process_client_wait_begin(process, &second));
	EXPECT_OK(process_client_wait_within(&second, CAP_ENTER_FOREVER));
	EXPECT_OK(process_client_wait_within(&first, CAP_ENTER_FOREVER));
	EXPECT_EQUAL(first.exit.process_id, second.exit.process_id);
	for (uint32_t i = 0; i < 3; i++)
		EXPECT_EQUAL(trial_child_wait(process).code, 0);
	trial_child_expect(process, PROCESS_EXITED, 0);
}

static void wait_has_a_time_limit(void)
{
	struct process_client process;
	struct process_wait wait;

	EXPECT_OK(start("busy", 1, 0, &process));
	EXPECT_OK(process_client_wait_begin(process, &wait));
	EXPECT_STATUS(process_client_wait_within(&wait, TRIAL_MS(20)), STATUS_TIMED_OUT);
	EXPECT_STATUS(process_client_wait_within(&wait, 0), STATUS_TIMED_OUT);
	EXPECT_OK(process_client_kill(process));
	EXPECT_OK(process_client_wait_within(&wait, CAP_ENTER_FOREVER));
	EXPECT_EQUAL(wait.exit.end, PROCESS_KILLED);
	EXPECT_OK(ring_client_release(process.handle));
}

static void wait_looks_at_its_buffer(void)
{
	struct process_client process;
	struct ring_submission request = { .opcode = RING_CALL, .operation = PROCESS_HANDLE_WAIT };
	struct ring_completion completion;

	EXPECT_OK(start("exit", 7, 0, &process));
	request.capability = process.handle;
	EXPECT_OK(ring_client_call(&request, &completion)); /* no buffer: only the code */
	EXPECT_EQUAL(completion.value, 7);
	request.argument[0] = CAPSET_ADDRESS;
	request.argument[1] = sizeof(struct process_exit);
	EXPECT_STATUS(ring_client_call(&request, &completion), STATUS_BUFFER_FAULT);
	request.argument[1] = sizeof(struct process_exit) - 1;
	EXPECT_STATUS(ring_client_call(&request, &completion), STATUS_TOO_LONG);
	trial_child_expect(process, PROCESS_EXITED, 7);
}

static void released_while_waited_for(void)
{
	struct process_client process;
	struct process_wait wait;

	EXPECT_OK(start("sleep", 20, 0, &process));
	EXPECT_OK(process_client_wait_begin(process, &wait));
	EXPECT_OK(ring_client_release(process.handle));
	EXPECT_OK(process_client_wait_within(&wait, CAP_ENTER_FOREVER));
	EXPECT_EQUAL(wait.exit.process_id, process.process_id);
	EXPECT_STATUS(process_client_kill(process), STATUS_NO_SUCH_CAPABILITY);
}

/* ---- what is told of a process ---- */

static void statistics_are_told(void)
{
	struct process_client process;
	struct process_statistics statistics;

	EXPECT_OK(start("busy", 3, 0, &process));
	do {
		trial_sleep(TRIAL_MS(10));
		EXPECT_OK(process_client_statistics(process, &statistics));
		EXPECT_EQUAL(statistics.ended, 0);
	} while (statistics.threads < 4);
	EXPECT_EQUAL(statistics.process_id, process.process_id);
	EXPECT_EQUAL(statistics.threads, 4);
	EXPECT_EQUAL(statistics.ended, 0);
	EXPECT(statistics.run_ns > 0);
	EXPECT(statistics.memory.ledger[LEDGER_IMAGE].used > 0);
	EXPECT_OK(process_client_kill(process));
	EXPECT(trial_child_wait(process).run_ns > 0);
	EXPECT_OK(process_client_statistics(process, &statistics));
	EXPECT_EQUAL(statistics.ended, 1);
	EXPECT_EQUAL(statistics.threads, 0);
	for (uint32_t i = 0; i < LEDGER_COUNT; i++)
		EXPECT_EQUAL(statistics.memory.ledger[i].used, 0);
	EXPECT_OK(ring_client_release(process.handle));
}

/* The parent that the inspector tells of a process; 0 if there is no such process. */
static uint64_t parent_of(const char name[], uint64_t not_this)
{
	struct inspector_process process;

	for (uint64_t i = 0; inspector_client_process(trial.inspector, i, &process) == STATUS_OK; i++) {
		if (process.ended == 0 && process.process_id != not_this && process.name[0] == name[0] &&
		    process.name[1] == name[1])
			return process.parent_id;
	}
	return 0;
}

static void orphans_are_adopted(void)
{
	const struct memory_statistics before = trial_statistics();
	struct process_builder builder;
	struct process_client process;

	trial_child_build(&builder, "parent");
	trial_child_give_everything(&builder);
	trial_child_argument(&builder, 2000);
	EXPECT_OK(trial_child_start(&builder, &process));
	trial_child_expect(process, PROCESS_EXITED, 0);
	EXPECT_EQUAL(parent_of("sleep", process.process_id), program_process_id());
	/* Of its limits ours are lacking those of the orphan, and no more. */
	EXPECT_EQUAL(before.ledger[LEDGER_IMAGE].limit - trial_statistics().ledger[LEDGER_IMAGE].limit, 256);
}

static void a_process_without_handle_runs_on(void)
{
	struct process_client process;

	EXPECT_OK(start("sleep", 1000, 0, &process));
	EXPECT_OK(ring_client_release(process.handle));
	EXPECT_EQUAL(parent_of("sleep", 0), program_process_id());
}

/* With limits that leave room for all of them on a machine of 16 MiB. */
static void many_at_once(void)
{
	struct process_client process[20];
	struct process_builder builder;

	for (uint32_t i = 0; i < COUNT_OF(process); i++) {
		trial_child_build(&builder, "sleep");
		trial_child_argument(&builder, i % 3);
		process_builder_limit(&builder, LEDGER_FRAME_GRANT, 16);
		process_builder_limit(&builder, LEDGER_IMAGE, 96);
		process_builder_limit(&builder, LEDGER_PAGE_TABLE, 16);
		process_builder_limit(&builder, LEDGER_CAP_SLOTS, 16);
		process_builder_limit(&builder, LEDGER_KERNEL_OBJECT, 16 * PAGE_SIZE);
		EXPECT_OK(trial_child_start(&builder, &process[i]));
	}
	for (uint32_t i = 0; i < COUNT_OF(process); i++)
		trial_child_expect(process[i], PROCESS_EXITED, 0);
}

void end_trials_check(void)
{
	static const struct trial_case cases[] = {
		{ "exit-codes", exit_codes },
		{ "faults-are-reported", faults_are_reported },
		{ "kill-at-once", kill_at_once },
		{ "kill-busy-threads", kill_busy_threads },
		{ "kill-a-sleeper", kill_a_sleeper },
		{ "kill-what-has-ended", kill_what_has_ended },
		{ "wait-any-number-of-times", wait_any_number_of_times },
		{ "wait-has-a-time-limit", wait_has_a_time_limit },
		{ "wait-looks-at-its-buffer", wait_looks_at_its_buffer },
		{ "released-while-waited-for", released_while_waited_for },
		{ "statistics-are-told", statistics_are_told },
		{ "orphans-are-adopted", orphans_are_adopted },
		{ "a-process-without-handle-runs-on", a_process_without_handle_runs_on },
		{ "many-at-once", many_at_once },
	};

	trial_check(cases, COUNT_OF(cases));
}
