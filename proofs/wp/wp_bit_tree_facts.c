/*
 * A tree whose words are the same is the same tree; a block of it that loses a bit has one less.
 *
 * proves: lemmas
 */
#include "proofs/wp/wp_bit_tree_facts.h"
