/*
 * Addresses that the linker script, the boot entries and the memory code agree on. Assembler reads this file too.
 * kernel.ld repeats the first two, because it is not preprocessed, and compares.
 */
#ifndef CAPOS_KERNEL_ARCH_X86_64_BOOT_LAYOUT_H
#define CAPOS_KERNEL_ARCH_X86_64_BOOT_LAYOUT_H

/* The image is linked for KERNEL_VIRTUAL_BASE + KERNEL_LOAD_ADDRESS. Only PVH loads it at that physical address. */
#define KERNEL_VIRTUAL_BASE 0xffffffff80000000
#define KERNEL_LOAD_ADDRESS 0x100000

/* The early map of the PVH entry: physical 0 to 4 GiB, here. */
#define BOOT_PVH_MAP 0xffff800000000000
#define BOOT_PVH_MAP_LIMIT 0x100000000

#define BOOT_STACK_BYTES 32768

/*
 * Where the other CPUs start: a start-up IPI names a page below 1 MiB. boot_info takes this one out of the usable
 * memory. It is below what any BIOS uses (the EBDA ends at 640 KiB) and above the interrupt table and BIOS data.
 */
#define AP_TRAMPOLINE_PHYSICAL 0x8000

#endif
