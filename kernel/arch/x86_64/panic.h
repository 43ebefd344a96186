/*
 * The end, when the kernel finds its own promise broken: say where, stop every CPU, halt with code -1 (15 at the debug
 * exit port).
 */
#ifndef CAPOS_KERNEL_ARCH_X86_64_PANIC_H
#define CAPOS_KERNEL_ARCH_X86_64_PANIC_H

#include <stdbool.h>

struct trap_frame;

/* "capos: PANIC: <text>" and a backtrace of the caller. */
_Noreturn void panic(const char *format, ...) __attribute__((format(printf, 1, 2), cold));

/* The same for an exception of the kernel itself, with its registers; the backtrace is that of the exception. */
_Noreturn void panic_trap(const struct trap_frame *frame);

/* Whether some CPU panics: then nothing of the kernel may be relied on. */
bool panic_is_on(void);

/* Never returns if some CPU panics: this one must stop. By the NMI handler. */
void panic_stop_if_on(void);

#endif
