/* Console: abi/console_abi.h, on the serial line. */
#include "kernel/cap/console_cap.h"

#include "abi/console_abi.h"
#include "kernel/arch/x86_64/interrupt_window.h"
#include "kernel/arch/x86_64/serial.h"
#include "kernel/cap/call.h"
#include "kernel/mem/user_access.h"
#include "lib/check.h"

#define PART_BYTES 256u

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
		for (uint64_t i = 0; i < count; i++)
			serial_write_byte(part[i]);
		call->value += count;
		interrupt_window_open(); /* a real line takes 22 ms for so many bytes */
	}
	return STATUS_OK;
}

bool console_cap_try_read(struct process *process, const struct open_operation *open,
			  struct ring_completion *completion)
{
	uint8_t part[PART_BYTES];
	uint64_t limit = open->bytes < PART_BYTES ? open->bytes : PART_BYTES;
	enum status status = user_access_check(&process->space, open->buffer, limit, true);
	uint64_t count = 0;

	if (status == STATUS_OK) {
		while (count < limit && serial_read_byte(&part[count]))
			count++;
		if (count == 0)
			return false;
		status = user_access_write(&process->space, open->buffer, count, part);
	}
	completion->value = status == STATUS_OK ? count : 0;
	completion->result = -(int32_t)status;
	return true;
}

static enum status read(struct call *call)
{
	struct open_operation open = {
		.kind = OPEN_CONSOLE_READ,
		.user_data = call->user_data,
		.buffer = call->argument[0],
		.bytes = call->argument[1],
	};

	GUARD(open.bytes != 0, STATUS_ZERO_LENGTH);
	GUARD(open.bytes <= CONSOLE_MAX_BYTES, STATUS_TOO_LONG);
	TRY(user_access_check(&call->process->space, open.buffer, open.bytes, true));
	TRY(thread_open(call->thread, &open));
	call->is_open = true;
	return STATUS_OK;
}

static call_handler_t *const handlers[] = { [CONSOLE_WRITE] = write, [CONSOLE_READ] = read };

_Static_assert(COUNT_OF(handlers) == CONSOLE_OPERATION_COUNT, "a handler for each operation");

const struct call_table console_calls = { handlers, COUNT_OF(handlers) };
