/* Commands about programs: what there is, start one, end the machine. */
#ifndef CAPOS_USER_SHELL_LAUNCH_H
#define CAPOS_USER_SHELL_LAUNCH_H

#include <stdbool.h>

#include "user/shell/shell.h"
#include "user/shell/words.h"

bool launch_run(struct shell *shell, const struct words *words);
bool launch_list(struct shell *shell, const struct words *words);
bool launch_halt(struct shell *shell, const struct words *words);

#endif
