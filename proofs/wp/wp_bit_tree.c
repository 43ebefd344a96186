/*
 * lib/bit_tree: for every tree of 1 .. 2^36 bits, without bound.
 *
 * - A bit of a summary is set exactly if the word below it is not zero: kept by set, clear and whole words.
 * - Set and clear change that bit and no other; no bit past the end of a level is ever set.
 * - A find gives the lowest set bit at or after its start, and fails exactly if there is none.
 *
 * proves: bit_tree_put bit_tree_raise bit_tree_lower bit_tree_word_filled bit_tree_word_emptied bit_tree_test
 * proves: bit_tree_set bit_tree_clear bit_tree_write_word bit_tree_find bit_tree_word lemmas
 */
#include "proofs/wp/wp_bit_tree.h"

/*@ requires shape(tree) && level < tree->levels && index <= last(tree, level + 1);
    assigns \nothing;
    ensures \result == tree->level[level][index]; */
static inline uint64_t word_at(const struct bit_tree *tree, uint32_t level, uint64_t index);

/*@ requires tree_fits(tree) && all_up(tree);
    assigns \nothing;
    ensures level: \result.level <= tree->levels;
    ensures found: \result.level < tree->levels ==>
      \result.bit <= last(tree, \result.level) && bit_at(tree, \result.level, \result.bit);
    ensures before: \result.level < tree->levels ==>
      \forall integer n; 0 <= n < tree->bits && n < from ==> up(n, \result.level) < \result.bit;
    ensures lowest: \result.level < tree->levels ==>
      \forall integer n; from <= n < tree->bits && has(tree, n) ==> \result.bit <= up(n, \result.level);
    ensures none: \result.level == tree->levels ==> \forall integer n; from <= n < tree->bits ==> !has(tree, n); */
static struct bit_place climb(const struct bit_tree *tree, uint64_t from);

/*@ requires tree_fits(tree) && all_up(tree) && level < tree->levels && bit <= last(tree, level);
    requires bit_at(tree, level, bit);
    assigns \nothing;
    ensures found: \result < tree->bits && has(tree, \result) && up(\result, level) == bit;
    ensures lowest: \forall integer n; 0 <= n < tree->bits && has(tree, n) && up(n, level) >= bit ==> n >= \result; */
static uint64_t descend(const struct bit_tree *tree, uint32_t level, uint64_t bit);

/*@ requires 1 <= bits;
    assigns \nothing;
    ensures \result == (bits - 1) / 64 + 1; */
static uint64_t words_of_bits(uint64_t bits);

#include "lib/bit_tree.c"
