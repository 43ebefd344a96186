/* The command `tree`: whose child each process is, what it may take, and who holds what. */
#ifndef CAPOS_USER_SHELL_TREE_REPORT_H
#define CAPOS_USER_SHELL_TREE_REPORT_H

#include <stdbool.h>

#include "user/shell/shell.h"
#include "user/shell/words.h"

bool tree_report_show(struct shell *shell, const struct words *words);

#endif
