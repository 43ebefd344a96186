/*
 * The sections of the manifest that say what a program is given when it is started (lib/manifest.h has the first part,
 * what init is). Nobody is given anything that is not written here or in a spawn request.
 *
 *   program NAME                      a file of the boot package; the lines up to the next `program` are about it
 *   grant CAPABILITY [copy|move|own] [as NAME]
 *                                     of those that the starter holds under that name: a copy (the default), or the
 *                                     capability itself. own: a new one, bound to the program: memory, threads or park.
 *                                     NAME is what the program finds it by; absent: the same.
 *   limit LEDGER NUMBER[K|M|G]        as in the first part
 *   limit LEDGER PERCENT%             of what the starter has unused of it; absent: MANIFEST_DEFAULT_PERCENT
 *   argument WORD                     one more argv word, before those that the starter adds
 *   environment KEY=VALUE             one more envp word
 *   priority N                        0 to THREAD_PRIORITIES - 1; absent: THREAD_PRIORITY_DEFAULT
 *   start                             init starts it at boot
 *   layout, layout_fixed, layout_seed, layout_heap_offset, stack_limit
 *                                     where its parts lie: lib/manifest_layout.h
 *
 * All words point into the text.
 */
#ifndef CAPOS_LIB_MANIFEST_PROGRAM_H
#define CAPOS_LIB_MANIFEST_PROGRAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi/interface.h"
#include "abi/process_abi.h"
#include "lib/manifest_layout.h"
#include "lib/manifest_line.h"

#define MANIFEST_GRANTS 24u
#define MANIFEST_PROGRAM_ARGUMENTS 8u
#define MANIFEST_PROGRAM_ENVIRONMENT 8u
#define MANIFEST_DEFAULT_PERCENT 25u

struct manifest_grant {
	struct manifest_word capability;
	struct manifest_word name;
	enum process_grant_kind kind;
	enum interface_id interface; /* OWN: what it is; else NONE */
};

struct manifest_limit {
	bool is_given, is_percent;
	uint64_t amount;
};

struct manifest_program {
	struct manifest_word name;
	uint32_t line; /* that it begins at */
	struct manifest_limit limit[LEDGER_COUNT];
	uint32_t priority;
	bool has_priority; /* `priority` is a line of the section, not the default */
	bool starts;
	struct manifest_layout layout;
	uint32_t grants, arguments, environments;
	struct manifest_grant grant[MANIFEST_GRANTS];
	struct manifest_word argument[MANIFEST_PROGRAM_ARGUMENTS];
	struct manifest_word environment[MANIFEST_PROGRAM_ENVIRONMENT];
};

/*
 * The next section; lines before it are passed over. text->line is the line of a refusal. NOT_FOUND: there is none.
 * BAD_LINE: wrong number or order of words, or a byte that is no ASCII text; UNKNOWN_KEY; BAD_NAME: a program's,
 * grant's, ledger's or layout's name, or an environment's without KEY=; BAD_NUMBER: none, or above what it may be;
 * DUPLICATE: a name in the CapSet, a limit, a KEY, priority, start or a word on the layout twice; TOO_LONG: a word or a
 * list; WRONG_SECTION: a key of the first part.
 */
enum status manifest_program_next(struct manifest_text *text, struct manifest_program *program);

/* The section of that name. NOT_FOUND, or a refusal of a section before it. */
enum status manifest_program_find(const char *text, size_t bytes, const char *name, struct manifest_program *program);

/* How much of a ledger the program is given by someone who has `unused` of it. */
uint64_t manifest_program_limit(const struct manifest_program *program, enum ledger_kind ledger, uint64_t unused);

bool manifest_program_is_valid(const struct manifest_program *program);

#endif
