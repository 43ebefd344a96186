/*
 * Bounds of the kernel image in the kernel's half, from kernel.ld. All are whole pages, in this order; only their
 * addresses mean anything.
 */
#ifndef CAPOS_KERNEL_ARCH_X86_64_IMAGE_BOUNDS_H
#define CAPOS_KERNEL_ARCH_X86_64_IMAGE_BOUNDS_H

extern const char kernel_image_start[];
extern const char kernel_text_start[]; /* executable ... */
extern const char kernel_text_end[];
extern const char kernel_rodata_start[]; /* read-only ... */
extern const char kernel_rodata_end[];
extern const char kernel_data_start[]; /* writable: data, loader requests, bss ... */
extern const char kernel_data_end[];
extern const char kernel_image_end[];

#endif
