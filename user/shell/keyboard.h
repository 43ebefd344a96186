/*
 * What is typed, byte by byte; nothing else in the shell reads the console.
 *
 * Nothing is read beyond the line that is being entered, so that a program that the shell starts finds the rest, and so
 * does whoever comes after the shell. While a program runs in the foreground that does not read itself, the shell does
 * not read either: it waits for ^C alone.
 */
#ifndef CAPOS_USER_SHELL_KEYBOARD_H
#define CAPOS_USER_SHELL_KEYBOARD_H

#include <stdbool.h>

#include "abi/ring_abi.h"
#include "abi/status.h"
#include "user/runtime/console_client.h"

void keyboard_init(struct console_client console);

/* The next byte; waits for it. What the console refuses comes back. */
enum status keyboard_read(char *byte);

/* See to it that event_handle notices the next byte; and whether there is one, which is taken off. */
enum status keyboard_listen(void);
bool keyboard_pressed(char *byte);

/* See to it that event_handle notices ^C, until the next keyboard_read or keyboard_listen. */
enum status keyboard_watch(void);

/* Whether ^C came since the last question. What was typed before it is dropped. */
bool keyboard_interrupted(void);

/* For event_handle: an EVENT_KEY or EVENT_INTERRUPT. */
void keyboard_take(const struct ring_completion *completion);

#endif
