/*
 * lib/bits: for every word. A bit number that is arbitrary stands for each of the 64.
 *
 * options bits_run: --unwind 8
 */
#include "lib/bits.h"
#include "proofs/cbmc/cbmc_support.h"

static bool is_set(uint64_t word, uint32_t bit)
{
	return (word & (UINT64_C(1) << bit)) != 0;
}

static uint32_t any_bit(void)
{
	const uint32_t bit = nondet_u32();

	ASSUME(bit < BITS_PER_WORD);
	return bit;
}

PROOF(bits_masks)
{
	const uint32_t bit = any_bit(), other = any_bit();
	const uint64_t word = nondet_u64();

	PROVE(is_set(bits_one(bit), other) == (other == bit));
	PROVE(is_set(bits_from(bit), other) == (other >= bit));
	PROVE(is_set(bits_up_to(bit), other) == (other <= bit));
	PROVE(bits_test(word, bit) == is_set(word, bit));
}

PROOF(bits_search)
{
	const uint32_t other = any_bit();
	const uint64_t word = nondet_u64();

	ASSUME(word != 0);
	PROVE(bits_lowest(word) < BITS_PER_WORD && is_set(word, bits_lowest(word)));
	PROVE(bits_highest(word) < BITS_PER_WORD && is_set(word, bits_highest(word)));
	PROVE(!is_set(word, other) || (other >= bits_lowest(word) && other <= bits_highest(word)));
	PROVE(is_set(bits_without_lowest(word), other) == (is_set(word, other) && other != bits_lowest(word)));
}

/* By induction over the set bits: nothing has none, and each one counts as one. */
PROOF(bits_count_all)
{
	const uint64_t word = nondet_u64();

	PROVE(bits_count(0) == 0);
	ASSUME(word != 0);
	PROVE(bits_count(word) == bits_count(bits_without_lowest(word)) + 1);
}

/* For every range and every word that it touches. */
PROOF(bits_range)
{
	const uint64_t first = nondet_u64(), end = nondet_u64(), index = nondet_u64();
	const uint32_t bit = any_bit();

	ASSUME(first < end && index >= first / BITS_PER_WORD && index <= (end - 1) / BITS_PER_WORD);

	const uint64_t number = index * BITS_PER_WORD + bit;

	PROVE(is_set(bits_of_range(index, first, end), bit) == (number >= first && number < end));
}

/* A run begins at a bit exactly if that many set bits follow it. */
PROOF(bits_run)
{
	const uint64_t low = nondet_u64(), high = nondet_u64();
	const uint32_t count = nondet_u32(), start = any_bit();

	ASSUME(count >= 1 && count <= BITS_PER_WORD);

	const unsigned __int128 both = (unsigned __int128)high << BITS_PER_WORD | low;
	const uint64_t ones = bits_up_to(count - 1);

	PROVE(is_set(bits_run_starts(low, high, count), start) == (((uint64_t)(both >> start) & ones) == ones));
}

PROOF(bits_align)
{
	const uint64_t value = nondet_u64(), other = nondet_u64();
	const uint32_t shift = any_bit(), bit = any_bit();
	const uint64_t align = UINT64_C(1) << shift;

	PROVE(bits_is_power_of_two(align));
	if (shift <= 6)
		PROVE(is_set(bits_multiples((uint32_t)align), bit) == (bit % align == 0));
	PROVE(!bits_is_power_of_two(value) || (value != 0 && bits_count(value) == 1));
	ASSUME(value <= UINT64_MAX - (align - 1));
	PROVE((bits_align_up(value, align) & (align - 1)) == 0 && bits_align_up(value, align) >= value);
	PROVE((other & (align - 1)) != 0 || other < value || other >= bits_align_up(value, align));
}
