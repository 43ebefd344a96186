/*
 * Addresses and protections that kernel and programs agree on.
 */
#ifndef CAPOS_ABI_MEMORY_LAYOUT_H
#define CAPOS_ABI_MEMORY_LAYOUT_H

#include <stdint.h>

#define PAGE_SHIFT 12
#define PAGE_SIZE UINT64_C(4096)

/*
 * User half, [USER_START, USER_LIMIT). The first 64 KiB catch null pointers and are never mappable; the last page
 * of the canonical half is never mappable either, so that no SYSCALL can stand at its very end (SDM vol. 2, SYSRET).
 */
#define USER_START UINT64_C(0x0000000000010000)
#define USER_LIMIT UINT64_C(0x00007ffffffff000)

/*
 * Bootstrap window: the CapSet page and one ring page per thread. Refused by every VirtualMemory and MemoryObject
 * call and by the ELF loader, whether or not a page is there.
 */
#define BOOTSTRAP_START UINT64_C(0x0000000000300000)
#define BOOTSTRAP_END UINT64_C(0x0000000000400000)
#define CAPSET_ADDRESS UINT64_C(0x0000000000300000)
#define RING_ADDRESS UINT64_C(0x0000000000310000) /* ring of the first thread; thread i has RING_ADDRESS + i pages */

/* Protection of a page, bit by bit. WRITE and EXECUTE together are refused everywhere. */
#define PROTECTION_NONE 0u
#define PROTECTION_READ 1u
#define PROTECTION_WRITE 2u
#define PROTECTION_EXECUTE 4u

#endif
