/*
 * vm-contract: the contract of VirtualMemory, FrameAllocator, MemoryObject and the ring, from ring 3. Each promise is a
 * line "ok NAME" or "FAILED NAME: what"; the last line is "N passed, N failed"; exit code 0 only if none failed.
 *
 * vm-contract [GROUP]: the promises of that group alone.
 */
#include "lib/check.h"
#include "lib/string.h"
#include "user/demos/vm-contract/anonymous_promises.h"
#include "user/demos/vm-contract/area_promises.h"
#include "user/demos/vm-contract/buffer_refusals.h"
#include "user/demos/vm-contract/capability_refusals.h"
#include "user/demos/vm-contract/contract.h"
#include "user/demos/vm-contract/lazy_promises.h"
#include "user/demos/vm-contract/lazy_refusals.h"
#include "user/demos/vm-contract/ledger_promises.h"
#include "user/demos/vm-contract/object_promises.h"
#include "user/demos/vm-contract/placement_promises.h"
#include "user/demos/vm-contract/query_promises.h"
#include "user/demos/vm-contract/quota_refusals.h"
#include "user/demos/vm-contract/range_refusals.h"
#include "user/demos/vm-contract/restrict_promises.h"
#include "user/demos/vm-contract/ring_promises.h"
#include "user/demos/vm-contract/ring_refusals.h"
#include "user/demos/vm-contract/state_refusals.h"
#include "user/demos/vm-contract/table_promises.h"
#include "user/runtime/print.h"

static const struct {
	const char *name;
	void (*check)(void);
} groups[] = {
	{ "ring-promises", ring_promises_check },           { "anonymous-promises", anonymous_promises_check },
	{ "lazy-promises", lazy_promises_check },           { "area-promises", area_promises_check },
	{ "placement-promises", placement_promises_check }, { "ledger-promises", ledger_promises_check },
	{ "object-promises", object_promises_check },       { "restrict-promises", restrict_promises_check },
	{ "table-promises", table_promises_check },         { "query-promises", query_promises_check },
	{ "range-refusals", range_refusals_check },         { "state-refusals", state_refusals_check },
	{ "lazy-refusals", lazy_refusals_check },           { "capability-refusals", capability_refusals_check },
	{ "buffer-refusals", buffer_refusals_check },       { "ring-refusals", ring_refusals_check },
	{ "quota-refusals", quota_refusals_check },
};

int main(int argc, char **argv, char **envp)
{
	(void)envp;
	if (!contract_begin())
		return 1;
	for (uint32_t i = 0; i < COUNT_OF(groups); i++)
		if (argc < 2 || string_equal(argv[1], groups[i].name))
			groups[i].check();
	print("%u passed, %u failed\n", contract.passed, contract.failed);
	return contract.failed == 0 && contract.passed != 0 ? 0 : 1;
}
