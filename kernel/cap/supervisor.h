/*
 * The machine's own part in running programs: it starts init with a fixed set of capabilities and everything that is
 * free as its limits, and waits for its end. Everything else is init's to start.
 *
 * When init has ended, so has everything: what it started and did not wait for is killed. Then all frames are back,
 * which is compared and said in one line.
 */
#ifndef CAPOS_KERNEL_CAP_SUPERVISOR_H
#define CAPOS_KERNEL_CAP_SUPERVISOR_H

#include <stdbool.h>

/*
 * `init` NULL: the manifest's; else a command line. `once`: halt with init's exit code when it has ended; else start it
 * again. Becomes the boot CPU's idle context; does not return.
 */
_Noreturn void supervisor_run(const char *init, bool once);

#endif
