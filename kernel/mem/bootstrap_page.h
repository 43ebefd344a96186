/*
 * Pages of the bootstrap window: the CapSet, and a ring for each thread. Only the kernel maps and unmaps them.
 */
#ifndef CAPOS_KERNEL_MEM_BOOTSTRAP_PAGE_H
#define CAPOS_KERNEL_MEM_BOOTSTRAP_PAGE_H

#include "abi/status.h"
#include "kernel/mem/address_space.h"

/*
 * One zeroed page at `address`, in the window; charged to LEDGER_IMAGE. *page is where the kernel reaches it, as long
 * as it is mapped. OCCUPIED, OVER_IMAGE, OVER_PAGE_TABLE, OUT_OF_MEMORY.
 */
enum status bootstrap_page_map(struct address_space *space, uint64_t address, uint32_t protection, void **page);

/* It was mapped by the call above, and the kernel has let go of it. */
void bootstrap_page_unmap(struct address_space *space, uint64_t address);

#endif
