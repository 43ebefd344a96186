/*
 * What the operations on page tables do to one table and its parent: split and merge, and what plan and publish of
 * reserve, commit, decommit, unmap and protect say of a run of pages and do to it. Any entries with the counters that
 * they should have, any run; an entry that is arbitrary stands for each. Tables of 4 entries, strides of 2.
 *
 * options each: --unwind 6 -DCAPOS_HOST -DCAPOS_DEBUG --object-bits 10
 * options each: --no-checks
 */
#include "proofs/cbmc/one_table.h"

/* What a plan leaves: no entry, no counter. */
static void prove_nothing_changed(void)
{
	PROVE(pte_equal(now(), had[LEAF][ghost]) && pte_equal(small_table[PARENT][ghost], had[PARENT][ghost]));
	PROVE(infos[LEAF].count == right_count(LEAF) && walk.gather.count == 0 && pages_taken == 0);
}

/* The frames that wait to be freed are those of the run's pages that had one, each once. */
static void prove_gathered(uint64_t count)
{
	uint32_t frame = walk.gather.head;
	bool found = false;

	PROVE(walk.gather.count == count);
	for (uint32_t i = 0; i < PTE_ENTRIES && frame != FRAME_LINK_END; i++) {
		PROVE(frame >= FIRST_PAGE + begin && frame < FIRST_PAGE + end);
		found = found || frame == FIRST_PAGE + ghost;
		frame = infos[frame].link;
		count--;
	}
	PROVE(frame == FRAME_LINK_END && count == 0);
	PROVE(found == (in_run() && pte_kind(had[LEAF][ghost]) == PAGE_ANONYMOUS));
}

/* ---- split and merge ---- */

/* A uniform entry becomes a table that says the same, 4 times; then the two are one again. */
PROOF(page_table_split)
{
	const uint32_t index = nondet_u32();

	ASSUME(index < PTE_ENTRIES);
	for (uint32_t i = 0; i < PTE_ENTRIES; i++)
		small_table[PARENT][i] = any_upper();
	count_all();
	ASSUME(!pte_is_present(had[PARENT][index]));
	split_entry(&space, &small_table[PARENT][index]);
	PROVE(tables_taken == 1 && pte_equal(small_table[PARENT][index], pte_user_table(frame_from_u64(LEAF))));
	PROVE(pte_equal(now(), had[PARENT][index]));
	PROVE(ghost == index || pte_equal(small_table[PARENT][ghost], had[PARENT][ghost]));
	prove_counters(PARENT);
	prove_counters(LEAF);
}

/* A table goes back to its parent exactly if it is all empty or all reserved, and the parent's entry says which. */
PROOF(page_table_merge)
{
	const uint32_t index = nondet_u32();
	bool merged;

	leaf_any(PROTECTION_NONE);
	ASSUME(index < PTE_ENTRIES);
	small_table[PARENT][index] = pte_user_table(frame_from_u64(LEAF));
	count_all();
	merged = collapse_entry(&walk, &small_table[PARENT][index]);
	PROVE(merged || !pte_is_empty(now()) || page_table_used(&infos[LEAF]) != 0);
	PROVE(!merged || pte_equal(small_table[PARENT][index], now()));
	PROVE(merged ==
	      (right_count(LEAF) == 0 || right_count(LEAF) == (PTE_ENTRIES | PTE_ENTRIES << PAGE_RESERVED_SHIFT)));
	PROVE(walk.tables_given == merged && walk.gather.count == merged);
	PROVE(!merged || (walk.gather.head == LEAF && infos[LEAF].link == FRAME_LINK_END));
	PROVE((merged && ghost == index) || pte_equal(small_table[PARENT][ghost], had[PARENT][ghost]));
	prove_counters(PARENT);
}

/* ---- plans: what they count and refuse; they change nothing ---- */

PROOF(page_table_plans_of_release)
{
	enum status status;

	leaf_any(PROTECTION_NONE);

	const struct tally tally = tally_of_run();

	status = nondet_bool() ? leaf_must_be_own(&walk, &run) : leaf_must_be_own_to_go(&walk, &run);
	PROVE(status == (tally.others == 0 ? STATUS_OK : STATUS_NOT_RESERVED));
	PROVE(status != STATUS_OK || walk.pages == tally.framed + tally.lazy);
	prove_nothing_changed();
}

PROOF(page_table_plan_of_commit)
{
	enum status status;

	leaf_any(PROTECTION_NONE);

	const struct tally tally = tally_of_run();

	status = leaf_count_uncommitted(&walk, &run);
	PROVE(status == (tally.others == 0 ? STATUS_OK : STATUS_NOT_RESERVED));
	PROVE(status != STATUS_OK || (walk.pages == tally.reserved && walk.lazy == tally.lazy));
	prove_nothing_changed();
}

PROOF(page_table_plan_of_protect)
{
	enum status status;

	leaf_any(PROTECTION_NONE);

	const struct tally tally = tally_of_run();

	status = leaf_must_be_committed(&walk, &run);
	PROVE((status == STATUS_OK) == (tally.others == 0 && tally.reserved == 0));
	PROVE((status == STATUS_NOT_RESERVED) == (tally.others != 0));
	prove_nothing_changed();
}

/* ---- plan and publish ---- */

PROOF(page_table_reserve)
{
	leaf_any(PROTECTION_NONE);
	ASSUME(tally_of_run().empty == end - begin);
	PROVE(leaf_set_reserved(&walk, &run) == STATUS_OK);
	PROVE(pte_equal(now(), in_run() ? pte_uniform(PAGE_RESERVED) : had[LEAF][ghost]));
	prove_counters(LEAF);
}

PROOF(page_table_decommit)
{
	leaf_any(PROTECTION_NONE);

	const struct tally tally = tally_of_run();

	ASSUME(leaf_must_be_own(&walk, &run) == STATUS_OK);
	PROVE(leaf_decommit(&walk, &run) == STATUS_OK);
	PROVE(pte_equal(now(), in_run() ? pte_uniform(PAGE_RESERVED) : had[LEAF][ghost]));
	PROVE(walk.must_flush || !in_run() || !pte_is_present(had[LEAF][ghost]));
	prove_counters(LEAF);
	prove_gathered(tally.framed);
}

PROOF(page_table_unmap)
{
	leaf_any(PROTECTION_NONE);

	const struct tally tally = tally_of_run();

	ASSUME(leaf_must_be_own_to_go(&walk, &run) == STATUS_OK);
	PROVE(leaf_unmap(&walk, &run) == STATUS_OK);
	PROVE(pte_equal(now(), in_run() ? pte_uniform(PAGE_EMPTY) : had[LEAF][ghost]));
	PROVE(walk.must_flush || !in_run() || !pte_is_present(had[LEAF][ghost]));
	prove_counters(LEAF);
	prove_gathered(tally.framed);
}

PROOF(page_table_protect)
{
	const uint32_t protection = nondet_u32();

	ASSUME(protection_check(protection) == STATUS_OK);
	leaf_any(protection);
	ASSUME(leaf_must_be_committed(&walk, &run) == STATUS_OK);
	PROVE(leaf_protect(&walk, &run) == STATUS_OK);
	PROVE(walk.must_flush && walk.gather.count == 0);
	if (in_run()) {
		PROVE(pte_kind(now()) == pte_kind(had[LEAF][ghost]) && pte_protection(now()) == protection);
		PROVE(is_lazy(now()) || frame_to_u64(pte_frame(now())) == FIRST_PAGE + ghost);
		PROVE(is_lazy(now()) || pte_is_present(now()) == (protection != PROTECTION_NONE));
	} else {
		PROVE(pte_equal(now(), had[LEAF][ghost]));
	}
	prove_counters(LEAF);
}

/* Of the pages of a reservation each gets a frame of its own, or keeps the one it has, and then its protection too. */
PROOF(page_table_commit)
{
	const uint32_t protection = nondet_u32();

	ASSUME(protection_check(protection) == STATUS_OK);
	leaf_any(protection);
	ASSUME(leaf_count_uncommitted(&walk, &run) == STATUS_OK);
	if (walk.lazy == 0) {
		PROVE(leaf_fill(&walk, &run) == STATUS_OK);
	} else {
		walk.pages += walk.lazy;
		PROVE(leaf_fill_over_lazy(&walk, &run) == STATUS_OK);
	}
	if (in_run() && pte_kind(had[LEAF][ghost]) != PAGE_ANONYMOUS) {
		const uint64_t frame = frame_to_u64(pte_frame(now()));

		PROVE(pte_kind(now()) == PAGE_ANONYMOUS && frame >= FIRST_NEW && frame < FIRST_NEW + pages_taken);
		PROVE(pte_protection(now()) ==
		      (is_lazy(had[LEAF][ghost]) ? pte_protection(had[LEAF][ghost]) : protection));
	} else {
		PROVE(pte_equal(now(), had[LEAF][ghost]));
	}
	PROVE(walk.pages == 0 && walk.held == 0);
	prove_counters(LEAF);
}

/* Fresh pages, in a range that was empty. */
PROOF(page_table_map)
{
	const uint32_t protection = nondet_u32();

	ASSUME(protection_check(protection) == STATUS_OK);
	leaf_any(protection);
	ASSUME(tally_of_run().empty == end - begin);
	walk.pages = end - begin;
	PROVE(leaf_fill(&walk, &run) == STATUS_OK);
	if (in_run())
		PROVE(pte_kind(now()) == PAGE_ANONYMOUS && pte_protection(now()) == protection &&
		      frame_to_u64(pte_frame(now())) >= FIRST_NEW);
	else
		PROVE(pte_equal(now(), had[LEAF][ghost]));
	PROVE(walk.pages == 0 && walk.held == 0 && pages_taken == end - begin);
	prove_counters(LEAF);
}
