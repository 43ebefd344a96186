/*
 * Self-tests that only the kernel can run: `selftest` on the command line. One line `selftest: ok NAME` each; the first
 * failure panics.
 */
#ifndef CAPOS_KERNEL_DEBUG_SELFTEST_H
#define CAPOS_KERNEL_DEBUG_SELFTEST_H

/* On the boot CPU, before the first program. With one CPU the shootdown test says that it was left out. */
void selftest_run(void);

/*
 * Overflow a stack, which must end in the panic that says so: "boot", "cpu" (the one that CPU 1 idles on) or "thread"
 * (one of kernel_stack.h). `overflow=STACK` on the command line; says if there is no such stack, and does nothing.
 */
void selftest_overflow(const char *stack);

#endif
