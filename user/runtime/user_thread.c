#include "user/runtime/user_thread.h"

#include <stdbool.h>
#include <stddef.h>

#include "abi/memory_layout.h"
#include "lib/check.h"
#include "user/runtime/capset_client.h"
#include "user/runtime/print.h"
#include "user/runtime/program.h"
#include "user/runtime/ring_client.h"
#include "user/runtime/thread_client.h"
#include "user/runtime/virtual_memory_client.h"

#define LARGEST_STACK_BYTES (UINT64_C(1) << 40) /* the sums below stay far from the end of 64 bits */

/* What a thread finds at the top of its stack. */
struct user_thread_work {
	user_thread_function_t *function;
	void *argument;
};

_Static_assert(sizeof(struct user_thread_work) % 16 == 0, "what lies below it is aligned as the System V ABI asks");

static struct thread_image thread_image;

void user_thread_init(const struct thread_image *image)
{
	thread_image = *image;
}

static enum status find_memory(struct virtual_memory_client *memory)
{
	return capset_client_find("memory", INTERFACE_VIRTUAL_MEMORY, &memory->handle);
}

static enum status find_threads(struct thread_client *threads)
{
	return capset_client_find("threads", INTERFACE_THREAD_CONTROL, &threads->handle);
}

/*
 * Of a thread that was not to be. An unmap may be refused, when another thread has taken the last page for tables in
 * between: then the frames go back, and address space is all that is lost.
 */
static void abandon_memory(struct virtual_memory_client memory, const struct user_thread *thread)
{
	if (virtual_memory_client_unmap(memory, thread->memory, thread->bytes) != STATUS_OK)
		CHECK(virtual_memory_client_decommit(memory, thread->memory, thread->bytes) == STATUS_OK);
}

/* Reserve everything, and frames for all of it but the guard. */
static enum status take_memory(struct virtual_memory_client memory, struct user_thread *thread)
{
	enum status status;

	TRY(virtual_memory_client_reserve(memory, NULL, thread->bytes, 0, &thread->memory));
	status = virtual_memory_client_commit(memory, (char *)thread->memory + USER_THREAD_GUARD_BYTES,
					      thread->bytes - USER_THREAD_GUARD_BYTES,
					      PROTECTION_READ | PROTECTION_WRITE);
	if (status != STATUS_OK)
		abandon_memory(memory, thread);
	return status;
}

/* The thread-local storage, below it the work, below that the stack. */
static enum status create(struct thread_client threads, struct user_thread *thread, const struct user_thread_work *work,
			  uint32_t priority)
{
	struct thread_begin begin = { .entry = (uint64_t)user_thread_entry, .priority = priority };
	struct user_thread_work *top;
	void *start;

	begin.tls = thread_block_build(&thread_image, (char *)thread->memory + thread->bytes, &start);
	top = (struct user_thread_work *)start - 1;
	*top = *work;
	begin.stack = (uint64_t)top;
	begin.argument = (uint64_t)top;
	return thread_client_create(threads, &begin, &thread->id);
}

/* Bytes of guard, stack, storage. */
static enum status bytes_of(uint64_t stack_bytes, uint64_t *bytes)
{
	const uint64_t block = thread_block_bytes(&thread_image) + sizeof(struct user_thread_work);

	GUARD(stack_bytes <= LARGEST_STACK_BYTES, STATUS_TOO_LONG);
	if (stack_bytes == 0)
		stack_bytes = USER_THREAD_STACK_BYTES;
	*bytes = (USER_THREAD_GUARD_BYTES + stack_bytes + block + PAGE_SIZE - 1) & ~(PAGE_SIZE - 1);
	return STATUS_OK;
}

enum status user_thread_start(struct user_thread *thread, user_thread_function_t *function, void *argument,
			      const struct user_thread_options *options)
{
	static const struct user_thread_options usual = { 0, THREAD_PRIORITY_DEFAULT };
	const struct user_thread_options *chosen = options == NULL ? &usual : options;
	const struct user_thread_work work = { function, argument };
	struct virtual_memory_client memory;
	struct thread_client threads;
	struct user_thread started = { .has_ended = false };
	handle_t park;
	enum status status;

	TRY(find_memory(&memory));
	TRY(find_threads(&threads));
	TRY(capset_client_find("park", INTERFACE_PARK_SPACE, &park)); /* or no mutex could be waited for */
	TRY(bytes_of(chosen->stack_bytes, &started.bytes));
	TRY(take_memory(memory, &started));
	status = create(threads, &started, &work, chosen->priority);
	if (status == STATUS_OK)
		*thread = started;
	else
		abandon_memory(memory, &started);
	return status;
}

/* Wait until it has ended, unless that was done. */
static enum status await_end(struct thread_client threads, struct user_thread *thread)
{
	struct thread_exit exit;

	if (thread->has_ended)
		return STATUS_OK;
	TRY(thread_client_wait(threads, thread->id, &exit));
	thread->has_ended = true;
	thread->code = exit.code;
	return STATUS_OK;
}

enum status user_thread_join(struct user_thread *thread, int64_t *code)
{
	struct virtual_memory_client memory;
	struct thread_client threads;

	GUARD(thread->memory != NULL, STATUS_NOT_FOUND);
	TRY(find_memory(&memory));
	TRY(find_threads(&threads));
	TRY(await_end(threads, thread));
	*code = thread->code;
	/* Nothing runs on it any more: the wait is over only when all of the thread was given back. */
	TRY(virtual_memory_client_unmap(memory, thread->memory, thread->bytes));
	thread->memory = NULL;
	return STATUS_OK;
}

_Noreturn void user_thread_exit(int64_t code)
{
	struct thread_client threads;

	print_flush();
	/* Without the capability there is one thread, and its end is the program's. */
	if (find_threads(&threads) == STATUS_OK)
		CHECK(thread_client_exit(threads, code) == STATUS_OK);
	program_exit((int)code);
}

_Noreturn void user_thread_begin(const struct user_thread_work *work, struct ring_page *ring)
{
	/* Without a ring nothing can be said or done, so the exit code is all that can tell. */
	if (ring_client_init(&ring_client_current, ring) != STATUS_OK)
		system_call_exit(PROGRAM_ABORT_CODE);
	user_thread_exit(work->function(work->argument));
}
