/*
 * For tests that shut a page (mprotect) and look at each access in a signal handler.
 */
#ifndef CAPOS_TESTS_HOST_PAGE_WATCH_H
#define CAPOS_TESTS_HOST_PAGE_WATCH_H

#include <signal.h>
#include <stdbool.h>

/* Whether that works here: valgrind takes an access to a shut page for an error, and runs no single instruction. */
bool page_watch_works(void);

typedef void page_watch_handler_t(int number, siginfo_t *info, void *context);

/* That handler for that signal, until the end of the test. */
void page_watch_handle(int number, page_watch_handler_t *handler);

#endif
