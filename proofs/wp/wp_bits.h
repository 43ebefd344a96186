/*
 * What lib/bits.h promises, one word at a time: `bit(word, b)` is what whoever includes this has defined. WP proves the
 * functions that wp_bits.c names; CBMC proves all of them for every word (proofs/cbmc/cbmc_bits.c).
 */
#ifndef CAPOS_PROOFS_WP_WP_BITS_H
#define CAPOS_PROOFS_WP_WP_BITS_H

#include "lib/bits.h"

/*@ requires bit < 64;
    assigns \nothing;
    ensures \forall integer b; 0 <= b < 64 ==> (bit(\result, b) <==> b == bit); */
static inline uint64_t bits_one(uint32_t bit);

/*@ requires first < 64;
    assigns \nothing;
    ensures \forall integer b; 0 <= b < 64 ==> (bit(\result, b) <==> b >= first); */
static inline uint64_t bits_from(uint32_t first);

/*@ requires bit < 64;
    assigns \nothing;
    ensures \result == true <==> bit(word, bit); */
static inline bool bits_test(uint64_t word, uint32_t bit);

/*@ requires bit < 64;
    assigns \nothing;
    ensures \forall integer b; 0 <= b < 64 ==> (bit(\result, b) <==> b == bit || bit(word, b)); */
static inline uint64_t bits_with(uint64_t word, uint32_t bit);

/*@ requires bit < 64;
    assigns \nothing;
    ensures \forall integer b; 0 <= b < 64 ==> (bit(\result, b) <==> b != bit && bit(word, b));
    ensures word == 0 ==> \result == 0; */
static inline uint64_t bits_without(uint64_t word, uint32_t bit);

/*@ assigns \nothing;
    ensures \forall integer b; 0 <= b < 64 ==> (bit(\result, b) <==> bit(word, b) || bit(others, b)); */
static inline uint64_t bits_with_all(uint64_t word, uint64_t others);

/*@ assigns \nothing;
    ensures \forall integer b; 0 <= b < 64 ==> (bit(\result, b) <==> bit(word, b) && !bit(others, b)); */
static inline uint64_t bits_without_all(uint64_t word, uint64_t others);

/*@ requires first < 64;
    assigns \nothing;
    ensures \forall integer b; 0 <= b < 64 ==> (bit(\result, b) <==> b >= first && bit(word, b)); */
static inline uint64_t bits_of_rest(uint64_t word, uint32_t first);

/*@ requires first < end && first / 64 <= index <= (end - 1) / 64;
    assigns \nothing;
    ensures \forall integer b; 0 <= b < 64 ==> (bit(\result, b) <==> first <= index * 64 + b < end); */
static inline uint64_t bits_of_range(uint64_t index, uint64_t first, uint64_t end);

/*@ requires word != 0;
    assigns \nothing;
    ensures \result < 64 && bit(word, \result);
    ensures \forall integer b; 0 <= b < \result ==> !bit(word, b); */
static inline uint32_t bits_lowest(uint64_t word);

#endif
