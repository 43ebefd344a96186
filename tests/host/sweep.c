#include "tests/host/sweep.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/host/host_support.h"
#include "tests/host/machine.h"

uint64_t sweep_promises(const struct sweep *sweep)
{
	sweep->remember(sweep->subject);
	for (uint64_t k = 0;; k++) {
		enum status status;

		(void)machine_refuse_promise(k);
		status = sweep->run(sweep->subject);
		if (!machine_refuse_promise(UINT64_MAX)) {
			assert_int_equal(status, STATUS_OK);
			return k;
		}
		assert_int_equal(status, STATUS_OUT_OF_MEMORY);
		assert_true(sweep->is_unchanged(sweep->subject));
	}
}

static void refuse(const struct sweep *sweep, enum ledger_kind kind, uint64_t room)
{
	sweep->leave_room(sweep->subject, kind, room);
	sweep->remember(sweep->subject);
	assert_int_equal(sweep->run(sweep->subject), ledger_refusal(kind));
	assert_true(sweep->is_unchanged(sweep->subject));
}

void sweep_ledger(const struct sweep *sweep, enum ledger_kind kind, uint64_t need)
{
	uint64_t step = need / host_rounds(sweep->most_values) + 1;

	/* need - 1 first of all, and 0 last */
	for (uint64_t below = need; below > 0; below -= below < step ? below : step)
		refuse(sweep, kind, below - 1);
	if (need > 0)
		refuse(sweep, kind, 0);
	sweep->leave_room(sweep->subject, kind, need);
	assert_int_equal(sweep->run(sweep->subject), STATUS_OK);
}
