/*
 * lib/bit_tree, ranges of bits: for every tree of 1 .. 2^36 bits, without bound. They are made of whole words, and see
 * no more of a tree than who uses one does.
 *
 * - Setting and clearing a range changes its bits and no others, and keeps the tree as it should be.
 * - The search for a clear bit gives the lowest of the range, its end exactly if there is none.
 *
 * proves: bit_tree_set_range bit_tree_clear_range bit_tree_find_clear
 */
#define TREES_FROM_OUTSIDE
#include "proofs/wp/wp_bit_tree_facts.h"

/*@ requires tree_fits(tree) && in_a_row(tree);
    requires first < end <= tree->bits && first / 64 <= index <= (end - 1) / 64;
    assigns tree->level[0][0 .. room(tree->bits - 1, tree->levels) - 1];
    ensures fits: tree_fits(tree);
    ensures same: same_shape{Pre, Post}(tree);
    ensures others: same_words_but{Pre, Post}(tree, index);
    ensures set: \forall integer n; 0 <= n && n / 64 == index ==>
      (has(tree, n) <==> has{Pre}(tree, n) || first <= n < end); */
static inline void word_set_range(struct bit_tree *tree, uint64_t index, uint64_t first, uint64_t end);

/*@ requires tree_fits(tree) && in_a_row(tree);
    requires first < end <= tree->bits && first / 64 <= index <= (end - 1) / 64;
    assigns tree->level[0][0 .. room(tree->bits - 1, tree->levels) - 1];
    ensures fits: tree_fits(tree);
    ensures same: same_shape{Pre, Post}(tree);
    ensures others: same_words_but{Pre, Post}(tree, index);
    ensures clear: \forall integer n; 0 <= n && n / 64 == index ==>
      (has(tree, n) <==> has{Pre}(tree, n) && !(first <= n < end)); */
static inline void word_clear_range(struct bit_tree *tree, uint64_t index, uint64_t first, uint64_t end);

#include "lib/bit_tree.c"
