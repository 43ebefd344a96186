/* Console input that was awaited: called from cap_enter while a read is open. */
#ifndef CAPOS_KERNEL_CAP_CONSOLE_CAP_H
#define CAPOS_KERNEL_CAP_CONSOLE_CAP_H

#include <stdbool.h>

#include "abi/ring_abi.h"
#include "kernel/task/process.h"

/*
 * Whether the read can complete: bytes have come, or its buffer is no longer writable (BUFFER_FAULT; no input is lost).
 */
bool console_cap_try_read(struct process *process, const struct open_operation *open,
			  struct ring_completion *completion);

#endif
