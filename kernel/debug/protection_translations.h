/*
 * What a CPU keeps of translations and what makes it forget them: invlpg, CR3, global pages, PCIDs. What it may keep,
 * and every CPU does keep, is wanted too: a test of what is forgotten says nothing where nothing is kept.
 */
#ifndef CAPOS_KERNEL_DEBUG_PROTECTION_TRANSLATIONS_H
#define CAPOS_KERNEL_DEBUG_PROTECTION_TRANSLATIONS_H

#include "kernel/debug/test_space.h"

/* The space is loaded, and is so afterwards, with the same entries. */
void protection_translations_run(struct test_space *space);

#endif
