/*
 * Bit operations on one 64-bit word, one function each, so that a proof can give each a contract. Bits are numbered
 * from 0, the least significant.
 */
#ifndef CAPOS_LIB_BITS_H
#define CAPOS_LIB_BITS_H

#include <stdbool.h>
#include <stdint.h>

#define BITS_PER_WORD 64u

/* bit < 64 in all of these. */

static inline uint64_t bits_one(uint32_t bit)
{
	return UINT64_C(1) << bit;
}

/* Bits `first` .. 63. */
static inline uint64_t bits_from(uint32_t first)
{
	return UINT64_MAX << first;
}

/* Bits 0 .. `last`. */
static inline uint64_t bits_up_to(uint32_t last)
{
	return UINT64_MAX >> (BITS_PER_WORD - 1 - last);
}

static inline bool bits_test(uint64_t word, uint32_t bit)
{
	return ((word >> bit) & 1) != 0;
}

static inline uint64_t bits_with(uint64_t word, uint32_t bit)
{
	return word | bits_one(bit);
}

static inline uint64_t bits_without(uint64_t word, uint32_t bit)
{
	return word & ~bits_one(bit);
}

static inline uint64_t bits_with_all(uint64_t word, uint64_t others)
{
	return word | others;
}

static inline uint64_t bits_without_all(uint64_t word, uint64_t others)
{
	return word & ~others;
}

/* Those of the bits `first` .. 63 that are set. */
static inline uint64_t bits_of_rest(uint64_t word, uint32_t first)
{
	return word & bits_from(first);
}

/* The lowest set bit; word != 0. */
static inline uint32_t bits_lowest(uint64_t word)
{
	return (uint32_t)__builtin_ctzll(word);
}

/* The highest set bit; word != 0. */
static inline uint32_t bits_highest(uint64_t word)
{
	return BITS_PER_WORD - 1 - (uint32_t)__builtin_clzll(word);
}

static inline uint64_t bits_without_lowest(uint64_t word)
{
	return word & (word - 1);
}

/*
 * How many bits are set. By hand: without POPCNT, which the baseline x86-64 lacks, the builtin is a call into the
 * compiler's own library, and a kernel has none.
 */
static inline uint32_t bits_count(uint64_t word)
{
	word -= (word >> 1) & UINT64_C(0x5555555555555555);
	word = (word & UINT64_C(0x3333333333333333)) + ((word >> 2) & UINT64_C(0x3333333333333333));
	word = (word + (word >> 4)) & UINT64_C(0x0f0f0f0f0f0f0f0f);
	return (uint32_t)((word * UINT64_C(0x0101010101010101)) >> 56);
}

/* Bits of [first, end) that lie in word number `index` of an array; the word is touched by the range. */
static inline uint64_t bits_of_range(uint64_t index, uint64_t first, uint64_t end)
{
	const uint64_t last = end - 1;
	uint64_t mask = UINT64_MAX;

	if (index == first / BITS_PER_WORD)
		mask &= bits_from((uint32_t)(first % BITS_PER_WORD));
	if (index == last / BITS_PER_WORD)
		mask &= bits_up_to((uint32_t)(last % BITS_PER_WORD));
	return mask;
}

/*
 * The bits of `low` at which `count` (1 .. 64) set bits begin, where `high` goes on after bit 63 of `low`. After a step
 * a bit stands for `have` set bits in a row; overlapping steps reach every count in at most six.
 */
static inline uint64_t bits_run_starts(uint64_t low, uint64_t high, uint32_t count)
{
	uint32_t have = 1;

	while (have < count) {
		const uint32_t step = have < count - have ? have : count - have;

		low &= (low >> step) | (high << (BITS_PER_WORD - step));
		high &= high >> step;
		have += step;
	}
	return low;
}

/* The bits 0, align, 2 * align ... of a word; align is a power of two, at most 64. */
static inline uint64_t bits_multiples(uint32_t align)
{
	return align == BITS_PER_WORD ? 1 : UINT64_MAX / (bits_one(align) - 1);
}

static inline bool bits_is_power_of_two(uint64_t value)
{
	return value != 0 && (value & (value - 1)) == 0;
}

/* The least multiple of `align`, a power of two, that is not below `value`; it must fit 64 bits. */
static inline uint64_t bits_align_up(uint64_t value, uint64_t align)
{
	return (value + (align - 1)) & ~(align - 1);
}

#endif
