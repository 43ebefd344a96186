/*
 * hostile: attacks from ring 3, each by a process with limits of its own and threads on all CPUs. After each one every
 * invariant of the kernel must hold, and ledgers and free frames must be what they were. A line "ok NAME" or "FAILED
 * NAME: what" for each; the last line is "N passed, N failed"; exit code 0 only if none failed.
 *
 * hostile [FIRST [COUNT]]: those alone.
 */
#include "lib/check.h"
#include "user/demos/hostile/acceptance_attacks.h"
#include "user/demos/hostile/attack.h"
#include "user/demos/hostile/buffer_attacks.h"
#include "user/demos/hostile/cancel_attacks.h"
#include "user/demos/hostile/death_attacks.h"
#include "user/demos/hostile/fault_attacks.h"
#include "user/demos/hostile/park_attacks.h"
#include "user/demos/hostile/processor_attacks.h"
#include "user/demos/hostile/quota_attacks.h"
#include "user/demos/hostile/ring_attacks.h"
#include "user/demos/hostile/thread_attacks.h"
#include "user/demos/hostile/transfer_attacks.h"
#include "user/runtime/print.h"
#include "user/runtime/ring_client.h"

#define PATIENCE TRIAL_MS(120000)
#define DRIVER_PRIORITY 7u
#define ATTACK_PRIORITY 6u

static const struct attack *current;

static void make_list(void)
{
	buffer_attacks_add();
	ring_attacks_add();
	transfer_attacks_add();
	acceptance_attacks_add();
	death_attacks_add();
	quota_attacks_add();
	park_attacks_add();
	thread_attacks_add();
	fault_attacks_add();
	processor_attacks_add();
	cancel_attacks_add();
}

/* ---- the attacker ---- */

static void run_attack(void)
{
	CHECK(trial_argument(0) < attack_count);
	attack_list[trial_argument(0)].run(&attack_list[trial_argument(0)]);
}

static const struct trial_role roles[] = {
	{ "attack", run_attack },
	{ "echo", death_attacks_role_echo },
	{ "link", death_attacks_role_link },
	{ "client", death_attacks_role_client },
	{ "keeper", transfer_attacks_role_keeper },
	{ "sender", transfer_attacks_role_sender },
	{ "giver", acceptance_attacks_role_giver },
	{ "bomb", quota_attacks_role_bomb },
	{ "nothing", quota_attacks_role_nothing },
};

/* ---- the driver ---- */

static void check_end(const struct process_exit *exit)
{
	static const uint32_t bit[] = {
		[PROCESS_EXITED] = ATTACK_EXITS, [PROCESS_FAULTED] = ATTACK_FAULTS, [PROCESS_KILLED] = ATTACK_KILLED
	};

	CHECK(exit->end < COUNT_OF(bit));
	if ((bit[exit->end] & current->ends) == 0 || (exit->end == PROCESS_EXITED && exit->code != 0))
		trial_break("it ended with code %ld, end %u, fault %u at 0x%lx, rip 0x%lx", (long)exit->code, exit->end,
			    exit->fault_kind, (unsigned long)exit->fault_address, (unsigned long)exit->fault_rip);
}

/* What an attacker with hundreds of children gets through with, and not the machine. */
static void limit_attacker(struct process_builder *builder)
{
	process_builder_limit(builder, LEDGER_VIRTUAL_RESERVATION, 1 << 24);
	process_builder_limit(builder, LEDGER_FRAME_GRANT, 6000);
	process_builder_limit(builder, LEDGER_IMAGE, 6000);
	process_builder_limit(builder, LEDGER_PAGE_TABLE, 1500);
	process_builder_limit(builder, LEDGER_CAP_SLOTS, 4000);
	process_builder_limit(builder, LEDGER_KERNEL_OBJECT, 1500 * PAGE_SIZE);
}

static void drive_current(void)
{
	struct process_builder builder;
	struct process_client process;
	struct process_wait wait;

	trial_child_build(&builder, "attack");
	trial_child_argument(&builder, (uint64_t)(current - attack_list));
	trial_child_give_everything(&builder);
	limit_attacker(&builder);
	process_builder_priority(&builder, ATTACK_PRIORITY);
	if (trial_child_start(&builder, &process) == STATUS_BAD_ARGUMENT) {
		/* Who started us has given us less. */
		process_builder_priority(&builder, THREAD_PRIORITY_DEFAULT);
		EXPECT_OK(trial_child_start(&builder, &process));
	}
	EXPECT_OK(process_client_wait_begin(process, &wait));
	if (current->kill_ms != 0) {
		trial_sleep(TRIAL_MS(current->kill_ms));
		EXPECT_OK(process_client_kill(process));
	}
	if (process_client_wait_within(&wait, PATIENCE) != STATUS_OK) {
		trial_break("it does not end");
		EXPECT_OK(process_client_kill(process));
		EXPECT_OK(process_client_wait_within(&wait, CAP_ENTER_FOREVER));
	}
	check_end(&wait.exit);
	EXPECT_OK(ring_client_release(process.handle));
}

static uint32_t number_of(const char *text)
{
	uint32_t number = 0;

	for (; *text >= '0' && *text <= '9'; text++)
		number = number * 10 + (uint32_t)(*text - '0');
	return number;
}

int main(int argc, char **argv, char **envp)
{
	uint32_t first = argc > 1 ? number_of(argv[1]) : 0;

	(void)envp;
	trial_begin("hostile", argc, argv);
	make_list();
	if (trial_is_role())
		return trial_role_run(roles, COUNT_OF(roles));
	if (!trial_has_everything())
		return 1;
	const uint32_t end = argc > 2 ? first + number_of(argv[2]) : attack_count;

	/* Above the attackers, if that may be. */
	if (thread_client_set_priority(trial.threads, 0, DRIVER_PRIORITY) != STATUS_OK)
		print("hostile: no priority above the attackers'\n");
	for (uint32_t i = first; i < end && i < attack_count; i++) {
		current = &attack_list[i];
		trial_check_one("", current->name, drive_current);
	}
	return trial_end();
}
