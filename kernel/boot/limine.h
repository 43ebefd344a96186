/* The Limine door's data: the loader's answers to boot_limine_requests. */
#ifndef CAPOS_KERNEL_BOOT_LIMINE_H
#define CAPOS_KERNEL_BOOT_LIMINE_H

#include "abi/status.h"
#include "kernel/arch/x86_64/boot_limine.h"
#include "kernel/boot/boot_info.h"

/*
 * Sets the early memory from the loader's direct map, then fills in the loader, the command line, the memory map, the
 * package, the RSDP, the loader's entropy and where the image lies (of which kernel_virtual and kernel_bytes are
 * known). Statuses: BOOT_BASE_REVISION, BOOT_MISSING (no answer), BOOT_MODULE_COUNT, MEMORY_MAP_TOO_LONG, TOO_LONG
 * (command line), BAD_ARGUMENT (an answer that cannot be true); *what names the thing.
 */
enum status limine_collect(const volatile struct limine_requests *requests, struct boot_info *info, const char **what);

#endif
