/* Console: abi/console_abi.h, on the serial line. */
#include "abi/console_abi.h"

#include "kernel/arch/x86_64/interrupt_window.h"
#include "kernel/arch/x86_64/log.h"
#include "kernel/arch/x86_64/serial.h"
#include "kernel/cap/call.h"
#include "kernel/mem/user_access.h"
#include "kernel/task/console_wait.h"
#include "kernel/task/thread.h"
#include "lib/check.h"

#define PART_BYTES 256u

/* Writers take turns; only lines of the kernel wait beside. */
static struct spinlock output_lock = SPINLOCK_INIT(LOCK_CONSOLE_OUTPUT);
static struct spinlock input_lock = SPINLOCK_INIT(LOCK_CONSOLE_INPUT); /* one reader looks and takes */

/* What has come and nobody has read. input_lock. */
static struct {
	uint32_t first, count;
	bool has_room_again; /* since input_lock was taken: what did not fit can be looked at */
	uint8_t byte[CONSOLE_KEPT_BYTES];
} kept;

static enum status write(struct call *call)
{
	uint64_t buffer = call->argument[0];
	uint64_t bytes = call->argument[1];
	uint8_t part[PART_BYTES];

	GUARD(bytes <= CONSOLE_MAX_BYTES, STATUS_TOO_LONG);
	TRY(user_access_check(&call->process->space, buffer, bytes, false));
	while (call->value < bytes) {
		uint64_t count = bytes - call->value < PART_BYTES ? bytes - call->value : PART_BYTES;

		TRY(user_access_read(&call->process->space, buffer + call->value, count, part));
		spinlock_acquire(&output_lock);
		log_bytes(part, count); /* nor does a line of the kernel come in between */
		spinlock_release(&output_lock);
		call->value += count;
		interrupt_window_open(); /* a real line takes 22 ms for so many bytes */
	}
	return STATUS_OK;
}

static uint8_t *kept_at(uint32_t index)
{
	return &kept.byte[(kept.first + index) % CONSOLE_KEPT_BYTES];
}

static void keep_input(void)
{
	uint8_t byte;

	while (kept.count < CONSOLE_KEPT_BYTES && serial_read_byte(&byte))
		*kept_at(kept.count++) = byte;
}

static void drop_input(uint32_t count)
{
	kept.has_room_again = kept.count == CONSOLE_KEPT_BYTES && count != 0;
	kept.first = (kept.first + count) % CONSOLE_KEPT_BYTES;
	kept.count -= count;
}

static void unlock_input(void)
{
	const bool has_room_again = kept.has_room_again;

	kept.has_room_again = false;
	spinlock_release(&input_lock);
	if (has_room_again)
		console_wait_call();
}

static uint32_t take_input(uint8_t *part, uint32_t limit)
{
	uint32_t count;

	spinlock_acquire(&input_lock);
	keep_input();
	count = limit < kept.count ? limit : kept.count;
	for (uint32_t i = 0; i < count; i++)
		part[i] = *kept_at(i);
	drop_input(count);
	unlock_input();
	return count;
}

/* In front of what has come since, as far as there is room; others may have looked meanwhile. */
static void give_input_back(const uint8_t *part, uint32_t count)
{
	spinlock_acquire(&input_lock);
	while (count > 0 && kept.count < CONSOLE_KEPT_BYTES) {
		kept.first = (kept.first + CONSOLE_KEPT_BYTES - 1) % CONSOLE_KEPT_BYTES;
		kept.count++;
		*kept_at(0) = part[--count];
	}
	spinlock_release(&input_lock);
	console_wait_call();
}

/* As many bytes as have come, if the buffer can take them. The program's memory is not touched with the lock held. */
static enum status read_input(struct address_space *space, const struct operation *operation, uint32_t *count)
{
	uint32_t limit = operation->bytes < PART_BYTES ? (uint32_t)operation->bytes : PART_BYTES;
	uint8_t part[PART_BYTES];
	enum status status;

	*count = 0;
	TRY(user_access_check(space, operation->buffer, limit, true));
	*count = take_input(part, limit);
	status = user_access_write(space, operation->buffer, *count, part);
	if (status != STATUS_OK)
		give_input_back(part, *count);
	return status;
}

static bool look_for_input(struct operation *operation)
{
	uint32_t count;
	enum status status = read_input(&operation->thread->process->space, operation, &count);

	if (status == STATUS_OK && count == 0)
		return false;
	operation->completion.value = status == STATUS_OK ? count : 0;
	operation->completion.result = -(int32_t)status;
	return true;
}

static bool take_interrupt(void)
{
	keep_input();
	for (uint32_t i = 0; i < kept.count; i++) {
		if (*kept_at(i) == CONSOLE_INTERRUPT) {
			drop_input(i + 1);
			return true;
		}
	}
	return false;
}

/* `word`: its thread has read since. */
static bool look_for_interrupt(struct operation *operation)
{
	bool has_come;

	if (operation->word != 0)
		return true;
	spinlock_acquire(&input_lock);
	has_come = take_interrupt();
	unlock_input();
	operation->completion.value = has_come;
	return has_come;
}

static void end_waits(struct thread *thread)
{
	for (uint32_t i = 0; i < OPERATION_MAX; i++) {
		struct operation *operation = &thread->operation[i];

		if (operation->kind != OPERATION_CONSOLE_READ || operation->look != look_for_interrupt)
			continue;
		operation->word = 1;
		operation_call(operation);
	}
}

static enum status read(struct call *call)
{
	struct operation *operation;

	GUARD(call->argument[1] != 0, STATUS_ZERO_LENGTH);
	GUARD(call->argument[1] <= CONSOLE_MAX_BYTES, STATUS_TOO_LONG);
	TRY(user_access_check(&call->process->space, call->argument[0], call->argument[1], true));
	TRY(call_open(call, OPERATION_CONSOLE_READ, console_wait_deadline(), &operation));
	operation->buffer = call->argument[0];
	operation->bytes = call->argument[1];
	console_wait_begin(operation, look_for_input);
	end_waits(call->thread);
	return STATUS_OK;
}

static enum status wait_interrupt(struct call *call)
{
	struct operation *operation;

	TRY(call_open(call, OPERATION_CONSOLE_READ, console_wait_deadline(), &operation));
	operation->word = 0;
	console_wait_begin(operation, look_for_interrupt);
	return STATUS_OK;
}

static call_handler_t *const handlers[] = {
	[CONSOLE_WRITE] = write,
	[CONSOLE_READ] = read,
	[CONSOLE_WAIT_INTERRUPT] = wait_interrupt,
};

_Static_assert(COUNT_OF(handlers) == CONSOLE_OPERATION_COUNT, "a handler for each operation");

const struct call_table console_calls = { handlers, COUNT_OF(handlers) };
