#include "user/testing/trial_child.h"

#include "lib/check.h"
#include "lib/format.h"
#include "user/testing/trial.h"

/* A child that has not ended by then will not. Nobody could end it, so the program says so and is over. */
#define PATIENCE TRIAL_MS(60000)
#define MUST(expression) CHECK((expression) == STATUS_OK)

static void limit(struct process_builder *builder, const uint64_t limits[LEDGER_COUNT])
{
	for (uint32_t i = 0; i < LEDGER_COUNT; i++)
		process_builder_limit(builder, (enum ledger_kind)i, limits[i]);
}

void trial_child_build(struct process_builder *builder, const char *role)
{
	static const uint64_t limits[LEDGER_COUNT] = {
		[LEDGER_VIRTUAL_RESERVATION] = 1 << 20,
		[LEDGER_FRAME_GRANT] = 256,
		[LEDGER_IMAGE] = 256,
		[LEDGER_PAGE_TABLE] = 64,
		[LEDGER_CAP_SLOTS] = 64,
		[LEDGER_KERNEL_OBJECT] = 64 * PAGE_SIZE,
	};

	MUST(process_builder_init(builder, role));
	MUST(process_builder_program(builder, trial.program));
	MUST(process_builder_argument(builder, trial.program));
	MUST(process_builder_argument(builder, "role"));
	MUST(process_builder_argument(builder, role));
	trial_child_copy(builder, "console", trial.console.handle);
	trial_child_copy(builder, "timer", trial.timer.handle);
	MUST(process_builder_grant_usual(builder));
	limit(builder, limits);
}

void trial_child_argument(struct process_builder *builder, uint64_t number)
{
	char text[24];

	(void)format(text, sizeof(text), "%lu", (unsigned long)number);
	MUST(process_builder_argument(builder, text));
}

void trial_child_copy(struct process_builder *builder, const char *name, handle_t capability)
{
	MUST(process_builder_grant_copy(builder, name, capability));
}

void trial_child_move(struct process_builder *builder, const char *name, handle_t capability)
{
	MUST(process_builder_grant_move(builder, name, capability));
}

void trial_child_give_everything(struct process_builder *builder)
{
	static const uint64_t limits[LEDGER_COUNT] = {
		[LEDGER_VIRTUAL_RESERVATION] = 1 << 22,
		[LEDGER_FRAME_GRANT] = 1000,
		[LEDGER_IMAGE] = 1000,
		[LEDGER_PAGE_TABLE] = 250,
		[LEDGER_CAP_SLOTS] = 500,
		[LEDGER_KERNEL_OBJECT] = 250 * PAGE_SIZE,
	};

	trial_child_copy(builder, "package", trial.package.handle);
	trial_child_copy(builder, "inspector", trial.inspector.handle);
	trial_child_copy(builder, "spawner", trial.spawner.handle);
	trial_child_copy(builder, "endpoints", trial.endpoints.handle);
	trial_child_copy(builder, "frames", trial.frames.handle);
	limit(builder, limits);
}

enum status trial_child_start(const struct process_builder *builder, struct process_client *process)
{
	return process_client_spawn(trial.spawner, builder, process);
}

struct process_exit trial_child_wait(struct process_client process)
{
	struct process_wait wait;

	MUST(process_client_wait_begin(process, &wait));
	MUST(process_client_wait_within(&wait, PATIENCE));
	return wait.exit;
}

void trial_child_expect(struct process_client process, enum process_end end, int64_t code)
{
	struct process_exit exit = trial_child_wait(process);

	MUST(ring_client_release(process.handle));
	if (exit.end != (uint32_t)end || exit.code != code)
		trial_break("a child ended with code %ld, end %u, fault %u at 0x%lx rip 0x%lx; wanted code %ld, end %u",
			    (long)exit.code, exit.end, exit.fault_kind, (unsigned long)exit.fault_address,
			    (unsigned long)exit.fault_rip, (long)code, end);
}

void trial_child_finish(struct process_client process)
{
	MUST(process_client_kill(process));
	(void)trial_child_wait(process);
	MUST(ring_client_release(process.handle));
}

void trial_child_run(const char *role, uint64_t argument)
{
	struct process_builder builder;
	struct process_client process;

	trial_child_build(&builder, role);
	trial_child_argument(&builder, argument);
	EXPECT_OK(trial_child_start(&builder, &process));
	trial_child_expect(process, PROCESS_EXITED, 0);
}
