/*
 * endless [spin]: say so if there is a console, then never end: asleep, or with `spin` on a CPU. For whoever ends
 * programs.
 */
#include "lib/check.h"
#include "lib/string.h"
#include "user/runtime/capset_client.h"
#include "user/runtime/print.h"
#include "user/runtime/timer_client.h"

#define NAP_NS UINT64_C(1000000000)

static void spin(void)
{
	volatile bool goes_on = true;

	while (goes_on)
		continue;
}

int main(int argc, char **argv, char **envp)
{
	struct timer_client timer;

	(void)envp;
	if (capset_client_find("timer", INTERFACE_TIMER, &timer.handle) != STATUS_OK)
		return 1;
	print("endless: begun\n");
	print_flush();
	if (argc > 1 && string_equal(argv[1], "spin"))
		spin();
	while (timer_client_sleep(timer, NAP_NS) == STATUS_OK)
		continue;
	return 1;
}
