/*
 * Half-open ranges, one type per kind of address: start <= end always. The only place where two numbers that a caller
 * gave are added.
 */
#ifndef CAPOS_LIB_RANGE_H
#define CAPOS_LIB_RANGE_H

#include <stdbool.h>
#include <stdint.h>

#include "abi/status.h"
#include "lib/address.h"
#include "lib/check.h"

struct frame_range {
	frame_t start, end;
};

struct uaddr_range {
	uaddr_t start, end; /* bytes; both whole pages when made by uaddr_range_of_pages */
};

/* By division and product here and below: provers know them, compilers turn them into masks and shifts. */
static inline bool u64_is_page_aligned(uint64_t value)
{
	return value % PAGE_SIZE == 0;
}

static inline struct frame_range frame_range_make(uint64_t start, uint64_t end)
{
	return (struct frame_range){ { start }, { end } };
}

/* start <= end. */
static inline struct uaddr_range uaddr_range_make(uint64_t start, uint64_t end)
{
	return (struct uaddr_range){ { start }, { end } };
}

static inline uint64_t frame_range_count(struct frame_range range)
{
	return range.end.raw - range.start.raw;
}

static inline uint64_t uaddr_range_bytes(struct uaddr_range range)
{
	return range.end.raw - range.start.raw;
}

static inline uint64_t uaddr_range_pages(struct uaddr_range range)
{
	return (range.end.raw - range.start.raw) / PAGE_SIZE;
}

static inline bool uaddr_range_overlaps(struct uaddr_range a, struct uaddr_range b)
{
	return a.start.raw < b.end.raw && b.start.raw < a.end.raw;
}

static inline bool uaddr_range_contains(struct uaddr_range range, uaddr_t address)
{
	return address.raw >= range.start.raw && address.raw < range.end.raw;
}

/*
 * What a caller names as whole pages, checked in this order: ZERO_LENGTH, MISALIGNED (start or length), RANGE_WRAPS,
 * NOT_USER_ADDRESS (outside [USER_START, USER_LIMIT)), BOOTSTRAP_RANGE (touches the ring and CapSet window).
 */
static inline enum status uaddr_range_of_pages(uint64_t start, uint64_t length, struct uaddr_range *range)
{
	GUARD(length != 0, STATUS_ZERO_LENGTH);
	GUARD(u64_is_page_aligned(start) && u64_is_page_aligned(length), STATUS_MISALIGNED);
	GUARD(length <= UINT64_MAX - start, STATUS_RANGE_WRAPS);
	GUARD(start >= USER_START && start + length <= USER_LIMIT, STATUS_NOT_USER_ADDRESS);
	GUARD(start >= BOOTSTRAP_END || start + length <= BOOTSTRAP_START, STATUS_BOOTSTRAP_RANGE);
	*range = (struct uaddr_range){ { start }, { start + length } };
	return STATUS_OK;
}

/*
 * A buffer of bytes inside the user half (it may lie anywhere in it, and be empty): RANGE_WRAPS, NOT_USER_ADDRESS.
 * Whether it is mapped is for the page table to say.
 */
enum status uaddr_range_of_bytes(uint64_t start, uint64_t length, struct uaddr_range *range);

/* A length alone: ZERO_LENGTH, MISALIGNED, NOT_USER_ADDRESS if no range of that length exists. Gives pages. */
static inline enum status page_count_of_length(uint64_t length, uint64_t *pages)
{
	GUARD(length != 0, STATUS_ZERO_LENGTH);
	GUARD(u64_is_page_aligned(length), STATUS_MISALIGNED);
	GUARD(length <= USER_LIMIT - USER_START, STATUS_NOT_USER_ADDRESS);
	*pages = length / PAGE_SIZE;
	return STATUS_OK;
}

/* PROTECTION_* bits as one of NONE, R, RW, RX; all else is BAD_PROTECTION. */
static inline enum status protection_check(uint64_t protection)
{
	GUARD(protection == PROTECTION_NONE || protection == PROTECTION_READ ||
		      protection == (PROTECTION_READ | PROTECTION_WRITE) ||
		      protection == (PROTECTION_READ | PROTECTION_EXECUTE),
	      STATUS_BAD_PROTECTION);
	return STATUS_OK;
}

#endif
