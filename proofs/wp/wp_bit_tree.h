/*
 * What lib/bit_tree promises, for provers of arithmetic: shared by the proofs of its own functions and of those that
 * use them.
 */
#ifndef CAPOS_PROOFS_WP_WP_BIT_TREE_H
#define CAPOS_PROOFS_WP_WP_BIT_TREE_H

#include "proofs/wp/wp_support.h"
#include "lib/bits.h"

/*@ axiomatic Bit {
      predicate bit(integer word, integer b);
      axiom bit_none: \forall integer b; 0 <= b < 64 ==> !bit(0, b);
    } */
#include "proofs/wp/wp_bits.h"
#include "lib/bit_tree_type.h"

#ifndef TREES_FROM_OUTSIDE
/*@ axiomatic Up { // the bit of level k that stands for bit n of level 0: n / 64^k
      logic integer up(integer n, integer k);
      axiom up_none: \forall integer n; up(n, 0) == n;
      axiom up_first: \forall integer n; 0 <= n ==> up(n, 1) == n / 64;
      axiom up_next: \forall integer n, k; 0 <= n && 0 <= k < 6 ==> up(n, k + 1) == up(n, k) / 64;
      axiom up_order: \forall integer n, m, k; 0 <= n <= m && 0 <= k <= 6 ==> 0 <= up(n, k) <= up(m, k);
      axiom up_least: \forall integer n, k; 0 <= n && 0 <= k <= 6 ==> up(n, k) <= n;
    } */
#else
/*@ axiomatic Up {
      logic integer up(integer n, integer k);
      axiom up_first: \forall integer n; 0 <= n ==> up(n, 1) == n / 64;
    } */
#endif
/*@ logic integer last{L}(struct bit_tree *t, integer k) = up(t->bits - 1, k); */

/*@ predicate sizes{L}(struct bit_tree *t) =
      \valid(t) && 1 <= t->bits <= 0x1000000000 && 1 <= t->levels <= 6 && last(t, t->levels) == 0;
    predicate rooms{L}(struct bit_tree *t) = \forall integer k; 0 <= k < t->levels ==>
      \valid(t->level[k] + (0 .. last(t, k + 1))) && \separated(t, t->level[k] + (0 .. last(t, k + 1)));
    predicate levels_apart{L}(struct bit_tree *t) = \forall integer j, k; 0 <= j < k < t->levels ==>
      \separated(t->level[j] + (0 .. last(t, j + 1)), t->level[k] + (0 .. last(t, k + 1)));
    predicate bit_at{L}(struct bit_tree *t, integer k, integer n) = bit(t->level[k][n / 64], n % 64);
    predicate has{L}(struct bit_tree *t, integer n) = bit(t->level[0][n / 64], n % 64);
    predicate words_cover{L}(struct bit_tree *t) = \forall integer k, n;
      0 <= k < t->levels && 0 <= n <= last(t, k) ==> n / 64 <= last(t, k + 1);
    predicate ends{L}(struct bit_tree *t) = \forall integer k, n;
      0 <= k < t->levels && last(t, k) < n && n / 64 <= last(t, k + 1) ==> !bit_at(t, k, n);
    predicate told{L}(struct bit_tree *t, integer k, integer n) = bit_at(t, k, n) <==> t->level[k - 1][n] != 0;
    predicate true_but{L}(struct bit_tree *t, integer level, integer index) = \forall integer k, n;
      1 <= k < t->levels && 0 <= n <= last(t, k) && !(k == level && n == index) ==> told(t, k, n);
    predicate all_true{L}(struct bit_tree *t) = true_but(t, 0, 0);
    predicate all_up{L}(struct bit_tree *t) = \forall integer k, n;
      0 <= k < t->levels && 0 <= n < t->bits && has(t, n) ==> bit_at(t, k, up(n, k));

    predicate same_shape{A, B}(struct bit_tree *t) =
      \at(t->bits, A) == \at(t->bits, B) && \at(t->levels, A) == \at(t->levels, B) &&
      \forall integer k; 0 <= k < 6 ==> \at(t->level[k], A) == \at(t->level[k], B);
    predicate same_bits{A, B}(struct bit_tree *t) = \forall integer i;
      0 <= i <= last{A}(t, 1) ==> \at(t->level[0][i], A) == \at(t->level[0][i], B);
    predicate same_words{A, B}(struct bit_tree *t, integer level, integer index) = \forall integer k, i;
      0 <= k < \at(t->levels, A) && 0 <= i <= last{A}(t, k + 1) && !(k == level && i == index) ==>
      \at(t->level[k][i], A) == \at(t->level[k][i], B);
    predicate same_below{A, B}(struct bit_tree *t, integer level, integer index) = \forall integer k, n;
      1 <= k < \at(t->levels, A) && 0 <= n <= last{A}(t, k) && !(k == level + 1 && n == index) ==>
      \at(t->level[k - 1][n], A) == \at(t->level[k - 1][n], B);
    predicate same_level{A, B}(struct bit_tree *t, integer level, integer but) = \forall integer n;
      0 <= n && n / 64 <= last{A}(t, level + 1) && n != but ==> (bit_at{A}(t, level, n) <==> bit_at{B}(t, level, n));
    predicate same_but{A, B}(struct bit_tree *t, integer but) = \forall integer n;
      0 <= n < \at(t->bits, A) && n != but ==> (has{A}(t, n) <==> has{B}(t, n)); */

#ifndef TREES_FROM_OUTSIDE
/*@ predicate shape{L}(struct bit_tree *t) = sizes(t) && rooms(t) && levels_apart(t);
    predicate outside{L}(struct bit_tree *t, uint64_t *p) = \separated(p, t) &&
      \forall integer k; 0 <= k < t->levels ==> \separated(p, t->level[k] + (0 .. last(t, k + 1)));
    predicate tree_fits{L}(struct bit_tree *t) = shape(t) && ends(t) && all_true(t); */

/*@ axiomatic Room { // how many words the levels below level k have, of a tree whose last bit is n
      logic integer room(integer n, integer k);
      axiom room_none: \forall integer n; room(n, 0) == 0;
      axiom room_next: \forall integer n, k; 0 <= n && 1 <= k <= 6 ==> room(n, k) == room(n, k - 1) + up(n, k) + 1;
    }
    predicate in_a_row{L}(struct bit_tree *t) = \forall integer k; 0 <= k < t->levels ==>
      t->level[k] == t->level[0] + room(t->bits - 1, k); */

/*@ lemma room_of_one: \forall integer n; 0 <= n ==> room(n, 1) == up(n, 1) + 1;
    lemma room_more: \forall integer n, k; 0 <= n && 1 <= k <= 6 ==> room(n, k - 1) < room(n, k);
    lemma room_ladder: \forall integer n; 0 <= n ==> 0 == room(n, 0) && room(n, 0) < room(n, 1) &&
      room(n, 1) < room(n, 2) && room(n, 2) < room(n, 3) && room(n, 3) < room(n, 4) && room(n, 4) < room(n, 5) &&
      room(n, 5) < room(n, 6);
    lemma room_order: \forall integer n, j, k; 0 <= n && 0 <= j <= k <= 6 ==> 0 <= room(n, j) <= room(n, k);
    lemma room_grows: \forall integer n, j, k; 0 <= n && 0 <= j < k <= 6 ==>
      room(n, j) + up(n, j + 1) < room(n, k); */

/*@ lemma cover{L}: \forall struct bit_tree *t, integer k, n;
      sizes(t) && 0 <= k < t->levels && 0 <= n <= last(t, k) ==> n / 64 <= last(t, k + 1); */
#else // Whoever uses trees needs no more than the lemmas below.
/*@ axiomatic Tree {
      predicate shape{L}(struct bit_tree *t) reads t->bits, t->levels, t->level[0 .. 5];
      predicate outside{L}(struct bit_tree *t, uint64_t *p) reads t->bits, t->levels, t->level[0 .. 5];
      predicate tree_fits{L}(struct bit_tree *t) reads t->bits, t->levels, t->level[0 .. 5], t->level[0][0 ..];
      predicate in_a_row{L}(struct bit_tree *t) reads t->bits, t->levels, t->level[0 .. 5];
      logic integer room(integer n, integer k);
    } */
#endif

/*@ logic integer words{L}(struct bit_tree *t) = room(t->bits - 1, t->levels);
    predicate same_valid{A, B}(struct bit_tree *t) = (\valid{A}(t) ==> \valid{B}(t)) && \forall integer k;
      0 <= k < \at(t->levels, A) && \valid{A}(\at(t->level[k], A) + (0 .. last{A}(t, k + 1))) ==>
      \valid{B}(\at(t->level[k], A) + (0 .. last{A}(t, k + 1)));
    predicate same_row{A, B}(struct bit_tree *t) = same_shape{A, B}(t) && same_valid{A, B}(t) &&
      \forall integer i; 0 <= i < words{A}(t) ==> \at(t->level[0][i], A) == \at(t->level[0][i], B);
    lemma tree_shape{L}: \forall struct bit_tree *t; tree_fits(t) && in_a_row(t) ==>
      shape(t) && 1 <= t->bits <= 0x1000000000 && last(t, 1) < words(t);
    lemma tree_end{L}: \forall struct bit_tree *t, integer n; tree_fits(t) && 0 <= n && n / 64 <= last(t, 1) &&
      has(t, n) ==> n < t->bits;
    lemma has_in_word{L}: \forall struct bit_tree *t, integer i, b; 0 <= i && 0 <= b < 64 ==>
      (has(t, 64 * i + b) <==> bit(t->level[0][i], b));
    lemma has_stays{A, B}: \forall struct bit_tree *t, integer n; same_shape{A, B}(t) && same_bits{A, B}(t) &&
      0 <= n < \at(t->bits, A) ==> (has{A}(t, n) <==> has{B}(t, n));
    lemma tree_outside{L}: \forall struct bit_tree *t, uint64_t *p; tree_fits(t) && in_a_row(t) && \separated(p, t) &&
      \separated(p, t->level[0] + (0 .. words(t) - 1)) ==> outside(t, p);
    lemma row_stays{A, B}: \forall struct bit_tree *t; tree_fits{A}(t) && in_a_row{A}(t) && same_shape{A, B}(t) ==>
      in_a_row{B}(t); */
#ifndef TREES_FROM_OUTSIDE
/*@ lemma row_at{L}: \forall struct bit_tree *t, integer k, i; in_a_row(t) && 0 <= k < t->levels ==>
      t->level[k] + i == t->level[0] + (room(t->bits - 1, k) + i);
    lemma sizes_stay{A, B}: \forall struct bit_tree *t; sizes{A}(t) && same_shape{A, B}(t) && same_valid{A, B}(t) ==>
      sizes{B}(t);
    lemma rooms_stay{A, B}: \forall struct bit_tree *t; sizes{A}(t) && rooms{A}(t) && same_shape{A, B}(t) &&
      same_valid{A, B}(t) ==> rooms{B}(t);
    lemma apart_stays{A, B}: \forall struct bit_tree *t; sizes{A}(t) && levels_apart{A}(t) && same_shape{A, B}(t) ==>
      levels_apart{B}(t);
    lemma words_stay{A, B}: \forall struct bit_tree *t, integer k, i; tree_fits{A}(t) && in_a_row{A}(t) &&
      same_row{A, B}(t) && 0 <= k < \at(t->levels, A) && 0 <= i <= last{A}(t, k + 1) ==>
      \at(t->level[k][i], A) == \at(t->level[k][i], B);
    lemma shape_stays{A, B}: \forall struct bit_tree *t; shape{A}(t) && same_shape{A, B}(t) && same_valid{A, B}(t) ==>
      shape{B}(t);
    lemma bits_stay{A, B}: \forall struct bit_tree *t, integer k, n; tree_fits{A}(t) && in_a_row{A}(t) &&
      same_row{A, B}(t) && 0 <= k < \at(t->levels, A) && 0 <= n && n / 64 <= last{A}(t, k + 1) ==>
      (bit_at{A}(t, k, n) <==> bit_at{B}(t, k, n));
    lemma below_stays{A, B}: \forall struct bit_tree *t, integer k, n; tree_fits{A}(t) && in_a_row{A}(t) &&
      same_row{A, B}(t) && 1 <= k < \at(t->levels, A) && 0 <= n <= last{A}(t, k) ==>
      \at(t->level[k - 1][n], A) == \at(t->level[k - 1][n], B);
    lemma bits_below_stay{A, B}: \forall struct bit_tree *t, integer k, n; tree_fits{A}(t) && in_a_row{A}(t) &&
      same_row{A, B}(t) && 1 <= k < \at(t->levels, A) && 0 <= n <= last{A}(t, k) ==>
      (bit_at{A}(t, k, n) <==> bit_at{B}(t, k, n));
    lemma bits_tell{L}: \forall struct bit_tree *t, integer k, n; tree_fits(t) &&
      1 <= k < t->levels && 0 <= n <= last(t, k) ==> told(t, k, n);
    lemma bits_told_stay{A, B}: \forall struct bit_tree *t, integer k, n; tree_fits{A}(t) && in_a_row{A}(t) &&
      same_row{A, B}(t) && 1 <= k < \at(t->levels, A) && 0 <= n <= last{A}(t, k) ==> told{B}(t, k, n);
    lemma bits_past_stay{A, B}: \forall struct bit_tree *t, integer k, n; tree_fits{A}(t) && in_a_row{A}(t) &&
      same_row{A, B}(t) && 0 <= k < \at(t->levels, A) && last{A}(t, k) < n && n / 64 <= last{A}(t, k + 1) ==>
      !bit_at{B}(t, k, n);
    lemma ends_stay{A, B}: \forall struct bit_tree *t; tree_fits{A}(t) && in_a_row{A}(t) && same_row{A, B}(t) ==>
      ends{B}(t);
    lemma told_stays{A, B}: \forall struct bit_tree *t; tree_fits{A}(t) && in_a_row{A}(t) && same_row{A, B}(t) ==>
      all_true{B}(t); */
#endif
/*@ lemma tree_stays{A, B}: \forall struct bit_tree *t; tree_fits{A}(t) && in_a_row{A}(t) && same_row{A, B}(t) ==>
      tree_fits{B}(t); */

/*@ axiomatic Ones { // how many bits of a word are set: wp_ones.c
      logic integer ones(integer word);
    } */
#include "proofs/wp/wp_ones.h"

/*@ predicate same_but_word{A, B}(struct bit_tree *t, integer index) = \forall integer i;
      0 <= i <= last{A}(t, 1) && i != index ==> \at(t->level[0][i], A) == \at(t->level[0][i], B); */
#ifndef TREES_FROM_OUTSIDE
/*@ logic integer ones_at{L}(struct bit_tree *t, integer i) = i <= last(t, 1) ? ones(t->level[0][i]) : 0;
    logic integer ones_2{L}(struct bit_tree *t, integer i) = ones_at(t, i) + ones_at(t, i + 1);
    logic integer ones_4{L}(struct bit_tree *t, integer i) = ones_2(t, i) + ones_2(t, i + 2);
    logic integer ones_of{L}(struct bit_tree *t, integer b) = // how many of the bits 512 * b .. 512 * b + 511 are set
      ones_4(t, 8 * b) + ones_4(t, 8 * b + 4);
    lemma ones_at_stays{A, B}: \forall struct bit_tree *t, integer i; 0 <= i && same_shape{A, B}(t) &&
      same_bits{A, B}(t) ==> ones_at{A}(t, i) == ones_at{B}(t, i);
    lemma ones_at_others{A, B}: \forall struct bit_tree *t, integer i, j; 0 <= i && i != j && same_shape{A, B}(t) &&
      same_but_word{A, B}(t, j) ==> ones_at{A}(t, i) == ones_at{B}(t, i);
    lemma ones_at_change{A, B}: \forall struct bit_tree *t, integer i, j; same_shape{A, B}(t) &&
      same_but_word{A, B}(t, i) && 0 <= j ==>
      ones_at{B}(t, j) == ones_at{A}(t, j) + (i == j ? ones_at{B}(t, i) - ones_at{A}(t, i) : 0);
    lemma ones_2_change{A, B}: \forall struct bit_tree *t, integer i, j; same_shape{A, B}(t) &&
      same_but_word{A, B}(t, i) && 0 <= j ==>
      ones_2{B}(t, j) == ones_2{A}(t, j) + (j <= i < j + 2 ? ones_at{B}(t, i) - ones_at{A}(t, i) : 0);
    lemma ones_4_change{A, B}: \forall struct bit_tree *t, integer i, j; same_shape{A, B}(t) &&
      same_but_word{A, B}(t, i) && 0 <= j ==>
      ones_4{B}(t, j) == ones_4{A}(t, j) + (j <= i < j + 4 ? ones_at{B}(t, i) - ones_at{A}(t, i) : 0);
    lemma ones_8_change{A, B}: \forall struct bit_tree *t, integer i, b; same_shape{A, B}(t) &&
      same_but_word{A, B}(t, i) && 0 <= b ==>
      ones_of{B}(t, b) == ones_of{A}(t, b) + (b == i / 8 && 0 <= i ? ones_at{B}(t, i) - ones_at{A}(t, i) : 0); */
#else
/*@ axiomatic Ones_of {
      logic integer ones_of{L}(struct bit_tree *t, integer b) reads t->bits, t->level[0 .. 5], t->level[0][0 ..];
    } */
#endif
/*@ lemma ones_limit{L}: \forall struct bit_tree *t, integer b; 0 <= ones_of(t, b) <= 512;
    lemma ones_stay{A, B}: \forall struct bit_tree *t, integer b; 0 <= b && same_shape{A, B}(t) &&
      same_bits{A, B}(t) ==> ones_of{A}(t, b) == ones_of{B}(t, b);
    lemma ones_others{A, B}: \forall struct bit_tree *t, integer b, i; 0 <= b && same_shape{A, B}(t) &&
      same_but_word{A, B}(t, i) && 0 <= i && b != i / 8 ==> ones_of{A}(t, b) == ones_of{B}(t, b);
    lemma ones_change{A, B}: \forall struct bit_tree *t, integer i; same_shape{A, B}(t) &&
      same_but_word{A, B}(t, i) && 0 <= i <= last{A}(t, 1) ==> ones_of{B}(t, i / 8) - ones_of{A}(t, i / 8) ==
	ones(\at(t->level[0][i], B)) - ones(\at(t->level[0][i], A)); */

/*@ requires shape(tree) && level < tree->levels && index <= last(tree, level + 1);
    assigns tree->level[level][index];
    ensures same: same_shape{Pre, Post}(tree);
    ensures plain: tree->bits == \old(tree->bits) && tree->levels == \old(tree->levels);
    ensures sizes: sizes(tree);
    ensures rooms: rooms(tree);
    ensures apart: levels_apart(tree);
    ensures others: same_words{Pre, Post}(tree, level, index);
    ensures put: tree->level[level][index] == value; */
static inline void bit_tree_put(struct bit_tree *tree, uint32_t level, uint64_t index, uint64_t value);

/*@ requires shape(tree) && ends(tree) && level < tree->levels && bit <= last(tree, level);
    requires true_but(tree, level, bit) && (level >= 1 ==> tree->level[level - 1][bit] != 0);
    assigns tree->level[level][bit / 64];
    ensures same: same_shape{Pre, Post}(tree);
    ensures shape: shape(tree);
    ensures ends: ends(tree);
    ensures words: same_words{Pre, Post}(tree, level, bit / 64);
    ensures bits: same_level{Pre, Post}(tree, level, bit);
    ensures set: bit_at(tree, level, bit) && tree->level[level][bit / 64] != 0;
    ensures first: level >= 1 ==> same_bits{Pre, Post}(tree);
    ensures above: true_but(tree, level + 1, bit / 64);
    ensures done: \result == true ==> all_true(tree); */
static inline bool bit_tree_raise(struct bit_tree *tree, uint32_t level, uint64_t bit);

/*@ requires shape(tree) && ends(tree) && level < tree->levels && bit <= last(tree, level);
    requires true_but(tree, level, bit) && (level >= 1 ==> tree->level[level - 1][bit] == 0);
    assigns tree->level[level][bit / 64];
    ensures same: same_shape{Pre, Post}(tree);
    ensures shape: shape(tree);
    ensures ends: ends(tree);
    ensures words: same_words{Pre, Post}(tree, level, bit / 64);
    ensures bits: same_level{Pre, Post}(tree, level, bit);
    ensures clear: !bit_at(tree, level, bit) && (\result == true <==> tree->level[level][bit / 64] != 0);
    ensures first: level >= 1 ==> same_bits{Pre, Post}(tree);
    ensures above: true_but(tree, level + 1, bit / 64);
    ensures done: \result == true ==> all_true(tree); */
static inline bool bit_tree_lower(struct bit_tree *tree, uint32_t level, uint64_t bit);

/*@ requires shape(tree) && ends(tree) && index <= last(tree, 1);
    requires true_but(tree, 1, index) && tree->level[0][index] != 0;
    requires in_a_row(tree);
    assigns tree->level[0][0 .. room(tree->bits - 1, tree->levels) - 1];
    ensures fits: tree_fits(tree);
    ensures same: same_shape{Pre, Post}(tree);
    ensures bits: same_bits{Pre, Post}(tree); */
void bit_tree_word_filled(struct bit_tree *tree, uint64_t index);

/*@ requires shape(tree) && ends(tree) && index <= last(tree, 1);
    requires true_but(tree, 1, index) && tree->level[0][index] == 0;
    requires in_a_row(tree);
    assigns tree->level[0][0 .. room(tree->bits - 1, tree->levels) - 1];
    ensures fits: tree_fits(tree);
    ensures same: same_shape{Pre, Post}(tree);
    ensures bits: same_bits{Pre, Post}(tree); */
void bit_tree_word_emptied(struct bit_tree *tree, uint64_t index);

/*@ requires tree_fits(tree) && bit < tree->bits;
    assigns \nothing;
    ensures \result == true <==> has(tree, bit); */
static inline bool bit_tree_test(const struct bit_tree *tree, uint64_t bit);

/*@ requires tree_fits(tree) && bit < tree->bits;
    requires in_a_row(tree);
    assigns tree->level[0][0 .. room(tree->bits - 1, tree->levels) - 1];
    ensures fits: tree_fits(tree);
    ensures same: same_shape{Pre, Post}(tree);
    ensures others: same_but{Pre, Post}(tree, bit);
    ensures rest: \forall integer i; 0 <= i <= last{Pre}(tree, 1) && i != bit / 64 ==>
      \at(tree->level[0][i], Pre) == tree->level[0][i];
    ensures set: has(tree, bit); */
static inline void bit_tree_set(struct bit_tree *tree, uint64_t bit);

/*@ requires tree_fits(tree) && bit < tree->bits;
    requires in_a_row(tree);
    assigns tree->level[0][0 .. room(tree->bits - 1, tree->levels) - 1];
    ensures fits: tree_fits(tree);
    ensures same: same_shape{Pre, Post}(tree);
    ensures others: same_but{Pre, Post}(tree, bit);
    ensures rest: \forall integer i; 0 <= i <= last{Pre}(tree, 1) && i != bit / 64 ==>
      \at(tree->level[0][i], Pre) == tree->level[0][i];
    ensures clear: !has(tree, bit); */
static inline void bit_tree_clear(struct bit_tree *tree, uint64_t bit);

/*@ requires tree_fits(tree) && index <= last(tree, 1);
    requires \forall integer b; 0 <= b < 64 && bit(value, b) ==> index * 64 + b < tree->bits;
    requires in_a_row(tree);
    assigns tree->level[0][0 .. room(tree->bits - 1, tree->levels) - 1];
    ensures fits: tree_fits(tree);
    ensures same: same_shape{Pre, Post}(tree);
    ensures others: \forall integer i; 0 <= i <= last{Pre}(tree, 1) && i != index ==>
      \at(tree->level[0][i], Pre) == tree->level[0][i];
    ensures written: tree->level[0][index] == value; */
static inline void bit_tree_write_word(struct bit_tree *tree, uint64_t index, uint64_t value);

/*@ requires tree_fits(tree) && \valid(bit) && outside(tree, bit);
    assigns *bit;
    ensures found: \result == true ==> from <= *bit < tree->bits && has{Pre}(tree, *bit);
    ensures lowest: \result == true ==> \forall integer n; from <= n < *bit ==> !has{Pre}(tree, n);
    ensures none: \result == false ==> \forall integer n; from <= n < tree->bits ==> !has{Pre}(tree, n); */
bool bit_tree_find(const struct bit_tree *tree, uint64_t from, uint64_t *bit);

/*@ requires shape(tree) && index <= last(tree, 1);
    assigns \nothing;
    ensures \result == tree->level[0][index]; */
static inline uint64_t bit_tree_word(const struct bit_tree *tree, uint64_t index);

#include "lib/bit_tree.h"

#endif
