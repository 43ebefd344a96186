/*
 * A word that has some bits more than another. `bit(word, b)` is what whoever includes this has defined.
 */
#ifndef CAPOS_PROOFS_WP_WP_MORE_H
#define CAPOS_PROOFS_WP_WP_MORE_H

/*@ predicate more(integer w, integer v, integer f, integer e) = 0 <= f <= e <= 64 && // w is v and the bits [f, e)
      (\forall integer b; f <= b < e ==> bit(w, b) && !bit(v, b)) &&
      (\forall integer b; 0 <= b < 64 && !(f <= b < e) ==> (bit(w, b) <==> bit(v, b))); */

#endif
