/*
 * lib/bits.h, as far as provers of arithmetic go: the functions of one bit, and of all of a
 * word. For every word.
 *
 * proves: bits_test bits_with bits_without bits_with_all bits_without_all bits_of_rest
 */
#include "proofs/wp/wp_support.h"
#include "lib/bits.h"

/*@ predicate bit(uint64_t word, integer b) = (word & ((uint64_t)1 << b)) != 0; */
#include "proofs/wp/wp_bits.h"
