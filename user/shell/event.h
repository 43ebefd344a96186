/*
 * What the shell waits for: a key or ^C, and the ends of its jobs. All of these are operations that stay open while it
 * does something else; whoever waits lets them be handled one at a time.
 */
#ifndef CAPOS_USER_SHELL_EVENT_H
#define CAPOS_USER_SHELL_EVENT_H

#include <stdint.h>

#include "abi/status.h"

#define EVENT_KEY 1u       /* user_data of a read of the console */
#define EVENT_INTERRUPT 2u /* of a wait for ^C */
#define EVENT_JOB 3u       /* and of the wait for job 0; those of the others follow */

/* Wait for one of them, and let its owner take it. TIMED_OUT: none came (CAP_ENTER_FOREVER: no end). */
enum status event_handle(uint64_t timeout_ns);

#endif
