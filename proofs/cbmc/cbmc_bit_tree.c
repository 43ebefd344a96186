/*
 * lib/bit_tree, what is not proved without bound (proofs/wp/wp_bit_tree.c): ranges of bits, and the search for a
 * clear bit. Any tree of up to WORDS words of bits, so of one level or two; any range.
 *
 * links: lib/bit_tree.c
 * options each: -DCAPOS_HOST --unwind 5 --external-sat-solver cadical
 */
#include "lib/bit_tree.h"

#include "proofs/cbmc/cbmc_support.h"

#define WORDS 3u

static uint64_t bits_now[WORDS], bits_before[WORDS], above[1];
static struct bit_tree tree;

/* The bits of word `index` that lie in [first, end), which may end anywhere and be empty. */
static uint64_t mask(uint64_t index, uint64_t first, uint64_t end)
{
	const uint64_t begin = index * BITS_PER_WORD, after = begin + BITS_PER_WORD;
	const uint64_t from = first < begin ? begin : first, to = end < after ? end : after;

	if (from >= to)
		return 0;
	return (UINT64_MAX << (from - begin)) & (UINT64_MAX >> (after - to));
}

/* Its summary says which of its words have a bit. */
static uint64_t right_summary(void)
{
	uint64_t summary = 0;

	for (uint32_t i = 0; i < WORDS; i++)
		summary |= (uint64_t)(bits_now[i] != 0) << i;
	return summary;
}

static void tree_any(void)
{
	tree = (struct bit_tree){ { bits_now, above }, nondet_u64(), 2 };
	ASSUME(tree.bits >= 1 && tree.bits <= WORDS * BITS_PER_WORD);
	if (tree.bits <= BITS_PER_WORD)
		tree.levels = 1;
	for (uint32_t i = 0; i < WORDS; i++)
		bits_now[i] = bits_before[i] = nondet_u64() & mask(i, 0, tree.bits);
	above[0] = right_summary();
}

static bool has(uint64_t bit)
{
	return bit < tree.bits && bits_test(bits_now[bit / BITS_PER_WORD], (uint32_t)(bit % BITS_PER_WORD));
}

/* Each word is as it was but for the bits of the range; the summary is right; no bit is set past the end. */
static void prove_changed(uint64_t first, uint64_t end, bool set)
{
	for (uint32_t i = 0; i < WORDS; i++) {
		const uint64_t range = mask(i, first, end);

		PROVE(bits_now[i] == (set ? bits_before[i] | range : bits_before[i] & ~range));
	}
	PROVE(tree.levels == 1 || above[0] == right_summary());
}

PROOF(bit_tree_set_range_exact)
{
	const uint64_t first = nondet_u64(), end = nondet_u64();

	tree_any();
	ASSUME(first < end && end <= tree.bits);
	bit_tree_set_range(&tree, first, end);
	prove_changed(first, end, true);
}

PROOF(bit_tree_clear_range_exact)
{
	const uint64_t first = nondet_u64(), end = nondet_u64();

	tree_any();
	ASSUME(first < end && end <= tree.bits);
	bit_tree_clear_range(&tree, first, end);
	prove_changed(first, end, false);
}

PROOF(bit_tree_clear_found)
{
	const uint64_t first = nondet_u64(), end = nondet_u64(), ghost = nondet_u64();

	tree_any();
	ASSUME(first < end && end <= tree.bits);

	const uint64_t found = bit_tree_find_clear(&tree, first, end);

	PROVE(found >= first && found <= end && (found == end || !has(found)));
	ASSUME(ghost >= first && ghost < found);
	PROVE(has(ghost));
}
