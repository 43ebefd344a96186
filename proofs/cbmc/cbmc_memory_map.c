/*
 * lib/memory_map: what a loader says of an empty map, for every pair of 64-bit numbers; then whole frames laid over any
 * valid map of up to MAP_ENTRIES ranges; then the conversion of a kind. A frame that is arbitrary stands for each. The
 * file is included for its steps.
 *
 * Laying over compares frame numbers and never computes with them. At most 9 different ones occur: those of 3 ranges,
 * of the one that is added, and the frame that is looked at. So numbers below NUMBERS stand for all.
 *
 * options memory_map_first: --unwind 3 -DMEMORY_MAP_MAX=2u
 * options memory_map_lay_over: --unwind 6 -DMEMORY_MAP_MAX=5u --external-sat-solver cadical
 * options memory_map_convert_one: --unwind 5 -DMEMORY_MAP_MAX=4u
 */
#include "lib/memory_map.c"

#include "proofs/cbmc/cbmc_support.h"

#define MAP_ENTRIES 3u
#define NUMBERS 16u

static struct memory_map map;

/* The kind that a frame has; MEMORY_KIND_COUNT: it lies in no range. */
static enum memory_kind kind_at(uint64_t frame)
{
	enum memory_kind kind = MEMORY_KIND_COUNT;

	for (uint32_t i = 0; i < map.count; i++) {
		if (frame >= start_of(&map.entry[i]) && frame < end_of(&map.entry[i]))
			kind = map.entry[i].kind;
	}
	return kind;
}

static enum memory_kind any_kind(void)
{
	const uint32_t kind = nondet_u32();

	ASSUME(kind < MEMORY_KIND_COUNT);
	return (enum memory_kind)kind;
}

static void map_any(uint64_t numbers)
{
	map.dropped = 0;
	map.count = nondet_u32();
	ASSUME(map.count <= MAP_ENTRIES);
	for (uint32_t i = 0; i < MAP_ENTRIES; i++) {
		map.entry[i] = entry_make(nondet_u64(), nondet_u64(), any_kind());
		ASSUME(end_of(&map.entry[i]) < numbers);
	}
	ASSUME(memory_map_is_valid(&map));
}

/* No byte is usable that was not said to be; no byte of another kind is left out. Wrapping entries are dropped. */
PROOF(memory_map_first)
{
	const enum memory_kind kind = any_kind();
	const uint64_t base = nondet_u64(), length = nondet_u64(), frame = nondet_u64();
	const bool is_good = length != 0 && length - 1 <= UINT64_MAX - base;
	const uint64_t last = base + (length - 1);

	ASSUME(frame < FRAMES_MAX);
	memory_map_init(&map);
	PROVE(memory_map_add(&map, base, length, kind) == STATUS_OK);

	const uint64_t first_byte = frame * PAGE_SIZE, last_byte = first_byte + (PAGE_SIZE - 1);
	const bool is_whole = first_byte >= base && last_byte <= last;
	const bool is_touched = last_byte >= base && first_byte <= last;

	PROVE(memory_map_is_valid(&map) && map.dropped == !is_good);
	PROVE(kind_at(frame) ==
	      (is_good && (kind == MEMORY_USABLE ? is_whole : is_touched) ? kind : MEMORY_KIND_COUNT));
}

/* Frame by frame: the more restrictive kind wins; refused, the map is as it was. */
PROOF(memory_map_lay_over)
{
	const struct memory_map_entry add = entry_make(nondet_u8(), nondet_u8(), any_kind());
	const uint64_t frame = nondet_u8();

	map_any(NUMBERS);
	ASSUME(start_of(&add) < end_of(&add) && end_of(&add) < NUMBERS && frame < NUMBERS);

	const enum memory_kind before = kind_at(frame);
	const bool is_in = frame >= start_of(&add) && frame < end_of(&add);
	const enum memory_kind laid = is_in && (before == MEMORY_KIND_COUNT || before < add.kind) ? add.kind : before;
	const enum status status = lay_over(&map, add);

	PROVE(status == STATUS_OK || status == STATUS_MEMORY_MAP_TOO_LONG);
	PROVE(memory_map_is_valid(&map));
	PROVE(kind_at(frame) == (status == STATUS_OK ? laid : before));
}

/* Frame by frame: those of the one kind are of the other, the rest is as it was. */
PROOF(memory_map_convert_one)
{
	const enum memory_kind from = any_kind(), to = any_kind();
	const uint64_t frame = nondet_u64();

	map_any(UINT64_MAX);

	const enum memory_kind before = kind_at(frame);

	memory_map_convert(&map, from, to);
	PROVE(memory_map_is_valid(&map));
	PROVE(kind_at(frame) == (before == from ? to : before));
}
