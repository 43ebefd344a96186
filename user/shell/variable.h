/*
 * Capabilities by name: those of the shell's CapSet, and those that commands gave it (`alloc`, `endpoint`, `client`).
 */
#ifndef CAPOS_USER_SHELL_VARIABLE_H
#define CAPOS_USER_SHELL_VARIABLE_H

#include <stdbool.h>

#include "abi/capset.h"
#include "abi/handle.h"
#include "abi/interface.h"
#include "user/shell/shell.h"
#include "user/shell/words.h"

#define VARIABLES_MAX 32u

struct variable {
	char name[CAPSET_NAME_BYTES]; /* "": unused */
	handle_t capability;
	enum interface_id interface;
};

/* NOT_FOUND. */
enum status variable_find(const char *name, struct variable *found);

/* Name of one that commands gave, or of the CapSet; "" if it has none. */
const char *variable_name(handle_t capability);

/* It has left the shell. */
void variable_forget(handle_t capability);

/* The commands `alloc`, `endpoint`, `client`, `drop`. */
bool variable_alloc(struct shell *shell, const struct words *words);
bool variable_endpoint(struct shell *shell, const struct words *words);
bool variable_client(struct shell *shell, const struct words *words);
bool variable_drop(struct shell *shell, const struct words *words);

#endif
