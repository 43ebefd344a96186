/*
 * How many bits of a word are set: what follows from the definition in wp_ones.c, which proves it; elsewhere it is
 * given.
 */
#ifndef CAPOS_PROOFS_WP_WP_ONES_H
#define CAPOS_PROOFS_WP_WP_ONES_H

#include "proofs/wp/wp_more.h"

#ifndef ONES_FACT
#define ONES_FACT axiom
#endif

/*@ axiomatic Ones_facts {
      ONES_FACT ones_bound: \forall integer w; 0 <= ones(w) <= 64;
      ONES_FACT ones_none: ones(0) == 0;
      ONES_FACT ones_more: \forall integer w, v, f, e; more(w, v, f, e) ==> ones(w) == ones(v) + (e - f);
    } */

#endif
