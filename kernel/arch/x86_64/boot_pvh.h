/* What the PVH entry leaves for kernel/boot. */
#ifndef CAPOS_KERNEL_ARCH_X86_64_BOOT_PVH_H
#define CAPOS_KERNEL_ARCH_X86_64_BOOT_PVH_H

#include <stdint.h>

/* Physical address of the loader's start info; 0 if the kernel was not entered through PVH. */
extern const uint32_t boot_pvh_start_info;

#endif
