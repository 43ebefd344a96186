/*
 * spawn-contract: the contract of processes, threads, parking, endpoints and transfer, from ring 3. Each trial is a
 * line "ok NAME" or "FAILED NAME: what"; the last line is "N passed, N failed"; exit code 0 only if none failed.
 */
#include "lib/check.h"
#include "user/demos/spawn-contract/acceptance_trials.h"
#include "user/demos/spawn-contract/cancel_trials.h"
#include "user/demos/spawn-contract/elf_trials.h"
#include "user/demos/spawn-contract/end_trials.h"
#include "user/demos/spawn-contract/endpoint_trials.h"
#include "user/demos/spawn-contract/fault_end_trials.h"
#include "user/demos/spawn-contract/fault_trials.h"
#include "user/demos/spawn-contract/gone_trials.h"
#include "user/demos/spawn-contract/holder.h"
#include "user/demos/spawn-contract/layout_trials.h"
#include "user/demos/spawn-contract/lock_trials.h"
#include "user/demos/spawn-contract/memory_trials.h"
#include "user/demos/spawn-contract/origin_trials.h"
#include "user/demos/spawn-contract/pager_trials.h"
#include "user/demos/spawn-contract/park_trials.h"
#include "user/demos/spawn-contract/quota_trials.h"
#include "user/demos/spawn-contract/spawn_refusals.h"
#include "user/demos/spawn-contract/stack_trials.h"
#include "user/demos/spawn-contract/start_trials.h"
#include "user/demos/spawn-contract/idle_trials.h"
#include "user/demos/spawn-contract/thread_trials.h"
#include "user/demos/spawn-contract/transfer_trials.h"
#include "user/testing/trial.h"

static const struct trial_role roles[] = {
	{ "memory", memory_trials_role_life },
	{ "frames", memory_trials_role_frames },
	{ "exit", end_trials_role_exit },
	{ "fault", end_trials_role_fault },
	{ "busy", end_trials_role_busy },
	{ "sleep", end_trials_role_sleep },
	{ "parent", end_trials_role_parent },
	{ "strings", start_trials_role_strings },
	{ "granted", start_trials_role_granted },
	{ "bare", start_trials_role_bare },
	{ "limits", start_trials_role_limits },
	{ "priority", start_trials_role_priority },
	{ "report", layout_trials_role_report },
	{ "recurse", stack_trials_role_recurse },
	{ "watched", stack_trials_role_watched },
	{ "thread-recurse", stack_trials_role_thread },
	{ "holder", holder_role },
	{ "server", gone_trials_role_server },
	{ "caller", gone_trials_role_caller },
	{ "echo", gone_trials_role_echo },
	{ "poor", quota_trials_role_poor },
	{ "sleeper", park_trials_role_sleeper },
	{ "first-leaves", thread_trials_role_first_leaves },
	{ "come-and-go", thread_trials_role_come_and_go },
	{ "faulty", fault_end_trials_role_faulty },
};

int main(int argc, char **argv, char **envp)
{
	(void)envp;
	trial_begin("spawn-contract", argc, argv);
	if (trial_is_role())
		return trial_role_run(roles, COUNT_OF(roles));
	if (!trial_has_everything())
		return 1;
	memory_trials_check();
	start_trials_check();
	end_trials_check();
	spawn_refusals_check();
	elf_trials_check();
	layout_trials_check();
	stack_trials_check();
	quota_trials_check();
	thread_trials_check();
	idle_trials_check();
	fault_trials_check();
	pager_trials_check();
	fault_end_trials_check();
	park_trials_check();
	lock_trials_check();
	endpoint_trials_check();
	transfer_trials_check();
	acceptance_trials_check();
	cancel_trials_check();
	origin_trials_check();
	gone_trials_check();
	return trial_end();
}
