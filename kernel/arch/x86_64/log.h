/*
 * The kernel's lines on the serial port. Usable on any CPU in any context after serial_init(), a panic inside a log
 * call included: the lock is waited for a bounded time and then taken by force, so a CPU that died with it silences no
 * one.
 */
#ifndef CAPOS_KERNEL_ARCH_X86_64_LOG_H
#define CAPOS_KERNEL_ARCH_X86_64_LOG_H

#include <stdint.h>

/* One whole line, "capos: " before it and a newline after it. Format as in lib/format.h; cut at 255 characters. */
__attribute__((format(printf, 1, 2))) void log_line(const char *format, ...);

/* The text alone, with neither prefix nor newline. Cut at 255 characters. */
__attribute__((format(printf, 1, 2))) void log_raw(const char *format, ...);

/* Bytes as they are, a program's; no line of the kernel comes in between. At most as many as a line has. */
void log_bytes(const uint8_t *bytes, uint64_t count);

#endif
