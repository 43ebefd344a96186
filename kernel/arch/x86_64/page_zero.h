/*
 * Filling one page with 16-byte stores. The vector register used belongs to ring 3 and is put back.
 */
#ifndef CAPOS_KERNEL_ARCH_X86_64_PAGE_ZERO_H
#define CAPOS_KERNEL_ARCH_X86_64_PAGE_ZERO_H

#include <stdint.h>

/* `page` is page-aligned and writable. */
void page_zero(void *page);

/* Every 8 bytes become `word`. */
void page_fill64(void *page, uint64_t word);

#endif
