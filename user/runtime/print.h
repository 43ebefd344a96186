/*
 * Formatted text on the console named "console" of the CapSet; a program that was given none prints nothing. Text is
 * held back until a line ends, the buffer is full, or print_flush() is called; program_exit() flushes. What is held
 * when the program faults is lost. Any thread may print; the text of one call stays together.
 */
#ifndef CAPOS_USER_RUNTIME_PRINT_H
#define CAPOS_USER_RUNTIME_PRINT_H

#include <stddef.h>

#define PRINT_MAX_BYTES 1024u /* of one print(); what is longer is cut. print_text() takes any length */

/* Called by program_start. */
void print_init(void);

/* Conversions as in lib/format.h. */
void print(const char *text, ...) __attribute__((format(printf, 1, 2)));

void print_text(const char *text, size_t bytes);

void print_flush(void);

#endif
