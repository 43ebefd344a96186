/*
 * What a bit tree is made of. lib/bit_tree.h says what it promises and does.
 */
#ifndef CAPOS_LIB_BIT_TREE_TYPE_H
#define CAPOS_LIB_BIT_TREE_TYPE_H

#include <stdint.h>

#define BIT_TREE_LEVELS 6u /* 64^6 = 2^36 bits */
#define BIT_TREE_MAX_BITS (UINT64_C(1) << 36)

struct bit_tree { /* level[0] are the bits; level[k + 1] summarises level[k]; the top level is one word */
	uint64_t *level[BIT_TREE_LEVELS];
	uint64_t bits;   /* at level 0 */
	uint32_t levels; /* in use, at least 1 */
};

/* Bit `bit` of `level`; no bit if that level is not there. */
struct bit_place {
	uint32_t level;
	uint64_t bit;
};

#endif
