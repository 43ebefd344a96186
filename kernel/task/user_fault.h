/*
 * Why a program was ended: the kind of its fault, in words that name the cause, and the address.
 */
#ifndef CAPOS_KERNEL_TASK_USER_FAULT_H
#define CAPOS_KERNEL_TASK_USER_FAULT_H

#include <stdint.h>

#include "abi/user_fault_abi.h"

struct user_fault {
	enum user_fault_kind kind;
	uint64_t vector;
	uint64_t address; /* that was touched, or of the instruction */
	uint64_t rip;
};

#endif
