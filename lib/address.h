/*
 * One type for each kind of address, so that mixing them is an error at compile time. `.raw` is touched here and in
 * kernel/arch only; everyone else uses these functions.
 */
#ifndef CAPOS_LIB_ADDRESS_H
#define CAPOS_LIB_ADDRESS_H

#include <stdbool.h>
#include <stdint.h>

#include "abi/memory_layout.h"

typedef struct {
	uint64_t raw;
} paddr_t; /* physical byte address */

typedef struct {
	uint64_t raw;
} frame_t; /* physical frame number: paddr / 4096 */

typedef struct {
	uint64_t raw;
} vaddr_t; /* kernel virtual address */

typedef struct {
	uint64_t raw;
} uaddr_t; /* what a program calls an address: a claim, not a pointer */

#define PAGES_PER_2MIB UINT64_C(512)

static inline paddr_t paddr_from_u64(uint64_t raw)
{
	return (paddr_t){ raw };
}

static inline uint64_t paddr_to_u64(paddr_t address)
{
	return address.raw;
}

static inline frame_t frame_from_u64(uint64_t number)
{
	return (frame_t){ number };
}

static inline uint64_t frame_to_u64(frame_t frame)
{
	return frame.raw;
}

/* The frame that holds the byte at `address`. */
static inline frame_t frame_from_paddr(paddr_t address)
{
	return (frame_t){ address.raw >> PAGE_SHIFT };
}

static inline paddr_t paddr_from_frame(frame_t frame)
{
	return (paddr_t){ frame.raw << PAGE_SHIFT };
}

static inline frame_t frame_plus(frame_t frame, uint64_t frames)
{
	return (frame_t){ frame.raw + frames };
}

static inline bool frame_equal(frame_t a, frame_t b)
{
	return a.raw == b.raw;
}

static inline uaddr_t uaddr_from_u64(uint64_t raw)
{
	return (uaddr_t){ raw };
}

static inline uint64_t uaddr_to_u64(uaddr_t address)
{
	return address.raw;
}

static inline vaddr_t vaddr_from_u64(uint64_t raw)
{
	return (vaddr_t){ raw };
}

static inline uint64_t vaddr_to_u64(vaddr_t address)
{
	return address.raw;
}

#endif
