/*
 * vm-contract: the contract of VirtualMemory, FrameAllocator, MemoryObject and the ring, from ring 3. Each promise is a
 * line "ok NAME" or "FAILED NAME: what"; the last line is "N passed, N failed"; exit code 0 only if none failed.
 */
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

int main(int argc, char **argv, char **envp)
{
	(void)argc;
	(void)argv;
	(void)envp;
	if (!contract_begin())
		return 1;
	ring_promises_check();
	anonymous_promises_check();
	lazy_promises_check();
	area_promises_check();
	placement_promises_check();
	ledger_promises_check();
	object_promises_check();
	restrict_promises_check();
	table_promises_check();
	query_promises_check();
	range_refusals_check();
	state_refusals_check();
	lazy_refusals_check();
	capability_refusals_check();
	buffer_refusals_check();
	ring_refusals_check();
	quota_refusals_check();
	print("%u passed, %u failed\n", contract.passed, contract.failed);
	return contract.failed == 0 ? 0 : 1;
}
