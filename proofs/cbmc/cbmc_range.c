/*
 * lib/range and lib/address: for every pair of 64-bit numbers (no loops, so no bound).
 *
 * links: lib/range.c
 */
#include "lib/range.h"
#include "proofs/cbmc/cbmc_support.h"

/* What is accepted is whole pages of the user half, clear of the window, and exactly what was named. */
PROOF(range_of_pages)
{
	const uint64_t start = nondet_u64(), length = nondet_u64(), byte = nondet_u64();
	struct uaddr_range range;
	const enum status status = uaddr_range_of_pages(start, length, &range);
	const bool wraps = length > UINT64_MAX - start;

	if (status != STATUS_OK) {
		PROVE(length == 0 || start % PAGE_SIZE != 0 || length % PAGE_SIZE != 0 || wraps || start < USER_START ||
		      start + length > USER_LIMIT || (start < BOOTSTRAP_END && start + length > BOOTSTRAP_START));
		return;
	}
	PROVE(range.start.raw == start && range.end.raw == start + length && !wraps && length != 0);
	PROVE(start % PAGE_SIZE == 0 && length % PAGE_SIZE == 0);
	PROVE(uaddr_range_bytes(range) == length && uaddr_range_pages(range) == length / PAGE_SIZE);
	ASSUME(uaddr_range_contains(range, uaddr_from_u64(byte)));
	PROVE(byte >= USER_START && byte < USER_LIMIT && (byte < BOOTSTRAP_START || byte >= BOOTSTRAP_END));
	PROVE(byte - start < length);
}

PROOF(range_of_bytes)
{
	const uint64_t start = nondet_u64(), length = nondet_u64(), byte = nondet_u64();
	struct uaddr_range range;

	if (uaddr_range_of_bytes(start, length, &range) != STATUS_OK) {
		PROVE(length > UINT64_MAX - start || start >= USER_LIMIT || start + length > USER_LIMIT);
		return;
	}
	PROVE(range.start.raw == start && range.end.raw == start + length && length <= UINT64_MAX - start);
	ASSUME(uaddr_range_contains(range, uaddr_from_u64(byte)));
	PROVE(byte < USER_LIMIT && byte - start < length);
}

/* Two ranges overlap exactly if some byte is in both. */
PROOF(range_overlap)
{
	const struct uaddr_range a = { { nondet_u64() }, { nondet_u64() } };
	const struct uaddr_range b = { { nondet_u64() }, { nondet_u64() } };
	const uaddr_t byte = uaddr_from_u64(nondet_u64());
	const uaddr_t later = a.start.raw > b.start.raw ? a.start : b.start;

	ASSUME(a.start.raw < a.end.raw && b.start.raw < b.end.raw);
	if (uaddr_range_contains(a, byte) && uaddr_range_contains(b, byte))
		PROVE(uaddr_range_overlaps(a, b));
	if (uaddr_range_overlaps(a, b))
		PROVE(uaddr_range_contains(a, later) && uaddr_range_contains(b, later));
	PROVE(uaddr_range_overlaps(a, b) == uaddr_range_overlaps(b, a));
}

PROOF(range_length)
{
	const uint64_t length = nondet_u64();
	uint64_t pages;

	if (page_count_of_length(length, &pages) != STATUS_OK) {
		PROVE(length == 0 || length % PAGE_SIZE != 0 || length > USER_LIMIT - USER_START);
		return;
	}
	PROVE(pages != 0 && pages * PAGE_SIZE == length && pages <= (USER_LIMIT - USER_START) / PAGE_SIZE);
}

/* Four of the 2^64 are accepted; none is both writable and executable. */
PROOF(range_protection)
{
	const uint64_t protection = nondet_u64();
	const bool ok = protection_check(protection) == STATUS_OK;

	PROVE(ok == (protection == 0 || protection == 1 || protection == 3 || protection == 5));
}

PROOF(range_frames)
{
	const uint64_t raw = nondet_u64(), more = nondet_u64();
	const frame_t frame = frame_from_paddr(paddr_from_u64(raw));

	PROVE(frame_to_u64(frame) == raw / PAGE_SIZE);
	PROVE(paddr_to_u64(paddr_from_frame(frame)) == raw - raw % PAGE_SIZE);
	PROVE(frame_equal(frame_from_paddr(paddr_from_frame(frame)), frame));
	ASSUME(more <= UINT64_MAX - frame_to_u64(frame));
	PROVE(frame_range_count(frame_range_make(frame_to_u64(frame), frame_to_u64(frame_plus(frame, more)))) == more);
}
