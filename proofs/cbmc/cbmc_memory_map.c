/*
 * lib/memory_map: the conversion of one kind into another, of any valid map of up to MAP_ENTRIES ranges. A frame that
 * is arbitrary stands for each.
 *
 * links: lib/memory_map.c
 * options memory_map_convert_one: --unwind 5 -DMEMORY_MAP_MAX=4u
 */
#include "lib/memory_map.h"
#include "proofs/cbmc/cbmc_support.h"

#define MAP_ENTRIES 3u

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

/* Frame by frame: those of the one kind are of the other, the rest is as it was. */
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
