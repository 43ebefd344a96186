/*
 * lib/bit_tree: for every tree of 1 .. 2^36 bits, without bound.
 *
 * - A bit of a summary is set exactly if the word below it is not zero: kept by set, clear and whole words.
 * - Set and clear change that bit and no other; no bit past the end of a level is ever set.
 * - A find gives the lowest set bit at or after its start, and fails exactly if there is none.
 *
 * proves: bit_tree_put bit_tree_raise bit_tree_lower bit_tree_word_filled bit_tree_word_emptied bit_tree_test
 * proves: bit_tree_set bit_tree_clear bit_tree_write_word word_at climb descend
 * proves: bit_tree_find bit_tree_word words_of_bits
 */
#include "proofs/wp/wp_bit_tree.h"
#include "lib/bit_tree.c"
