/*
 * What a program's thread did that it may not, and what becomes of it: mended by the kernel (a page that was promised),
 * handed to the program's own handler (fault_handler.h), or the end of the process, with the kind and the address.
 */
#ifndef CAPOS_KERNEL_TASK_USER_FAULT_H
#define CAPOS_KERNEL_TASK_USER_FAULT_H

#include <stdbool.h>
#include <stdint.h>

#include "abi/process_abi.h"
#include "abi/user_fault_abi.h"

struct process;

struct user_fault {
	enum user_fault_kind kind;
	uint32_t access;  /* page faults: the one PROTECTION_* that the instruction needs; else 0 */
	uint64_t address; /* that was touched, or of the instruction */
	uint64_t rip;
	uint64_t vector;
	uint64_t error; /* the processor's error code */
};

/* Whether a change of the program's memory can make the instruction possible. */
bool user_fault_is_mendable(enum user_fault_kind kind);

/* What a process that ends by it reports. */
struct process_exit user_fault_exit(const struct user_fault *fault);

/* One line for a process that ends by it. No locks. */
void user_fault_log(const struct process *process, const struct user_fault *fault);

#endif
