/*
 * What runs, one program after the other: init, or the program that the last one named as its successor; then init
 * again. Each starts with a fixed set of capabilities and ends with all its frames back, which is compared and said in
 * one line.
 */
#ifndef CAPOS_KERNEL_CAP_SUPERVISOR_H
#define CAPOS_KERNEL_CAP_SUPERVISOR_H

#include <stdbool.h>
#include <stdint.h>

#include "abi/status.h"
#include "abi/system_control_abi.h"

/*
 * `init` NULL: the manifest's. `once`: halt with init's exit code when it ends. Boot CPU; does not return.
 */
_Noreturn void supervisor_run(const char *init, bool once);

/*
 * Name the next program by a command line (words separated by blanks). NOT_FOUND: no such file in the boot package;
 * BAD_ARGUMENT: no word; TOO_LONG: too many words, or characters.
 */
enum status supervisor_set_next(const char *command);

/* How the program before the one that runs now ended: NOT_FOUND if there was none. */
enum status supervisor_last_exit(struct last_exit *result);

#endif
