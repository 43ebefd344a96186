/* SystemControl: end the system, or name the program that runs after the caller. */
#ifndef CAPOS_ABI_SYSTEM_CONTROL_ABI_H
#define CAPOS_ABI_SYSTEM_CONTROL_ABI_H

#include <stdint.h>

enum system_control_operation {
	SYSTEM_CONTROL_HALT = 0, /* (exit code 0..63): ends the machine; does not complete */
	/*
	 * (command line, bytes): when the caller exits, the kernel starts the program named by the first word with the
	 * words as its arguments, in a new process; when that one ends, the boot package's init starts again.
	 */
	SYSTEM_CONTROL_RUN_NEXT = 1,
	SYSTEM_CONTROL_LAST_EXIT = 2, /* (buffer, bytes): struct last_exit; NOT_FOUND before the first one */
	SYSTEM_CONTROL_OPERATION_COUNT
};

#define SYSTEM_CONTROL_COMMAND_BYTES 256u

/* How the process that ran before the caller ended. */
struct last_exit {
	uint64_t process_id;
	int64_t code;         /* exit code; for a fault, 128 + exception vector */
	uint32_t fault_kind;  /* 0: it called exit; else enum user_fault_kind */
	uint32_t load_status; /* enum status if it could not be started at all */
	uint64_t fault_address;
	uint64_t frames_before, frames_after; /* free frames before it was made and after it was gone */
	char name[32];
};

_Static_assert(sizeof(struct last_exit) == 80, "layout");

#endif
