/* The command `mem`. Its first line is read by scripts: names and numbers in turn. */
#ifndef CAPOS_USER_SHELL_MEMORY_REPORT_H
#define CAPOS_USER_SHELL_MEMORY_REPORT_H

#include <stdbool.h>

#include "user/shell/shell.h"
#include "user/shell/words.h"

bool memory_report_show(struct shell *shell, const struct words *words);

#endif
