/*
 * A case of the program `protection`: something that a program does, in a process of its own, and how that must end by
 * the hardware's rules. Where an emulator is known to end it otherwise, the case says so (kernel/debug has the same for
 * ring 0).
 */
#ifndef CAPOS_USER_DEMOS_PROTECTION_RING3_CASE_H
#define CAPOS_USER_DEMOS_PROTECTION_RING3_CASE_H

#include <stdbool.h>
#include <stdint.h>

#include "abi/user_fault_abi.h"

enum ending_kind {
	ENDING_AS_HARDWARE, /* of an emulator: it does not deviate */
	ENDING_ALLOWED,     /* it gets by, and what it found was right */
	ENDING_FAULT,
};

struct ending {
	enum ending_kind kind;
	uint32_t vector, error; /* the process handle tells no error code: the kernel's line about the fault does */
	enum user_fault_kind fault;
};

#define ALLOWED                                       \
	{                                             \
		ENDING_ALLOWED, 0, 0, USER_FAULT_NONE \
	}
#define FAULT(vector, error, fault)                \
	{                                          \
		ENDING_FAULT, vector, error, fault \
	}
#define PAGE_FAULT(error, fault) FAULT(14, error, fault)
#define GENERAL(error) FAULT(13, error, USER_FAULT_PRIVILEGED)
#define UNDEFINED FAULT(6, 0, USER_FAULT_EXCEPTION)

/* Error code of a page fault (SDM vol. 3, 4.7); U is set in all of ring 3's. */
#define PRESENT 1u
#define WRITE 2u
#define USER 4u
#define FETCH 16u

/* What a case needs of the CPU. */
enum case_need {
	NEEDS_NOTHING,
	NEEDS_SMAP,
	NEEDS_UMIP,
	NEEDS_FSGSBASE,
	NEEDS_XSAVE,
	NEEDS_INVPCID,
	NEEDS_INTEL,
	NEEDS_AMD,
};

struct ring3_case {
	const char *name; /* of the process too */
	enum case_need need;
	bool (*run)(void); /* false: no fault, but something else is wrong */
	uint64_t address;  /* that the fault is about; 0: the instruction itself, or not known beforehand */
	struct ending hardware, tcg;
};

/* Known only when it is there: of a page or an instruction. */
#define ADDRESS_UNKNOWN 0u

#endif
