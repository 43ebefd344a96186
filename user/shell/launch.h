/*
 * Commands about programs: what there is, start one, end the machine.
 *
 * A program is given what its section of the manifest says and what stands behind `with`, which comes first where both
 * have a name. Nothing else: no section and no `with`, and it can't even write.
 */
#ifndef CAPOS_USER_SHELL_LAUNCH_H
#define CAPOS_USER_SHELL_LAUNCH_H

#include <stdbool.h>

#include "user/shell/shell.h"
#include "user/shell/words.h"

bool launch_run(struct shell *shell, const struct words *words);
bool launch_spawn(struct shell *shell, const struct words *words);
bool launch_list(struct shell *shell, const struct words *words);
bool launch_halt(struct shell *shell, const struct words *words);

/* The programs whose section says `start`, as background jobs. */
void launch_at_boot(struct shell *shell);

#endif
