/*
 * The boot package's text manifest, file "manifest". One "key value" a line; '#' starts a comment; blank lines are
 * fine.
 *
 *   init NAME                         program to start first (required, once)
 *   limit LEDGER NUMBER[K|M|G]        init's limit of a ledger, by its name in ledger_name(); pages, or bytes for
 *                                     kernel_object_bytes; absent: a default share of the machine
 *   argument WORD                     one more argv word for init (at most 8)
 */
#ifndef CAPOS_LIB_MANIFEST_H
#define CAPOS_LIB_MANIFEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi/status.h"
#include "abi/virtual_memory_abi.h"

#define MANIFEST_NAME_BYTES 64u
#define MANIFEST_ARGUMENTS 8u
#define MANIFEST_MAX_BYTES 65536u

struct manifest {
	char init[MANIFEST_NAME_BYTES]; /* 0-terminated */
	bool has_limit[LEDGER_COUNT];
	uint64_t limit[LEDGER_COUNT];
	uint32_t arguments;
	char argument[MANIFEST_ARGUMENTS][MANIFEST_NAME_BYTES];
};

/*
 * *failed_line is the line of a refusal, from 1 (0: the file as a whole). BAD_LINE: wrong number of words, or a byte
 * that is no ASCII text; BAD_NAME: init's name too long, or no ledger of that name; BAD_NUMBER: no number, or above
 * 2^64 - 1; DUPLICATE: init or one ledger's limit twice; TOO_LONG: the file, an argument, or the list of arguments.
 */
enum status manifest_parse(const char *text, size_t bytes, struct manifest *manifest, uint32_t *failed_line);

bool manifest_is_valid(const struct manifest *manifest);

#endif
