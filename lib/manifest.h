/*
 * The boot package's text manifest, file "manifest": what runs, and what it is given. One "key value" a line; '#'
 * starts a comment; blank lines are fine. The first part is about init, the one program that the kernel starts:
 *
 *   init NAME                         program to start first (required, once)
 *   limit LEDGER NUMBER[K|M|G]        init's limit of a ledger, by its name in ledger_name(); pages, or bytes for
 *                                     kernel_object_bytes; absent: a default share of the machine
 *   argument WORD                     one more argv word for init (at most 8)
 *
 * From the first line `program NAME` on it is sections about other programs: lib/manifest_program.h.
 */
#ifndef CAPOS_LIB_MANIFEST_H
#define CAPOS_LIB_MANIFEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi/status.h"
#include "abi/virtual_memory_abi.h"
#include "lib/manifest_line.h"

#define MANIFEST_ARGUMENTS 8u
#define MANIFEST_PROGRAMS 64u
#define MANIFEST_MAX_BYTES 65536u

/* The first part. */
struct manifest {
	char init[MANIFEST_NAME_BYTES]; /* 0-terminated */
	bool has_limit[LEDGER_COUNT];
	uint64_t limit[LEDGER_COUNT];
	uint32_t arguments;
	char argument[MANIFEST_ARGUMENTS][MANIFEST_NAME_BYTES];
};

/*
 * Checks the whole file, and gives the first part. *failed_line is the line of a refusal, from 1 (0: the file as a
 * whole). BAD_LINE: wrong number of words, or a byte that is no ASCII text; UNKNOWN_KEY; WRONG_SECTION: a key of the
 * other part; BAD_NAME: init's name too long, or no ledger of that name; BAD_NUMBER: no number, or above 2^64 - 1;
 * DUPLICATE: init, one ledger's limit or one program's section twice; NO_INIT; TOO_LONG: the file, an argument, the
 * list of arguments or of programs. Of the sections: what manifest_program_next says.
 */
enum status manifest_parse(const char *text, size_t bytes, struct manifest *manifest, uint32_t *failed_line);

bool manifest_is_valid(const struct manifest *manifest);

#endif
