/*
 * How many bits of a word are set: what follows from the definition in wp_ones.c, where it is proved.
 */
#ifndef CAPOS_PROOFS_WP_WP_ONES_H
#define CAPOS_PROOFS_WP_WP_ONES_H

/*@ lemma ones_bound: \forall integer w; 0 <= ones(w) <= 64;
    lemma ones_none: ones(0) == 0;
    lemma ones_more: \forall integer w, v, f, e; more(w, v, f, e) ==> ones(w) == ones(v) + (e - f); */

#endif
