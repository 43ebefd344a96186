/*
 * lib/bit_tree, how a tree begins: for every size of 1 .. 2^36 bits, without bound. It takes the words that are said to
 * be needed and no other, its levels lie in a row and end with one word, and no bit is set.
 *
 * proves: bit_tree_words bit_tree_init lemmas
 */
#include "proofs/wp/wp_bit_tree.h"

/*@ lemma up_2: \forall integer n; 0 <= n ==> up(n, 2) == n / 4096;
    lemma up_3: \forall integer n; 0 <= n ==> up(n, 3) == n / 262144;
    lemma up_4: \forall integer n; 0 <= n ==> up(n, 4) == n / 16777216;
    lemma up_5: \forall integer n; 0 <= n ==> up(n, 5) == n / 1073741824;
    lemma up_6: \forall integer n; 0 <= n ==> up(n, 6) == n / 68719476736;
    lemma up_top: \forall integer n; 0 <= n < 0x1000000000 ==> up(n, 6) == 0;
    lemma height_of: \forall integer n, k; 0 <= n < 0x1000000000 && 1 <= k <= 6 && up(n, k) == 0 &&
      (k == 1 || 0 < up(n, k - 1)) ==> k == height(n);
    lemma row_word{L}: \forall struct bit_tree *t, integer k, i; in_a_row(t) && 0 <= k < t->levels ==>
      t->level[k] + i == t->level[0] + (room(t->bits - 1, k) + i);
    lemma row_apart{L}: \forall uint64_t *row, integer n, j, k; 0 <= n && 0 <= j < k < 6 ==>
      \separated((row + room(n, j)) + (0 .. up(n, j + 1)), (row + room(n, k)) + (0 .. up(n, k + 1)));
    lemma row_is_apart{L}: \forall struct bit_tree *t; sizes(t) && in_a_row(t) ==> levels_apart(t); */

/*@ requires 1 <= bits;
    assigns \nothing;
    ensures \result == (bits - 1) / 64 + 1; */
static uint64_t words_of_bits(uint64_t bits);

/*@ requires \valid(word + (0 .. count - 1));
    assigns word[0 .. count - 1];
    ensures \forall integer i; 0 <= i < count ==> word[i] == 0; */
static void words_zero(uint64_t *word, uint64_t count);

/*@ requires 1 <= bits <= 0x1000000000 && \valid(tree);
    assigns *tree;
    ensures tree->bits == bits && tree->levels == height(bits - 1) && last(tree, tree->levels) == 0;
    ensures tree->level[0] == storage;
    ensures row: \forall integer k; 0 <= k < tree->levels ==> tree->level[k] == storage + room(bits - 1, k); */
static void tree_lay(struct bit_tree *tree, uint64_t bits, uint64_t *storage);

/*@ requires \valid(tree) && 1 <= tree->bits <= 0x1000000000 && 1 <= tree->levels <= 6;
    requires last(tree, tree->levels) == 0 && in_a_row(tree) && words == room(tree->bits - 1, tree->levels);
    requires \valid(tree->level[0] + (0 .. words - 1)) && \separated(tree, tree->level[0] + (0 .. words - 1));
    assigns tree->level[0][0 .. words - 1];
    ensures fits: tree_fits(tree);
    ensures same: same_shape{Pre, Post}(tree) && in_a_row(tree);
    ensures clear: \forall integer n; 0 <= n < tree->bits ==> !has(tree, n); */
static void tree_empty(struct bit_tree *tree, uint64_t words);

#include "lib/bit_tree.c"
