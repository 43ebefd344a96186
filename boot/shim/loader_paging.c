#include "boot/shim/loader_paging.h"

#include "boot/shim/report.h"
#include "lib/check.h"
#include "lib/string.h"

#define ENTRY_PRESENT UINT64_C(1)
#define ENTRY_LARGE (UINT64_C(1) << 7)
#define ENTRY_ADDRESS UINT64_C(0x000ffffffffff000)
#define ENTRIES 512u
#define TOP_LEVEL 3u
#define LARGE_LEVEL 1u
#define LARGE_BYTES (UINT64_C(1) << 21)

/* The loader's root, in shim_entry.S. */
extern uint64_t shim_root[ENTRIES];

static bool is_in_direct_map(enum memory_kind kind)
{
	return kind == MEMORY_USABLE || kind == MEMORY_LOADER_RECLAIMABLE || kind == MEMORY_KERNEL_IMAGE;
}

/* A range touches at most so many tables: full ones, and one at each end, per level. */
static uint64_t tables_of_range(uint64_t bytes)
{
	return (bytes >> 30) + (bytes >> 39) + 6;
}

uint64_t loader_paging_frames(const struct memory_map *map, uint64_t image_bytes)
{
	uint64_t frames = 1 + (image_bytes >> 21) + 6;
	for (uint32_t i = 0; i < map->count; i++) {
		if (is_in_direct_map(map->entry[i].kind))
			frames += tables_of_range(frame_range_count(map->entry[i].frames) << PAGE_SHIFT);
	}
	/* Taking the pool itself splits one range in three. */
	return frames + 2 * tables_of_range(0);
}

static uint64_t *table_at(uint64_t physical)
{
	return (uint64_t *)(uintptr_t)physical;
}

static uint64_t take_table(struct loader_paging *paging)
{
	if (paging->next == paging->end)
		report_refuse("out of page tables");
	uint64_t table = paging->next;
	paging->next += PAGE_SIZE;
	memset(table_at(table), 0, PAGE_SIZE);
	return table;
}

void loader_paging_init(struct loader_paging *paging, uint64_t pool, uint64_t frames)
{
	paging->next = pool;
	paging->end = pool + (frames << PAGE_SHIFT);
	paging->root = take_table(paging);
}

static uint32_t index_at(uint64_t virtual, uint32_t level)
{
	return (uint32_t)(virtual >> (PAGE_SHIFT + 9 * level)) & (ENTRIES - 1);
}

static bool large_fits(const struct loader_mapping *mapping)
{
	return mapping->large && mapping->bytes >= LARGE_BYTES &&
	       ((mapping->virtual | mapping->physical) & (LARGE_BYTES - 1)) == 0;
}

static void map_one(struct loader_paging *paging, const struct loader_mapping *mapping, uint32_t leaf_level)
{
	uint64_t *table = table_at(paging->root);
	for (uint32_t level = TOP_LEVEL; level > leaf_level; level--) {
		uint64_t *entry = &table[index_at(mapping->virtual, level)];
		if ((*entry & ENTRY_PRESENT) == 0)
			*entry = take_table(paging) | ENTRY_PRESENT | LOADER_PAGING_WRITE;
		table = table_at(*entry & ENTRY_ADDRESS);
	}
	uint64_t leaf = mapping->physical | mapping->flags | ENTRY_PRESENT;
	table[index_at(mapping->virtual, leaf_level)] = leaf_level == LARGE_LEVEL ? leaf | ENTRY_LARGE : leaf;
}

void loader_paging_map(struct loader_paging *paging, struct loader_mapping mapping)
{
	while (mapping.bytes > 0) {
		bool large = large_fits(&mapping);
		uint64_t step = large ? LARGE_BYTES : PAGE_SIZE;
		map_one(paging, &mapping, large ? LARGE_LEVEL : 0);
		mapping.virtual += step;
		mapping.physical += step;
		mapping.bytes -= step;
	}
}

void loader_paging_map_memory(struct loader_paging *paging, const struct memory_map *map, uint64_t direct_map)
{
	for (uint32_t i = 0; i < map->count; i++) {
		if (!is_in_direct_map(map->entry[i].kind))
			continue;
		uint64_t start = paddr_to_u64(paddr_from_frame(map->entry[i].frames.start));
		loader_paging_map(paging, (struct loader_mapping){
						  .virtual = direct_map + start,
						  .physical = start,
						  .bytes = frame_range_count(map->entry[i].frames) << PAGE_SHIFT,
						  .flags = LOADER_PAGING_WRITE,
						  .large = true,
					  });
	}
}

void loader_paging_share(const struct loader_paging *paging)
{
	for (uint32_t i = ENTRIES / 2; i < ENTRIES; i++)
		shim_root[i] = table_at(paging->root)[i];
}
