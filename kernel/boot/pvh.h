/* The PVH door's data: Xen's x86/HVM start info, in physical memory below the early map's limit. */
#ifndef CAPOS_KERNEL_BOOT_PVH_H
#define CAPOS_KERNEL_BOOT_PVH_H

#include "abi/status.h"
#include "kernel/boot/boot_info.h"
#include "lib/address.h"

/*
 * Fill in the loader, the command line, the memory map as the loader gives it, the package and the RSDP. The early
 * memory is set. Statuses: BOOT_BAD_MAGIC, BOOT_MISSING (no memory map), BOOT_MODULE_COUNT, MEMORY_MAP_TOO_LONG,
 * TOO_LONG (command line), BAD_ARGUMENT (a pointer leads out of the early map); *what names the thing.
 */
enum status pvh_collect(paddr_t start_info, struct boot_info *info, const char **what);

#endif
