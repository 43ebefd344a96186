/*
 * lib/memory_map: one entry of any base, length and kind laid over any valid map of up to MAP_ENTRIES ranges. A frame
 * that is arbitrary stands for each. As the map before is any valid one, what holds of one step holds after all.
 *
 * links: lib/memory_map.c
 * options memory_map_add_one: --unwind 6 --external-sat-solver cadical
 * options memory_map_convert_one: --unwind 6 --external-sat-solver cadical
 */
#include "lib/memory_map.h"
#include "proofs/cbmc/cbmc_support.h"

#define MAP_ENTRIES 2u

/* The kind that a frame has; MEMORY_KIND_COUNT: it lies in no range. */
static enum memory_kind kind_at(const struct memory_map *map, uint64_t frame)
{
	enum memory_kind kind = MEMORY_KIND_COUNT;

	for (uint32_t i = 0; i < map->count; i++) {
		if (frame >= frame_to_u64(map->entry[i].frames.start) && frame < frame_to_u64(map->entry[i].frames.end))
			kind = map->entry[i].kind;
	}
	return kind;
}

static void map_any(struct memory_map *map)
{
	map->dropped = 0;
	map->count = nondet_u32();
	ASSUME(map->count <= MAP_ENTRIES);
	for (uint32_t i = 0; i < MAP_ENTRIES; i++) {
		map->entry[i].frames = frame_range_make(nondet_u64(), nondet_u64());
		map->entry[i].kind = (enum memory_kind)nondet_u32();
	}
	ASSUME(memory_map_is_valid(map));
}

/*
 * The larger kind wins, frame by frame; nothing else changes. So no frame becomes usable that is not wholly inside the
 * entry, none that is restricted does, and each byte of a restricted entry has a frame of that kind or above.
 */
PROOF(memory_map_add_one)
{
	static struct memory_map map;
	const uint64_t base = nondet_u64(), length = nondet_u64(), frame = nondet_u64();
	const enum memory_kind kind = (enum memory_kind)nondet_u32();

	map_any(&map);
	ASSUME(kind < MEMORY_KIND_COUNT && frame < UINT64_C(1) << (64 - PAGE_SHIFT));

	const enum memory_kind before = kind_at(&map, frame);
	const uint64_t first = frame << PAGE_SHIFT, last = first + (PAGE_SIZE - 1);
	const bool counts = length != 0 && length - 1 <= UINT64_MAX - base;
	const uint64_t end = base + (length - 1); /* the last byte, if it counts */
	const bool touched =
		counts && (kind == MEMORY_USABLE ? first >= base && last <= end : last >= base && first <= end);

	PROVE(memory_map_add(&map, base, length, kind) == STATUS_OK);

	const enum memory_kind after = kind_at(&map, frame);

	PROVE(memory_map_is_valid(&map));
	if (!touched)
		PROVE(after == before);
	else
		PROVE(after == (before != MEMORY_KIND_COUNT && before > kind ? before : kind));
}

PROOF(memory_map_convert_one)
{
	static struct memory_map map;
	const enum memory_kind from = (enum memory_kind)nondet_u32(), to = (enum memory_kind)nondet_u32();
	const uint64_t frame = nondet_u64();

	map_any(&map);
	ASSUME(from < MEMORY_KIND_COUNT && to < MEMORY_KIND_COUNT);

	const enum memory_kind before = kind_at(&map, frame);

	memory_map_convert(&map, from, to);
	PROVE(memory_map_is_valid(&map));
	PROVE(kind_at(&map, frame) == (before == from ? to : before));
}
