/*
 * What stands behind `with`: capabilities that a program is given besides what the manifest says, and where its parts
 * shall lie. Pure text.
 *
 *   ITEM, ITEM ...          ITEM: a line of lib/manifest_layout.h (layout classic, stack_limit 64K ...), or a GRANT
 *                           GRANT: [NAME:] SOURCE [copy|move|own] [read-only] [@KIND]
 *
 *   NAME        what the program finds it by; absent: SOURCE
 *   SOURCE      a name of the shell's (`caps` lists these); for own: memory, threads or park
 *   copy        both hold it afterwards; this is so without a word
 *   move        the shell holds it no more
 *   own         a new one, bound to the program
 *   read-only   of a memory object: a narrower one that is never mapped writable
 *   @KIND       refuse if SOURCE is of another kind: @memory, @console, @endpoint ...
 */
#ifndef CAPOS_USER_SHELL_GRANT_LIST_H
#define CAPOS_USER_SHELL_GRANT_LIST_H

#include <stdbool.h>
#include <stdint.h>

#include "abi/capset.h"
#include "abi/interface.h"
#include "abi/process_abi.h"
#include "lib/manifest_layout.h"

#define GRANT_LIST_MAX 16u
#define GRANT_LIST_ERROR_BYTES 96u

struct grant_wish {
	char name[CAPSET_NAME_BYTES];
	char source[CAPSET_NAME_BYTES];
	enum process_grant_kind kind;
	bool has_kind;
	bool is_read_only;
	enum interface_id interface; /* NONE: any */
};

struct grant_list {
	uint32_t count;
	struct grant_wish wish[GRANT_LIST_MAX];
	struct manifest_layout layout;
	char error[GRANT_LIST_ERROR_BYTES]; /* of a list that was refused: why */
};

/* False: the text is no such list, or gives two grants one name; `error` says why. */
bool grant_list_parse(struct grant_list *list, const char *text);

bool grant_list_has(const struct grant_list *list, const char *name);

#endif
