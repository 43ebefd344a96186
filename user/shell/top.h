/*
 * The command `top`: who uses the CPUs, and how much each process has of what it may take. Without an argument it is
 * painted anew each second until a key is pressed; `top N` writes N rounds below each other, for scripts.
 */
#ifndef CAPOS_USER_SHELL_TOP_H
#define CAPOS_USER_SHELL_TOP_H

#include <stdbool.h>

#include "user/shell/shell.h"
#include "user/shell/words.h"

bool top_show(struct shell *shell, const struct words *words);

#endif
