/*
 * One line for each case of the protection suite: what the hardware must do and what this machine did.
 *
 * QEMU's TCG and Bochs are known to differ from the hardware in some cases. Such a case says what the emulator does
 * instead, and its line says "deviates". There it fails if the emulator does something else, the right thing too; and
 * anywhere else it is held to what the hardware must do.
 */
#ifndef CAPOS_KERNEL_DEBUG_PROTECTION_REPORT_H
#define CAPOS_KERNEL_DEBUG_PROTECTION_REPORT_H

#include <stdbool.h>
#include <stdint.h>

enum outcome_kind {
	OUTCOME_AS_HARDWARE, /* of an emulator: it does not deviate */
	OUTCOME_LOST,        /* of an emulator: it goes on with a broken CPU, so the case is left out */
	OUTCOME_ALLOWED,
	OUTCOME_FAULT,
	OUTCOME_WRONG_STACK, /* a fault, on another stack than it must be on */
	OUTCOME_KEPT,        /* an older translation was used */
	OUTCOME_FORGOTTEN,   /* the page table was */
};

struct outcome {
	enum outcome_kind kind;
	uint32_t vector, error; /* of faults */
};

#define OUTCOME_PAGE_FAULT(error)                     \
	{                                             \
		OUTCOME_FAULT, TRAP_PAGE_FAULT, error \
	}
#define OUTCOME_EXCEPTION(vector)        \
	{                                \
		OUTCOME_FAULT, vector, 0 \
	}

/* What a case needs of the CPU. */
enum protection_need {
	NEEDS_NOTHING,
	NEEDS_SMEP,
	NEEDS_SMAP,
	NEEDS_GLOBAL_PAGES,
	NEEDS_PCID,
	NEEDS_FSGSBASE,
	NEEDS_XSAVE,
	NEEDS_LA57,               /* 57-bit addresses */
	NEEDS_SPARE_ADDRESS_BITS, /* physical addresses of less than 52 bits: reserved ones in page tables */
};

struct expectation {
	const char *name;
	enum protection_need need;
	struct outcome hardware;
	struct outcome tcg, bochs;
};

/* Look which machine this is; count from 0. */
void protection_report_begin(void);

/* Whether this machine can be asked; if not, a line says that the case is left out, and why. */
bool protection_report_can_ask(const struct expectation *expectation);

/* The line. */
void protection_report_seen(const struct expectation *expectation, struct outcome seen);

/* A line with the numbers of this CPU. The name of the first case that has failed, or NULL. */
const char *protection_report_end(void);

#endif
