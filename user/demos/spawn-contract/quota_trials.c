#include "user/demos/spawn-contract/quota_trials.h"

#include <stddef.h>

#include "abi/user_fault_abi.h"
#include "lib/check.h"
#include "lib/ledger.h"
#include "user/testing/trial.h"
#include "user/testing/trial_child.h"

#define GRANTED_PAGES 5u

static enum ledger_kind current;
static struct memory_object_client object;

/* What is counted so finely that not every value is tried. */
static uint64_t step_of(enum ledger_kind kind)
{
	return kind == LEDGER_KERNEL_OBJECT ? 509 : 1;
}

static void build(struct process_builder *builder)
{
	trial_child_build(builder, "exit");
	trial_child_move(builder, "object", object.handle);
}

static bool is_unchanged(const struct trial_reading *before)
{
	const struct trial_reading after = trial_read();

	for (uint32_t i = 0; i < LEDGER_COUNT; i++) {
		const struct ledger_reading *was = &before->statistics.ledger[i], *is = &after.statistics.ledger[i];

		if (is->used != was->used || is->limit != was->limit)
			return false;
	}
	return after.machine.free_frames == before->machine.free_frames;
}

/* It began with what was enough for that; when it touches more, there may be none left, which is its end and no more.
 */
static void expect_end(struct process_client process, enum user_fault_kind kind)
{
	const struct process_exit exit = trial_child_wait(process);

	EXPECT((exit.end == PROCESS_EXITED && exit.code == 0) ||
	       (exit.end == PROCESS_FAULTED && exit.fault_kind == kind));
	EXPECT_OK(ring_client_release(process.handle));
}

/*
 * From no limit at all up to the first one that is enough: each is refused, by name, or, when it is a grant that does
 * not fit, as a transfer is.
 */
static void child_ledger_too_small(void)
{
	struct process_builder builder;
	struct process_client process;
	struct memory_object_info info;
	const struct trial_reading before = trial_read();
	enum status status;
	uint64_t limit = 0;

	build(&builder);
	for (;; limit += step_of(current)) {
		process_builder_limit(&builder, current, limit);
		status = trial_child_start(&builder, &process);
		if (status == STATUS_OK)
			break;
		EXPECT_STATUS(status, ledger_refusal(current));
		EXPECT(is_unchanged(&before));
		EXPECT_OK(memory_object_client_info(object, &info));
		EXPECT(limit < (UINT64_C(1) << 20));
	}
	EXPECT(limit > 0);
	expect_end(process, USER_FAULT_STACK_QUOTA);
	EXPECT_STATUS(memory_object_client_info(object, &info), STATUS_NO_SUCH_CAPABILITY);
	EXPECT_OK(trial_object(GRANTED_PAGES, &object)); /* for the next trial */
}

/* ---- the parent's own ---- */

/* More than is unused of the parent's is refused; all of it is not, by that ledger. */
void quota_trials_role_poor(void)
{
	const enum ledger_kind kind = (enum ledger_kind)trial_argument(0);

	trial_sleep(TRIAL_MS(20)); /* the call that started us gives its last frames back */

	const struct trial_reading before = trial_read();
	const struct ledger_reading *own = &before.statistics.ledger[kind];
	const uint64_t unused = own->limit - own->used;
	struct process_builder builder;
	struct process_client process;

	for (uint32_t i = 0; i < 4; i++) {
		trial_child_build(&builder, "exit");
		process_builder_limit(&builder, kind, i < 3 ? unused + 1 + (UINT64_C(1) << (20 * i)) : UINT64_MAX);
		EXPECT_STATUS(trial_child_start(&builder, &process), ledger_refusal(kind));
		EXPECT(is_unchanged(&before));
	}
	trial_child_build(&builder, "exit");
	process_builder_limit(&builder, kind, unused);
	enum status status = trial_child_start(&builder, &process);

	/* The handle costs the parent something beside the limits. */
	if (kind == LEDGER_CAP_SLOTS || kind == LEDGER_KERNEL_OBJECT) {
		EXPECT_STATUS(status, ledger_refusal(kind));
		EXPECT(is_unchanged(&before));
		process_builder_limit(&builder, kind, unused - (kind == LEDGER_CAP_SLOTS ? 1 : PAGE_SIZE));
		status = trial_child_start(&builder, &process);
	}
	EXPECT_OK(status);
	EXPECT_EQUAL(trial_child_wait(process).code, 0);
	EXPECT_OK(ring_client_release(process.handle));
	for (uint32_t i = 0; i < LEDGER_COUNT; i++)
		EXPECT_EQUAL(trial_statistics().ledger[i].limit, before.statistics.ledger[i].limit);
}

static void parent_ledger_too_small(void)
{
	struct process_builder builder;
	struct process_client process;

	trial_child_build(&builder, "poor");
	trial_child_give_everything(&builder);
	trial_child_argument(&builder, current);
	EXPECT_OK(trial_child_start(&builder, &process));
	trial_child_expect(process, PROCESS_EXITED, 0);
}

/* ---- the machine ---- */

/* As many pages as there are frames for, tables included. */
static void take_all_frames(void **range, uint64_t *pages)
{
	enum status status = STATUS_OUT_OF_MEMORY;

	for (*pages = trial_statistics().system_free_frames; *pages > 0; --*pages) {
		status = trial_map(*pages, range);
		if (status != STATUS_OUT_OF_MEMORY)
			break;
	}
	EXPECT_OK(status);
}

/* The frames come back one at a time, until a process fits in. */
static void machine_runs_out(void)
{
	struct process_builder builder;
	struct process_client process;
	struct trial_reading before;
	enum status status = STATUS_OUT_OF_MEMORY;
	uint64_t given = 0, pages;
	void *range;

	build(&builder);
	process_builder_limit(&builder, LEDGER_FRAME_GRANT, GRANTED_PAGES);
	take_all_frames(&range, &pages);
	while (!trial.broken && given < pages && status == STATUS_OUT_OF_MEMORY) {
		const char *page = (const char *)range + TRIAL_BYTES(given++);

		EXPECT_OK(virtual_memory_client_decommit(trial.memory, page, PAGE_SIZE));
		before = trial_read();
		status = trial_child_start(&builder, &process);
		EXPECT(status == STATUS_OK || is_unchanged(&before));
	}
	EXPECT_OK(status);
	EXPECT(given > 20);
	expect_end(process, USER_FAULT_OUT_OF_MEMORY);
	EXPECT_OK(trial_unmap(range, pages));
	EXPECT_OK(trial_object(GRANTED_PAGES, &object));
}

void quota_trials_check(void)
{
	static const enum ledger_kind needed[] = { LEDGER_FRAME_GRANT, LEDGER_IMAGE, LEDGER_PAGE_TABLE,
						   LEDGER_CAP_SLOTS, LEDGER_KERNEL_OBJECT };

	CHECK(trial_object(GRANTED_PAGES, &object) == STATUS_OK);
	for (uint32_t i = 0; i < COUNT_OF(needed); i++) {
		current = needed[i];
		trial_check_one("child-needs-more ", ledger_name(current), child_ledger_too_small);
	}
	for (uint32_t i = 0; i < LEDGER_COUNT; i++) {
		current = (enum ledger_kind)i;
		trial_check_one("parent-has-less ", ledger_name(current), parent_ledger_too_small);
	}
	const struct memory_statistics statistics = trial_statistics();
	const struct ledger_reading grant = statistics.ledger[LEDGER_FRAME_GRANT];

	/* Who may not take all frames of the machine cannot show what happens then. */
	if (grant.limit - grant.used >= statistics.system_free_frames)
		trial_check_one("", "machine-runs-out", machine_runs_out);
	CHECK(ring_client_release(object.handle) == STATUS_OK);
}
