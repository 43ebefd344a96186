/*
 * lib/bits.h, as far as provers of arithmetic go: the functions of one bit. For every word.
 *
 * proves: bits_test bits_with bits_without bits_of_rest
 */
#include "proofs/wp/wp_support.h"
#include "lib/bits.h"

#define BITS_OF_WORDS_ALONE
/*@ predicate bit(uint64_t word, integer b) = (word & ((uint64_t)1 << b)) != 0; */
#include "proofs/wp/wp_bits.h"
