/*
 * A simulated machine under kernel/task and kernel/cap: tests/host/machine.h, and stand-ins for what is beyond it. The
 * stack window is a table of frames; the clock stands still until it is set; the serial line reads and writes strings;
 * the boot package is what the test says. No thread runs by itself: tests/host/task_scheduler.h.
 */
#ifndef CAPOS_TESTS_HOST_TASK_MACHINE_H
#define CAPOS_TESTS_HOST_TASK_MACHINE_H

#include <stdbool.h>
#include <stdint.h>

#include "kernel/mem/frame.h"
#include "kernel/mem/heap.h"
#include "kernel/mem/memory_object.h"
#include "kernel/task/process.h"
#include "lib/archive.h"
#include "tests/host/machine.h"

#define TASK_MACHINE_PLENTY (UINT64_C(1) << 40)

/* machine_start, with empty windows, no thread, time 0, and random numbers that repeat. */
void task_machine_start(uint64_t frames);

/* Everything valid, no process, object, endpoint, block or stack left, and machine_stop. */
void task_machine_stop(void);

/* The same limit for each ledger. */
void task_machine_limits(uint64_t limits[LEDGER_COUNT], uint64_t limit);

/* What clock_now_ns says from now on. */
void task_machine_set_clock(uint64_t nanoseconds);

/* What happens, until the next start, whenever a byte is taken off the line; NULL: nothing. */
void task_machine_on_read(void (*act)(void *argument), void *argument);

/* From now on, until the next start: nobody is called when something comes over the serial line. */
void task_machine_poll_input(void);

/* What comes over the serial line, in place of what has not been taken off it; and the first 8191 bytes that
 * have been written to it since the start, 0-terminated. */
void task_machine_type(const char *text);
const char *task_machine_printed(void);

/* What the boot package has. */
void task_machine_set_package(const struct archive *archive);

/* Pages that are mapped in the stack window. */
uint64_t task_machine_stack_pages(void);

#endif
