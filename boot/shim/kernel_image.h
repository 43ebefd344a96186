/*
 * The kernel's ELF file, as the Limine protocol loads it: p_paddr means nothing; the image is one physically contiguous
 * block at any address; each PT_LOAD gets exactly the rights of its PF_W and PF_X.
 */
#ifndef CAPOS_SHIM_KERNEL_IMAGE_H
#define CAPOS_SHIM_KERNEL_IMAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "boot/shim/boot_source.h"
#include "boot/shim/loader_paging.h"

#define KERNEL_IMAGE_MAX_SEGMENTS 16u
#define KERNEL_IMAGE_LOWEST UINT64_C(0xffffffff80000000)

struct kernel_segment {
	uint64_t address, memory_bytes;
	uint64_t file_offset, file_bytes;
	bool writable, executable;
};

struct kernel_image {
	uint64_t entry;
	uint64_t base;      /* virtual address of the image's first page */
	uint64_t bytes;     /* whole pages */
	uint64_t alignment; /* of the physical block, in bytes: the largest p_align, at least one page */
	uint32_t segments;  /* in ascending order, no two on one page */
	struct kernel_segment segment[KERNEL_IMAGE_MAX_SEGMENTS];
};

/* Refuses to boot, with the reason, what a strict loader would not load. */
void kernel_image_plan(struct byte_span file, struct kernel_image *image);

/* Fill `memory`, image->bytes long. What no segment covers keeps the pattern. */
void kernel_image_load(const struct kernel_image *image, struct byte_span file, uint8_t *memory);

void kernel_image_map(const struct kernel_image *image, uint64_t physical, struct loader_paging *paging);

#endif
