#include "user/demos/spawn-contract/fault_end_trials.h"

#include <stddef.h>

#include "abi/user_fault_abi.h"
#include "lib/check.h"
#include "user/runtime/fault_client.h"
#include "user/runtime/open_operation.h"
#include "user/runtime/program.h"
#include "user/runtime/user_thread.h"
#include "user/testing/trial.h"
#include "user/testing/trial_child.h"

#define FIRST_ADDRESS UINT64_C(0x20000000) /* nothing is there */
#define PAGE_FAULT_CODE (128 + 14)
#define FOREVER TRIAL_MS(60000)

/* ---- the child ---- */

enum faulty {
	FAULTY_ENDED,          /* the handler ends the process by the second of three faults */
	FAULTY_HANDLER_FAULTS, /* at a fourth address */
	FAULTY_HANDLER_LEAVES, /* told of one, with others behind it */
	FAULTY_HANDLER_ENDED,  /* before anything faults */
	FAULTY_UNSET,
	FAULTY_EXCEPTION, /* of another thread: no handler is for that */
	FAULTY_KERNEL_ADDRESS,
	FAULTY_NO_HANDLER, /* none was named */
	FAULTY_STANDS,     /* for ever */
	FAULTY_EXITS,
	FAULTY_RESUMES_FOR_EVER,
};

static uint64_t address_of(uint64_t index)
{
	return FIRST_ADDRESS + index * PAGE_SIZE;
}

static int64_t touch(void *index)
{
	*(volatile char *)address_of((uint64_t)index) = 1;
	return 0;
}

static int64_t raise(void *ignored)
{
	(void)ignored;
	__builtin_trap();
}

static int64_t touch_kernel(void *ignored)
{
	(void)ignored;
	*(volatile char *)UINT64_C(0xffff800000000000) = 1;
	return 0;
}

static void set_handler(uint64_t thread_id)
{
	CHECK(fault_client_set_handler(trial.threads, thread_id) == STATUS_OK);
}

/* `count` threads stand faulted, in the order of their numbers; the handler, this thread, was told of all. */
static void let_stand(uint32_t count, struct thread_fault *fault)
{
	struct user_thread thread;

	set_handler(0);
	for (uint64_t i = 0; i < count; i++) {
		trial_thread(&thread, touch, (void *)i);
		CHECK(fault_client_wait(trial.threads, &fault[i]) == STATUS_OK);
		CHECK(fault[i].thread_id == thread.id && fault[i].address == address_of(i));
	}
}

static int64_t leave_at_once(void *ignored)
{
	(void)ignored;
	return 0;
}

static uint32_t may_leave;

static int64_t leave_when_named(void *ignored)
{
	(void)ignored;
	return trial_reaches(&may_leave, 1) ? 0 : 1;
}

/* The handler is another, which has ended when somebody faults. */
static void fault_after_the_handler(void)
{
	struct user_thread thread;

	trial_thread(&thread, leave_when_named, NULL);
	set_handler(thread.id);
	__atomic_store_n(&may_leave, 1, __ATOMIC_RELEASE);
	trial_join(&thread, 0);
	(void)touch(NULL);
}

/* Beside this thread, which waits for faults. */
static void end_beside_the_handler(int64_t (*function)(void *))
{
	struct thread_fault fault;
	struct user_thread thread;

	set_handler(0);
	trial_thread(&thread, function, NULL);
	(void)!fault_client_wait(trial.threads, &fault);
}

static void resume_for_ever(void)
{
	struct thread_fault fault[1];

	let_stand(1, fault);
	while (fault_client_resume_and_wait(trial.threads, fault->thread_id, fault) == STATUS_OK)
		CHECK(fault->address == address_of(0));
}

static void end_with_faults(enum faulty how)
{
	struct thread_fault fault[3];

	let_stand(3, fault);
	if (how == FAULTY_ENDED)
		(void)!fault_client_resume(trial.threads, fault[1].thread_id, THREAD_FAULT_END);
	else if (how == FAULTY_HANDLER_FAULTS)
		(void)touch((void *)3);
	else if (how == FAULTY_HANDLER_LEAVES)
		user_thread_exit(0);
	else if (how == FAULTY_UNSET)
		(void)!fault_client_set_handler(trial.threads, THREAD_NONE);
	else if (how == FAULTY_EXITS)
		program_exit(7);
	trial_sleep(FOREVER);
}

void fault_end_trials_role_faulty(void)
{
	const enum faulty how = (enum faulty)trial_argument(0);

	if (how == FAULTY_HANDLER_ENDED)
		fault_after_the_handler();
	else if (how == FAULTY_EXCEPTION)
		end_beside_the_handler(raise);
	else if (how == FAULTY_KERNEL_ADDRESS)
		end_beside_the_handler(touch_kernel);
	else if (how == FAULTY_NO_HANDLER)
		(void)touch(NULL);
	else if (how == FAULTY_RESUMES_FOR_EVER)
		resume_for_ever();
	else
		end_with_faults(how);
}

/* ---- the parent ---- */

static void start(enum faulty how, struct process_client *process)
{
	struct process_builder builder;

	trial_child_build(&builder, "faulty");
	trial_child_argument(&builder, how);
	EXPECT_OK(trial_child_start(&builder, process));
}

static void expect_fault(enum faulty how, uint32_t kind, uint64_t address, int64_t code)
{
	struct process_client process;

	start(how, &process);
	const struct process_exit exit = trial_child_wait(process);

	EXPECT_OK(ring_client_release(process.handle));
	EXPECT_EQUAL(exit.end, PROCESS_FAULTED);
	EXPECT_EQUAL(exit.code, code);
	EXPECT_EQUAL(exit.fault_kind, kind);
	if (address != 0)
		EXPECT_EQUAL(exit.fault_address, address);
	EXPECT(exit.fault_rip != 0);
}

static void the_first_fault_ends_the_process(void)
{
	expect_fault(FAULTY_HANDLER_LEAVES, USER_FAULT_UNRESERVED, address_of(0), PAGE_FAULT_CODE);
	expect_fault(FAULTY_UNSET, USER_FAULT_UNRESERVED, address_of(0), PAGE_FAULT_CODE);
}

static void the_handler_ends_the_process(void)
{
	expect_fault(FAULTY_ENDED, USER_FAULT_UNRESERVED, address_of(1), PAGE_FAULT_CODE);
}

static void faults_of_the_handler_itself(void)
{
	expect_fault(FAULTY_HANDLER_FAULTS, USER_FAULT_UNRESERVED, address_of(3), PAGE_FAULT_CODE);
}

static void faults_without_a_handler(void)
{
	expect_fault(FAULTY_NO_HANDLER, USER_FAULT_UNRESERVED, address_of(0), PAGE_FAULT_CODE);
	expect_fault(FAULTY_HANDLER_ENDED, USER_FAULT_UNRESERVED, address_of(0), PAGE_FAULT_CODE);
}

static void faults_that_no_memory_mends(void)
{
	expect_fault(FAULTY_EXCEPTION, USER_FAULT_EXCEPTION, 0, 128 + 6);
	expect_fault(FAULTY_KERNEL_ADDRESS, USER_FAULT_KERNEL_ADDRESS, UINT64_C(0xffff800000000000), PAGE_FAULT_CODE);
}

static void exit_while_threads_stand_faulted(void)
{
	struct process_client process;

	start(FAULTY_EXITS, &process);
	trial_child_expect(process, PROCESS_EXITED, 7);
}

static uint32_t standing(uint64_t process_id)
{
	struct inspector_thread thread;
	uint32_t count = 0;

	for (uint64_t i = 0; inspector_client_thread(trial.inspector, process_id, i, &thread) == STATUS_OK; i++)
		count += thread.state == INSPECTOR_THREAD_FAULTED;
	return count;
}

/* They are shown, count as alive, use no time, and can be killed. */
static void killed_while_threads_stand_faulted(void)
{
	struct process_client process;
	struct process_statistics statistics;

	start(FAULTY_STANDS, &process);
	for (uint32_t i = 0; i < 6000 && standing(process.process_id) < 3; i++)
		trial_sleep(TRIAL_MS(10));
	EXPECT_EQUAL(standing(process.process_id), 3);
	EXPECT_OK(process_client_statistics(process, &statistics));
	EXPECT_EQUAL(statistics.threads, 4);
	trial_child_finish(process);
}

static void killed_between_fault_and_resume(void)
{
	struct process_client process;

	for (uint32_t i = 0; i < 8; i++) {
		start(FAULTY_RESUMES_FOR_EVER, &process);
		trial_sleep(TRIAL_MS(3 * i));
		trial_child_finish(process);
	}
}

/* ---- what is refused ---- */

static int64_t return_status_of_wait(void *ignored)
{
	struct thread_fault fault;

	(void)ignored;
	return fault_client_wait(trial.threads, &fault);
}

static enum status wait_at(uint64_t buffer, uint64_t bytes)
{
	const struct ring_submission request = { .opcode = RING_CALL,
						 .operation = THREAD_CONTROL_FAULT_WAIT,
						 .capability = trial.threads.handle,
						 .argument = { buffer, bytes } };

	return ring_client_call_plain(&request);
}

static enum status resume(uint64_t thread_id, uint64_t action)
{
	const struct ring_submission request = { .opcode = RING_CALL,
						 .operation = THREAD_CONTROL_FAULT_RESUME,
						 .capability = trial.threads.handle,
						 .argument = { thread_id, action } };

	return ring_client_call_plain(&request);
}

static void who_may_handle_and_wait(void)
{
	struct thread_fault fault;
	struct user_thread thread;

	EXPECT_STATUS(fault_client_wait(trial.threads, &fault), STATUS_GONE);
	EXPECT_STATUS(fault_client_set_handler(trial.threads, 77), STATUS_NOT_FOUND);
	EXPECT_STATUS(fault_client_set_handler(trial.threads, THREAD_NONE - 1), STATUS_NOT_FOUND);
	trial_thread(&thread, leave_at_once, NULL);
	const uint64_t ended = thread.id;

	trial_join(&thread, 0);
	EXPECT_STATUS(fault_client_set_handler(trial.threads, ended), STATUS_NOT_FOUND);
	EXPECT_OK(fault_client_set_handler(trial.threads, 0));
	trial_thread(&thread, return_status_of_wait, NULL);
	trial_join(&thread, STATUS_GONE);
	EXPECT_OK(fault_client_set_handler(trial.threads, THREAD_NONE));
	EXPECT_OK(fault_client_set_handler(trial.threads, THREAD_NONE));
}

static void who_may_be_resumed(void)
{
	const uint64_t actions[] = { THREAD_FAULT_RETRY, THREAD_FAULT_END };
	struct thread_fault fault;
	struct user_thread thread;
	void *page;

	EXPECT_OK(virtual_memory_client_reserve(trial.memory, NULL, PAGE_SIZE, 0, &page));
	EXPECT_OK(fault_client_set_handler(trial.threads, 0));
	trial_thread(&thread, touch, (void *)(((uint64_t)page - FIRST_ADDRESS) / PAGE_SIZE));
	EXPECT_OK(fault_client_wait(trial.threads, &fault));
	EXPECT_EQUAL(fault.address, (uint64_t)page);
	for (uint32_t i = 0; i < COUNT_OF(actions); i++) {
		EXPECT_STATUS(resume(0, actions[i]), STATUS_NOT_FOUND);
		EXPECT_STATUS(resume(77, actions[i]), STATUS_NOT_FOUND);
		EXPECT_STATUS(resume(THREAD_NONE, actions[i]), STATUS_NOT_FOUND);
	}
	EXPECT_STATUS(resume(fault.thread_id, THREAD_FAULT_ACTION_COUNT), STATUS_BAD_ARGUMENT);
	EXPECT_STATUS(fault_client_set_handler(trial.threads, fault.thread_id), STATUS_BUSY);
	EXPECT_OK(virtual_memory_client_commit(trial.memory, page, PAGE_SIZE, TRIAL_READ_WRITE));
	EXPECT_OK(resume(fault.thread_id, THREAD_FAULT_RETRY));
	trial_join(&thread, 0);
	EXPECT_STATUS(resume(fault.thread_id, THREAD_FAULT_RETRY), STATUS_NOT_FOUND);
	EXPECT_OK(fault_client_set_handler(trial.threads, THREAD_NONE));
	EXPECT_OK(trial_unmap(page, 1));
}

/* A bad buffer costs the report, not the fault. */
static void wait_for_faults_looks_at_its_buffer(void)
{
	struct thread_fault fault;
	struct user_thread thread;
	void *page;

	EXPECT_OK(virtual_memory_client_reserve(trial.memory, NULL, PAGE_SIZE, 0, &page));
	EXPECT_OK(fault_client_set_handler(trial.threads, 0));
	EXPECT_STATUS(wait_at((uint64_t)&fault, sizeof(fault) - 1), STATUS_TOO_LONG);
	trial_thread(&thread, touch, (void *)(((uint64_t)page - FIRST_ADDRESS) / PAGE_SIZE));
	EXPECT_STATUS(wait_at((uint64_t)page, sizeof(fault)),
		      STATUS_BUFFER_FAULT); /* nobody mends that for the kernel */
	EXPECT_STATUS(wait_at(CAPSET_ADDRESS, sizeof(fault)), STATUS_BUFFER_FAULT);
	EXPECT_STATUS(wait_at(UINT64_MAX - 8, sizeof(fault)), STATUS_RANGE_WRAPS);
	EXPECT_STATUS(wait_at(USER_LIMIT, sizeof(fault)), STATUS_NOT_USER_ADDRESS);
	EXPECT_OK(fault_client_wait(trial.threads, &fault));
	EXPECT_EQUAL(fault.thread_id, thread.id);
	EXPECT_OK(virtual_memory_client_commit(trial.memory, page, PAGE_SIZE, TRIAL_READ_WRITE));
	EXPECT_OK(fault_client_resume(trial.threads, thread.id, THREAD_FAULT_RETRY));
	trial_join(&thread, 0);
	EXPECT_OK(fault_client_set_handler(trial.threads, THREAD_NONE));
	EXPECT_OK(trial_unmap(page, 1));
}

/* ---- another handler ---- */

static int64_t take_over(void *page)
{
	struct thread_fault fault;
	uint64_t self;

	TRY(thread_client_self(trial.threads, &self));
	TRY(fault_client_set_handler(trial.threads, self));
	TRY(fault_client_wait(trial.threads, &fault));
	TRY(virtual_memory_client_commit(trial.memory, page, PAGE_SIZE, TRIAL_READ_WRITE));
	return fault_client_resume(trial.threads, fault.thread_id, THREAD_FAULT_RETRY);
}

/* The one before was told of a fault; so is the one that takes over, and the open wait of the first is over. */
static void another_handler(void)
{
	struct user_thread thread, other;
	struct thread_fault fault;
	void *page;

	EXPECT_OK(virtual_memory_client_reserve(trial.memory, NULL, PAGE_SIZE, 0, &page));
	EXPECT_OK(fault_client_set_handler(trial.threads, 0));
	trial_thread(&thread, touch, (void *)(((uint64_t)page - FIRST_ADDRESS) / PAGE_SIZE));
	EXPECT_OK(fault_client_wait(trial.threads, &fault));
	trial_thread(&other, take_over, page);
	EXPECT_STATUS(fault_client_wait(trial.threads, &fault), STATUS_GONE);
	trial_join(&thread, 0);
	trial_join(&other, 0);
	EXPECT_OK(trial_unmap(page, 1));
}

void fault_end_trials_check(void)
{
	static const struct trial_case cases[] = {
		{ "the-first-fault-ends-the-process", the_first_fault_ends_the_process },
		{ "the-handler-ends-the-process", the_handler_ends_the_process },
		{ "faults-of-the-handler-itself", faults_of_the_handler_itself },
		{ "faults-without-a-handler", faults_without_a_handler },
		{ "faults-that-no-memory-mends", faults_that_no_memory_mends },
		{ "exit-while-threads-stand-faulted", exit_while_threads_stand_faulted },
		{ "killed-while-threads-stand-faulted", killed_while_threads_stand_faulted },
		{ "killed-between-fault-and-resume", killed_between_fault_and_resume },
		{ "who-may-handle-and-wait", who_may_handle_and_wait },
		{ "who-may-be-resumed", who_may_be_resumed },
		{ "wait-for-faults-looks-at-its-buffer", wait_for_faults_looks_at_its_buffer },
		{ "another-handler", another_handler },
	};

	trial_check(cases, COUNT_OF(cases));
}
