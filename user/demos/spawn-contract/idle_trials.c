#include "user/demos/spawn-contract/idle_trials.h"

#include <stddef.h>

#include "lib/check.h"
#include "user/runtime/open_operation.h"
#include "user/testing/trial.h"

#define WANTED 1u
#define SLEEP TRIAL_MS(400)

/* One alarm, which a CPU may pass on to another, and switches to us and away. What looks each millisecond is far above.
 */
#define EVENTS_OF_A_SLEEP 16u

/* Interrupts and changes of threads, of all CPUs. */
static uint64_t events(void)
{
	struct inspector_cpu cpu;
	uint64_t sum = 0;

	for (uint64_t i = 0; inspector_client_cpu(trial.inspector, i, &cpu) == STATUS_OK; i++)
		sum += cpu.interrupts + cpu.switches;
	return sum;
}

/* Nor does a shell that has started us, and waits for ^C or for a line. */
static void who_waits_for_input_wakes_nobody(void)
{
	const struct open_operation_head head = { RING_CALL, CONSOLE_WAIT_INTERRUPT, trial.console.handle };
	struct ring_completion completion;
	struct ring_submission *slot;

	EXPECT_OK(open_operation_begin(head, WANTED, &slot));
	open_operation_finish();
	trial_sleep(TRIAL_MS(1)); /* what has just ended may have something left to do */
	const uint64_t before = events();

	trial_sleep(SLEEP);
	const uint64_t after = events();

	EXPECT(after > before);
	if (after - before > EVENTS_OF_A_SLEEP)
		trial_break("%lu interrupts and switches while nothing was to be done", after - before);
	EXPECT_OK(open_operation_cancel(WANTED));
	EXPECT_OK(open_operation_wait(WANTED, TRIAL_MS(5000), &completion));
	EXPECT_STATUS(ring_client_status(&completion), STATUS_CANCELLED);
}

void idle_trials_check(void)
{
	static const struct trial_case cases[] = {
		{ "who-waits-for-input-wakes-nobody", who_waits_for_input_wakes_nobody },
	};

	trial_check(cases, COUNT_OF(cases));
}
