/*
 * A set of bit numbers as a 64-ary tree of words: level 0 holds the bits, a bit of level k + 1 is set if the word of
 * level k that it stands for is not zero. So the next set bit is found in at most two words a level, at any size.
 *
 * Pure: no locks, no globals, no allocation. Invariant (bit_tree_is_valid): summaries agree with the words below them;
 * no bit at or above the size of its level is set. Bit numbers given to these functions are below `bits`, ranges are
 * not empty: the owner checks, these functions do not.
 */
#ifndef CAPOS_LIB_BIT_TREE_H
#define CAPOS_LIB_BIT_TREE_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/bit_tree_type.h"
#include "lib/bits.h"

/* Words of storage for a tree of that many bits, 1 .. BIT_TREE_MAX_BITS. */
uint64_t bit_tree_words(uint64_t bits);

/* No bit set. `storage` has bit_tree_words(bits) words, need not be zero. */
void bit_tree_init(struct bit_tree *tree, uint64_t bits, uint64_t *storage);

static inline uint64_t bit_tree_word(const struct bit_tree *tree, uint64_t index)
{
	return tree->level[0][index];
}

static inline bool bit_tree_test(const struct bit_tree *tree, uint64_t bit)
{
	return bits_test(bit_tree_word(tree, bit / BITS_PER_WORD), (uint32_t)(bit % BITS_PER_WORD));
}

/* Word `index` of a level, and nothing else. Below: the steps of which all changes are made. */
static inline void bit_tree_put(struct bit_tree *tree, uint32_t level, uint64_t index, uint64_t value)
{
	tree->level[level][index] = value;
	/*@ assert tree->bits == \at(tree->bits, Pre) && tree->levels == \at(tree->levels, Pre); */
	/*@ assert same_shape{Pre, Here}(tree); */
	/*@ assert \forall integer k, i; 0 <= k < tree->levels && k != level && 0 <= i <= last(tree, k + 1) ==>
	      \separated(tree->level[k] + i, tree->level[level] + index); */
	/*@ assert same_words{Pre, Here}(tree, level, index); */
}

/* Set a bit of a level. Whether its word had one before, so that the levels above are right already. */
static inline bool bit_tree_raise(struct bit_tree *tree, uint32_t level, uint64_t bit)
{
	/*@ assert bit / 64 <= last(tree, level + 1) && \valid(tree->level[level] + bit / 64); */
	const uint64_t index = bit / BITS_PER_WORD, old = tree->level[level][index];

	bit_tree_put(tree, level, index, bits_with(old, (uint32_t)(bit % BITS_PER_WORD)));
	/*@ assert \forall integer n; 0 <= n && n / 64 == bit / 64 && n != bit ==>
	      (bit_at{Pre}(tree, level, n) <==> bit_at(tree, level, n)); */
	/*@ assert same_level{Pre, Here}(tree, level, bit); */
	/*@ assert \forall integer k, n; 0 <= k < tree->levels && k != level && 0 <= n && n / 64 <= last(tree, k + 1) ==>
	      (bit_at{Pre}(tree, k, n) <==> bit_at(tree, k, n)); */
	/*@ assert ends(tree); */
	/*@ assert words_cover(tree); */
	/*@ assert same_below{Pre, Here}(tree, level, bit / 64); */
	/*@ assert \forall integer k, n; 1 <= k < tree->levels && 0 <= n <= last(tree, k) && k != level &&
	      !(k == level + 1 && n == bit / 64) ==> told(tree, k, n); */
	/*@ assert level >= 1 ==> told(tree, level, bit); */
	/*@ assert level >= 1 ==> \forall integer n; 0 <= n <= last(tree, level) && n != bit ==> told(tree, level, n); */
	/*@ assert true_but(tree, level + 1, bit / 64); */
	/*@ assert old != 0 && level + 1 < tree->levels ==> told(tree, level + 1, bit / 64); */
	return old != 0;
}

/* Clear a bit of a level. Whether its word has another, so that the levels above are right already. */
static inline bool bit_tree_lower(struct bit_tree *tree, uint32_t level, uint64_t bit)
{
	/*@ assert bit / 64 <= last(tree, level + 1) && \valid(tree->level[level] + bit / 64); */
	const uint64_t index = bit / BITS_PER_WORD, old = tree->level[level][index];
	const uint64_t now = bits_without(old, (uint32_t)(bit % BITS_PER_WORD));

	bit_tree_put(tree, level, index, now);
	/*@ assert \forall integer n; 0 <= n && n / 64 == bit / 64 && n != bit ==>
	      (bit_at{Pre}(tree, level, n) <==> bit_at(tree, level, n)); */
	/*@ assert same_level{Pre, Here}(tree, level, bit); */
	/*@ assert \forall integer k, n; 0 <= k < tree->levels && k != level && 0 <= n && n / 64 <= last(tree, k + 1) ==>
	      (bit_at{Pre}(tree, k, n) <==> bit_at(tree, k, n)); */
	/*@ assert ends(tree); */
	/*@ assert words_cover(tree); */
	/*@ assert same_below{Pre, Here}(tree, level, bit / 64); */
	/*@ assert \forall integer k, n; 1 <= k < tree->levels && 0 <= n <= last(tree, k) && k != level &&
	      !(k == level + 1 && n == bit / 64) ==> told(tree, k, n); */
	/*@ assert level >= 1 ==> told(tree, level, bit); */
	/*@ assert level >= 1 ==> \forall integer n; 0 <= n <= last(tree, level) && n != bit ==> told(tree, level, n); */
	/*@ assert true_but(tree, level + 1, bit / 64); */
	/*@ assert now != 0 ==> old != 0; */
	/*@ assert now != 0 && level + 1 < tree->levels ==> told{Pre}(tree, level + 1, bit / 64); */
	/*@ assert now != 0 && level + 1 < tree->levels ==> told(tree, level + 1, bit / 64); */
	return now != 0;
}

/* Tell the levels above that word `index` of level 0 is no longer zero, or is zero now. */
void bit_tree_word_filled(struct bit_tree *tree, uint64_t index);
void bit_tree_word_emptied(struct bit_tree *tree, uint64_t index);

/* Give word `index` of level 0 a new value. Summaries are touched only if it becomes zero or ceases to be. */
static inline void bit_tree_write_word(struct bit_tree *tree, uint64_t index, uint64_t value)
{
	const uint64_t old = bit_tree_word(tree, index);

	bit_tree_put(tree, 0, index, value);
	/*@ assert \forall integer n; 0 <= n && n / 64 == index && bit_at(tree, 0, n) ==> n < tree->bits; */
	/*@ assert \forall integer k, n; 0 <= k < tree->levels && !(k == 0 && n / 64 == index) && 0 <= n &&
	      n / 64 <= last(tree, k + 1) ==> (bit_at{Pre}(tree, k, n) <==> bit_at(tree, k, n)); */
	/*@ assert ends(tree); */
	/*@ assert same_words_but{Pre, Here}(tree, index); */
	/*@ assert words_cover(tree); */
	/*@ assert same_below{Pre, Here}(tree, 0, index); */
	/*@ assert true_but(tree, 1, index); */
	/*@ assert 1 < tree->levels ==> index / 64 <= last(tree, 2); */
	/*@ assert 1 < tree->levels ==> (bit_at{Pre}(tree, 1, index) <==> bit_at(tree, 1, index)); */
	/*@ assert 1 < tree->levels && (old != 0 <==> value != 0) ==> told(tree, 1, index); */
	if (old == 0 && value != 0)
		bit_tree_word_filled(tree, index);
	/*@ assert same_words_but{Pre, Here}(tree, index) && tree->level[0][index] == value; */
	if (old != 0 && value == 0)
		bit_tree_word_emptied(tree, index);
	/*@ assert same_words_but{Pre, Here}(tree, index); */
}

static inline void bit_tree_set(struct bit_tree *tree, uint64_t bit)
{
	if (!bit_tree_raise(tree, 0, bit))
		bit_tree_word_filled(tree, bit / BITS_PER_WORD);
	/*@ assert same_level{Pre, Here}(tree, 0, bit); */
}

static inline void bit_tree_clear(struct bit_tree *tree, uint64_t bit)
{
	if (!bit_tree_lower(tree, 0, bit))
		bit_tree_word_emptied(tree, bit / BITS_PER_WORD);
	/*@ assert same_level{Pre, Here}(tree, 0, bit); */
}

/* Set or clear [first, end), whatever it holds now. */
void bit_tree_set_range(struct bit_tree *tree, uint64_t first, uint64_t end);
void bit_tree_clear_range(struct bit_tree *tree, uint64_t first, uint64_t end);

/* The lowest set bit at or after `from`, which may be past the end; false if there is none. */
bool bit_tree_find(const struct bit_tree *tree, uint64_t from, uint64_t *bit);

/* The lowest clear bit of [first, end), `end` if all are set. One word after the other. */
uint64_t bit_tree_find_clear(const struct bit_tree *tree, uint64_t first, uint64_t end);

/* A search for a run of `count` set bits (at least 1) that begins at a multiple of `align` (a power of two). */
struct bit_run {
	uint64_t count, align;
	uint64_t from; /* no run begins before it; where the next look begins. At or past the end: there is none */
};

/*
 * The first run that begins at or after run->from and, as far as words are looked at one by one, before `until`. False:
 * there is none; run->from has moved on to `until` or further. Words without a set bit are skipped 64 and more at a
 * time, others are looked at once: at most those from `from` to `until`, and those of one run.
 */
bool bit_tree_find_run(const struct bit_tree *tree, struct bit_run *run, uint64_t until, uint64_t *first);

bool bit_tree_is_valid(const struct bit_tree *tree);

#endif
