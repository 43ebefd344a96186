#include "tests/host/page_watch.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "lib/check.h"

/* It can be told by what it puts into the environment. */
bool page_watch_works(void)
{
	const char *preload = getenv("LD_PRELOAD");

	return preload == NULL || strstr(preload, "vgpreload") == NULL;
}

void page_watch_handle(int number, page_watch_handler_t *handler)
{
	struct sigaction action = { .sa_sigaction = handler, .sa_flags = SA_SIGINFO };

	CHECK(sigemptyset(&action.sa_mask) == 0);
	CHECK(sigaction(number, &action, NULL) == 0);
}
