/*
 * What is typed, byte by byte; nothing else in the shell reads the console.
 *
 * Nothing is read beyond the line that is being entered, so that a program that the shell starts finds the rest. While
 * a program runs in the foreground that does not read itself, the shell watches for ^C: other bytes are kept for the
 * lines after, up to KEYBOARD_AHEAD_BYTES and no further than a line that starts a program that will read.
 */
#ifndef CAPOS_USER_SHELL_KEYBOARD_H
#define CAPOS_USER_SHELL_KEYBOARD_H

#include <stdbool.h>

#include "abi/ring_abi.h"
#include "abi/status.h"
#include "user/runtime/console_client.h"

#define KEYBOARD_AHEAD_BYTES 4096u

/* `is_last`: whether nothing after this line may be read ahead. */
void keyboard_init(struct console_client console, bool (*is_last)(const char *line));

/* The next byte; waits for it. What the console refuses comes back. */
enum status keyboard_read(char *byte);

/* See to it that the next key is noticed by event_handle, if there is room to keep it. */
enum status keyboard_watch(void);

/* For event_handle. */
void keyboard_take(const struct ring_completion *completion);

/* Whether ^C came since the last question. What was typed before it is dropped. */
bool keyboard_interrupted(void);

/* Whether a byte is kept; it is taken off. */
bool keyboard_pressed(void);

#endif
