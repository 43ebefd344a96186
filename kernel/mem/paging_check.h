/*
 * The self-check of the kernel's half: at every boot in debug builds, and in the smokes.
 */
#ifndef CAPOS_KERNEL_MEM_PAGING_CHECK_H
#define CAPOS_KERNEL_MEM_PAGING_CHECK_H

#include <stdbool.h>
#include <stdint.h>

#include "kernel/arch/x86_64/kernel_watch.h"

struct paging_report {
	uint64_t entries; /* present leaf entries looked at */
	uint64_t executable_pages, writable_bytes;
	uint64_t bad_address; /* of the first broken entry */
	const char *broken;   /* what is wrong with it; NULL if nothing is */
};

/* Walk every entry of the kernel's half and compare it with the promise. Returns whether it holds. */
bool paging_check_run(struct paging_report *report);

/* After a page of it was mapped: debug kernels panic if it, or a table on the way to it, is not what it must be. */
#ifdef KERNEL_WATCH
void paging_check_mapped(uint64_t address);
#else
static inline void paging_check_mapped(uint64_t address)
{
	(void)address;
}
#endif

#endif
