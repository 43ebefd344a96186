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
    predicate all_zero{L}(struct bit_tree *t) = \forall integer k, i;
      0 <= k < t->levels && 0 <= i <= last(t, k + 1) ==> t->level[k][i] == 0;
    predicate all_up{L}(struct bit_tree *t) = \forall integer k, n;
      0 <= k < t->levels && 0 <= n < t->bits && has(t, n) ==> bit_at(t, k, up(n, k));

    predicate same_shape{A, B}(struct bit_tree *t) =
      \at(t->bits, A) == \at(t->bits, B) && \at(t->levels, A) == \at(t->levels, B) &&
      \forall integer k; 0 <= k < 6 ==> \at(t->level[k], A) == \at(t->level[k], B);
    predicate same_bits{A, B}(struct bit_tree *t) = \forall integer i;
      0 <= i <= last{A}(t, 1) ==> \at(t->level[0][i], A) == \at(t->level[0][i], B);
    predicate same_words_but{A, B}(struct bit_tree *t, integer but) = \forall integer i;
      0 <= i <= last{A}(t, 1) && i != but ==> \at(t->level[0][i], A) == \at(t->level[0][i], B);
    predicate same_words{A, B}(struct bit_tree *t, integer level, integer index) = \forall integer k, i;
      0 <= k < \at(t->levels, A) && 0 <= i <= last{A}(t, k + 1) && !(k == level && i == index) ==>
      \at(t->level[k][i], A) == \at(t->level[k][i], B);
    predicate same_below{A, B}(struct bit_tree *t, integer level, integer index) = \forall integer k, n;
      1 <= k < \at(t->levels, A) && 0 <= n <= last{A}(t, k) && !(k == level + 1 && n == index) ==>
      \at(t->level[k - 1][n], A) == \at(t->level[k - 1][n], B);
    predicate same_level{A, B}(struct bit_tree *t, integer level, integer but) = \forall integer n;
      0 <= n && n / 64 <= last{A}(t, level + 1) && n != but ==> (bit_at{A}(t, level, n) <==> bit_at{B}(t, level, n));
    predicate same_but{A, B}(struct bit_tree *t, integer but) = \forall integer n;
      0 <= n < \at(t->bits, A) && n != but ==> (has{A}(t, n) <==> has{B}(t, n));
    predicate same_but_range{A, B}(struct bit_tree *t, integer first, integer end) = \forall integer n;
      0 <= n < \at(t->bits, A) && !(first <= n < end) ==> (has{A}(t, n) <==> has{B}(t, n));
    predicate same_words_but_range{A, B}(struct bit_tree *t, integer first, integer end) = \forall integer i;
      0 <= i <= last{A}(t, 1) && !(first <= i < end) ==> \at(t->level[0][i], A) == \at(t->level[0][i], B); */

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
      sizes(t) && 0 <= k < t->levels && 0 <= n <= last(t, k) ==> n / 64 <= last(t, k + 1);
    lemma word_is_valid{L}: \forall struct bit_tree *t, integer k, i;
      shape(t) && 0 <= k < t->levels && 0 <= i <= last(t, k + 1) ==>
      \valid(t->level[k] + i) && \separated(t, t->level[k] + i);
    lemma words_below_apart{L}: \forall struct bit_tree *t, integer j, k, a, b;
      shape(t) && 0 <= j < k < t->levels && 0 <= a <= last(t, j + 1) && 0 <= b <= last(t, k + 1) ==>
      \separated(t->level[j] + a, t->level[k] + b);
    lemma words_apart{L}: \forall struct bit_tree *t, integer j, k, a, b;
      shape(t) && 0 <= j < t->levels && 0 <= k < t->levels && j != k && 0 <= a <= last(t, j + 1) &&
      0 <= b <= last(t, k + 1) ==> \separated(t->level[j] + a, t->level[k] + b);
    lemma still_apart{A, B}: \forall struct bit_tree *t;
      same_shape{A, B}(t) && sizes{A}(t) && levels_apart{A}(t) ==> levels_apart{B}(t); */
#else // Who uses trees needs no more than the lemmas of wp_bit_tree_facts.h.
/*@ axiomatic Tree {
      predicate shape{L}(struct bit_tree *t) reads t->bits, t->levels, t->level[0 .. 5];
      predicate outside{L}(struct bit_tree *t, uint64_t *p) reads t->bits, t->levels, t->level[0 .. 5];
      predicate tree_fits{L}(struct bit_tree *t) reads t->bits, t->levels, t->level[0 .. 5], t->level[0][0 ..];
      predicate in_a_row{L}(struct bit_tree *t) reads t->bits, t->levels, t->level[0 .. 5];
      logic integer room(integer n, integer k);
    } */
#endif

/*@ logic integer height(integer n) = // how many levels a tree has whose last bit is n
      n < 64 ? 1 : n < 4096 ? 2 : n < 262144 ? 3 : n < 16777216 ? 4 : n < 1073741824 ? 5 : 6;
    logic integer total(integer n) = room(n, height(n)); */

/*@ requires 1 <= bits <= 0x1000000000;
    assigns \nothing;
    ensures \result == total(bits - 1); */
uint64_t bit_tree_words(uint64_t bits);

/*@ requires 1 <= bits <= 0x1000000000 && \valid(tree) && \valid(storage + (0 .. total(bits - 1) - 1));
    requires \separated(tree, storage + (0 .. total(bits - 1) - 1));
    assigns *tree, storage[0 .. total(bits - 1) - 1];
    ensures fits: tree_fits(tree);
    ensures row: in_a_row(tree) && tree->level[0] == storage && tree->bits == bits && tree->levels == height(bits - 1);
    ensures clear: \forall integer n; 0 <= n < bits ==> !has(tree, n); */
void bit_tree_init(struct bit_tree *tree, uint64_t bits, uint64_t *storage);

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
    ensures others: same_words_but{Pre, Post}(tree, index);
    ensures written: tree->level[0][index] == value; */
static inline void bit_tree_write_word(struct bit_tree *tree, uint64_t index, uint64_t value);

/*@ requires tree_fits(tree) && first < end <= tree->bits;
    requires in_a_row(tree);
    assigns tree->level[0][0 .. room(tree->bits - 1, tree->levels) - 1];
    ensures fits: tree_fits(tree);
    ensures same: same_shape{Pre, Post}(tree);
    ensures rest: same_words_but_range{Pre, Post}(tree, first / 64, (end - 1) / 64 + 1);
    ensures others: same_but_range{Pre, Post}(tree, first, end);
    ensures set: \forall integer n; first <= n < end ==> has(tree, n); */
void bit_tree_set_range(struct bit_tree *tree, uint64_t first, uint64_t end);

/*@ requires tree_fits(tree) && first < end <= tree->bits;
    requires in_a_row(tree);
    assigns tree->level[0][0 .. room(tree->bits - 1, tree->levels) - 1];
    ensures fits: tree_fits(tree);
    ensures same: same_shape{Pre, Post}(tree);
    ensures rest: same_words_but_range{Pre, Post}(tree, first / 64, (end - 1) / 64 + 1);
    ensures others: same_but_range{Pre, Post}(tree, first, end);
    ensures clear: \forall integer n; first <= n < end ==> !has(tree, n); */
void bit_tree_clear_range(struct bit_tree *tree, uint64_t first, uint64_t end);

/*@ requires tree_fits(tree) && first < end <= tree->bits;
    requires in_a_row(tree);
    assigns \nothing;
    ensures within: first <= \result <= end;
    ensures lowest: \forall integer n; first <= n < \result ==> has(tree, n);
    ensures clear: \result < end ==> !has(tree, \result); */
uint64_t bit_tree_find_clear(const struct bit_tree *tree, uint64_t first, uint64_t end);

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
