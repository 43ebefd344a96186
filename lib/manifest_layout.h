/*
 * Where the parts of a program shall lie, as the manifest and the shell's `with` say it (abi/process_abi.h has what it
 * means). One key a line, each at most once:
 *
 *   layout classic|classic-random|flexible
 *   layout_fixed                      no random offset; not beside the next two
 *   layout_seed NUMBER                random offsets that follow from the number
 *   layout_heap_offset                the heap at a random offset too
 *   stack_limit NUMBER[K|M|G]         bytes, not 0
 */
#ifndef CAPOS_LIB_MANIFEST_LAYOUT_H
#define CAPOS_LIB_MANIFEST_LAYOUT_H

#include <stdbool.h>
#include <stdint.h>

#include "abi/status.h"
#include "lib/manifest_line.h"

/* What a spawn request has under the same names; all 0 if nothing is said. */
struct manifest_layout {
	uint32_t kind;  /* enum process_layout */
	uint32_t flags; /* PROCESS_LAYOUT_* */
	uint64_t seed, stack_limit;
};

bool manifest_layout_is_key(struct manifest_word word);

/*
 * One more line of `words` words, the first of them a key. BAD_LINE: too few words or too many; BAD_NAME: no layout of
 * that name; BAD_NUMBER; DUPLICATE: a key twice, or layout_fixed beside what makes offsets random.
 */
enum status manifest_layout_parse(const struct manifest_word *word, uint32_t words, struct manifest_layout *layout);

/* Whether anything is said. */
bool manifest_layout_is_given(const struct manifest_layout *layout);

bool manifest_layout_is_valid(const struct manifest_layout *layout);

#endif
