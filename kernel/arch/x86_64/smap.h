/*
 * The window in which the kernel may touch user pages (SMAP). Without SMAP the window is always open.
 * Programs' buffers are copied through the direct map instead (kernel/mem/user_access.c); the window is for probes.
 */
#ifndef CAPOS_KERNEL_ARCH_X86_64_SMAP_H
#define CAPOS_KERNEL_ARCH_X86_64_SMAP_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/check.h"

/* STAC and CLAC are invalid opcodes where SMAP is missing. Read by trap_entry.S; a byte, 0 or 1. */
extern uint8_t smap_is_on;

/* Say that CR4.SMAP is set, or about to be, on every CPU. By features_enable_protection. */
void smap_set_on(void);

static inline void smap_open(void)
{
	if (LIKELY(smap_is_on))
		__asm__ volatile("stac" : : : "memory");
}

static inline void smap_close(void)
{
	if (LIKELY(smap_is_on))
		__asm__ volatile("clac" : : : "memory");
}

#endif
