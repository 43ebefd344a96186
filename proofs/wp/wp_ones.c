/*
 * How many bits of a word are set, by counting them.
 *
 * proves: lemmas
 */
#include "proofs/wp/wp_support.h"

/*@ axiomatic Bit {
      predicate bit(integer word, integer b);
      axiom bit_none: \forall integer b; 0 <= b < 64 ==> !bit(0, b);
    } */
#include "proofs/wp/wp_bits.h"
#include "proofs/wp/wp_more.h"

/*@ axiomatic One {
      logic integer one(integer w, integer b);
      axiom one_set: \forall integer w, b; bit(w, b) ==> one(w, b) == 1;
      axiom one_clear: \forall integer w, b; !bit(w, b) ==> one(w, b) == 0;
      logic integer ones_8(integer w, integer b);
      axiom ones_of_8: \forall integer w, b; ones_8(w, b) == one(w, b) + one(w, b + 1) + one(w, b + 2) +
	one(w, b + 3) + one(w, b + 4) + one(w, b + 5) + one(w, b + 6) + one(w, b + 7);
    }
    logic integer ones(integer w) = ones_8(w, 0) + ones_8(w, 8) + ones_8(w, 16) + ones_8(w, 24) + ones_8(w, 32) +
      ones_8(w, 40) + ones_8(w, 48) + ones_8(w, 56); */

/*@ axiomatic Below { // how many of the 8 numbers from b on are below e
      logic integer below(integer e, integer b);
      axiom below_none: \forall integer e, b; e <= b ==> below(e, b) == 0;
      axiom below_some: \forall integer e, b; b <= e <= b + 8 ==> below(e, b) == e - b;
      axiom below_all: \forall integer e, b; b + 8 <= e ==> below(e, b) == 8;
    }
    logic integer within(integer f, integer e, integer b) = f <= b < e ? 1 : 0;
    lemma one_more: \forall integer w, v, f, e, b; 0 <= b < 64 && more(w, v, f, e) ==>
      one(w, b) == one(v, b) + within(f, e, b);
    lemma within_8: \forall integer f, e, b; f <= e ==> within(f, e, b) + within(f, e, b + 1) + within(f, e, b + 2) +
      within(f, e, b + 3) + within(f, e, b + 4) + within(f, e, b + 5) + within(f, e, b + 6) + within(f, e, b + 7) ==
      below(e, b) - below(f, b);
    lemma ones_8_bound: \forall integer w, b; 0 <= ones_8(w, b) <= 8;
    lemma ones_8_none: \forall integer b; 0 <= b <= 56 ==> ones_8(0, b) == 0;
    lemma ones_8_more: \forall integer w, v, f, e, b; 0 <= b <= 56 && more(w, v, f, e) ==>
      ones_8(w, b) == ones_8(v, b) + below(e, b) - below(f, b);
    lemma ones_more_0: \forall integer w, v, f, e; more(w, v, f, e) ==>
      ones_8(w, 0) == ones_8(v, 0) + below(e, 0) - below(f, 0);
    lemma ones_more_8: \forall integer w, v, f, e; more(w, v, f, e) ==>
      ones_8(w, 8) == ones_8(v, 8) + below(e, 8) - below(f, 8);
    lemma ones_more_16: \forall integer w, v, f, e; more(w, v, f, e) ==>
      ones_8(w, 16) == ones_8(v, 16) + below(e, 16) - below(f, 16);
    lemma ones_more_24: \forall integer w, v, f, e; more(w, v, f, e) ==>
      ones_8(w, 24) == ones_8(v, 24) + below(e, 24) - below(f, 24);
    lemma ones_more_32: \forall integer w, v, f, e; more(w, v, f, e) ==>
      ones_8(w, 32) == ones_8(v, 32) + below(e, 32) - below(f, 32);
    lemma ones_more_40: \forall integer w, v, f, e; more(w, v, f, e) ==>
      ones_8(w, 40) == ones_8(v, 40) + below(e, 40) - below(f, 40);
    lemma ones_more_48: \forall integer w, v, f, e; more(w, v, f, e) ==>
      ones_8(w, 48) == ones_8(v, 48) + below(e, 48) - below(f, 48);
    lemma ones_more_56: \forall integer w, v, f, e; more(w, v, f, e) ==>
      ones_8(w, 56) == ones_8(v, 56) + below(e, 56) - below(f, 56);
    lemma below_sum: \forall integer e; 0 <= e <= 64 ==> below(e, 0) + below(e, 8) + below(e, 16) + below(e, 24) +
      below(e, 32) + below(e, 40) + below(e, 48) + below(e, 56) == e; */
#define ONES_FACT lemma
#include "proofs/wp/wp_ones.h"
