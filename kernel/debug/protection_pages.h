/* What one access of ring 0 may do, by the bits of the entries on its way, by CR0.WP, SMEP and SMAP. */
#ifndef CAPOS_KERNEL_DEBUG_PROTECTION_PAGES_H
#define CAPOS_KERNEL_DEBUG_PROTECTION_PAGES_H

#include "kernel/debug/test_space.h"

/* The space is loaded. Its entries are as before, afterwards. */
void protection_pages_run(struct test_space *space);

#endif
