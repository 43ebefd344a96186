/* Commands that look at processes and at the kernel's invariants, through the Inspector. PID left out: the shell. */
#ifndef CAPOS_USER_SHELL_INSPECT_H
#define CAPOS_USER_SHELL_INSPECT_H

#include <stdbool.h>
#include <stdint.h>

#include "user/shell/shell.h"
#include "user/shell/words.h"

/* "ready", "running", "blocked"; "unknown" for other numbers. */
const char *inspect_thread_state(uint32_t state);

bool inspect_ps(struct shell *shell, const struct words *words);
bool inspect_threads(struct shell *shell, const struct words *words);
bool inspect_maps(struct shell *shell, const struct words *words);
bool inspect_layout(struct shell *shell, const struct words *words);
bool inspect_caps(struct shell *shell, const struct words *words);
bool inspect_ledger(struct shell *shell, const struct words *words);
bool inspect_ring(struct shell *shell, const struct words *words);
bool inspect_check(struct shell *shell, const struct words *words);

#endif
