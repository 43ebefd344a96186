/*
 * What follows from a tree being as it should be, for proofs of those that use trees and see no more of them than this;
 * and how many bits of a tree are set. Proved in wp_bit_tree_facts.c, from what wp_bit_tree.h says a tree is.
 */
#ifndef CAPOS_PROOFS_WP_WP_BIT_TREE_FACTS_H
#define CAPOS_PROOFS_WP_WP_BIT_TREE_FACTS_H

#include "proofs/wp/wp_bit_tree.h"

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

#endif
