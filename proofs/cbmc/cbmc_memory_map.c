/*
 * lib/memory_map: any valid map of up to MAP_ENTRIES ranges, any entry of a loader. A frame that is arbitrary stands
 * for each. The file is included for its steps, which are proved one by one.
 */
#include "lib/memory_map.c"

#include "proofs/cbmc/cbmc_support.h"

#define MAP_ENTRIES 3u
#define NUMBERS 16u

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

static void map_any(struct memory_map *map, uint32_t entries)
{
	map->dropped = 0;
	map->count = nondet_u32();
	ASSUME(map->count <= entries);
	for (uint32_t i = 0; i < entries; i++) {
		map->entry[i].frames = frame_range_make(nondet_u64(), nondet_u64());
		map->entry[i].kind = (enum memory_kind)nondet_u32();
	}
	ASSUME(memory_map_is_valid(map));
}

PROOF(memory_map_lay_over)
{
	static struct memory_map map;
	const struct memory_map_entry add = entry_make(nondet_u8(), nondet_u8(), (enum memory_kind)nondet_u8());
	const uint64_t frame = nondet_u8();

	map_any(&map, MAP_ENTRIES);
	for (uint32_t i = 0; i < MAP_ENTRIES; i++)
		ASSUME(end_of(&map.entry[i]) < NUMBERS);
	ASSUME(add.kind < MEMORY_KIND_COUNT && start_of(&add) < end_of(&add) && end_of(&add) < NUMBERS && frame < NUMBERS);

	const enum memory_kind before = kind_at(&map, frame);
	const bool is_in = frame >= start_of(&add) && frame < end_of(&add);
	const enum memory_kind laid = is_in && (before == MEMORY_KIND_COUNT || before < add.kind) ? add.kind : before;
	const enum status status = lay_over(&map, add);

	PROVE(status == STATUS_OK || status == STATUS_MEMORY_MAP_TOO_LONG);
	PROVE(memory_map_is_valid(&map));
	PROVE(kind_at(&map, frame) == (status == STATUS_OK ? laid : before));
}
