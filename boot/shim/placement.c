#include "boot/shim/placement.h"

#include <stdbool.h>

#include "boot/shim/report.h"

void placement_init(struct placement *placement, struct memory_map *handed_over)
{
	placement->handed_over = handed_over;
	placement->busy = *handed_over;
}

static void mark(struct memory_map *map, uint64_t base, uint64_t bytes, enum memory_kind kind)
{
	if (memory_map_add(map, base, bytes, kind) != STATUS_OK)
		report_refuse("the memory map has too many entries");
}

void placement_avoid(struct placement *placement, struct byte_span span)
{
	mark(&placement->busy, (uintptr_t)span.bytes, span.size, MEMORY_BOOT_PACKAGE);
}

/* The highest fitting start in [start, end), in frames. */
static bool fit(uint64_t start, uint64_t end, const struct placement_wish *wish, uint64_t *place)
{
	if (end <= start || wish->frames > end - start)
		return false;
	uint64_t at = (end - wish->frames) & ~(wish->alignment - 1);
	if (wish->alignment == 1 && (at & 1) == 0) {
		if (at == 0)
			return false;
		at--;
	}
	*place = at;
	return at >= start;
}

uint64_t placement_take(struct placement *placement, struct placement_wish wish)
{
	const struct memory_map *busy = &placement->busy;
	uint64_t below = wish.below >> PAGE_SHIFT;
	for (uint32_t i = busy->count; i-- > 0;) {
		const struct memory_map_entry *entry = &busy->entry[i];
		uint64_t start = frame_to_u64(entry->frames.start);
		uint64_t end = frame_to_u64(entry->frames.end);
		uint64_t place;
		if (entry->kind != MEMORY_USABLE || !fit(start, end < below ? end : below, &wish, &place))
			continue;
		mark(&placement->busy, place << PAGE_SHIFT, wish.frames << PAGE_SHIFT, wish.kind);
		mark(placement->handed_over, place << PAGE_SHIFT, wish.frames << PAGE_SHIFT, wish.kind);
		return place << PAGE_SHIFT;
	}
	report_refuse("too little memory");
}

void placement_fill(void *memory, uint64_t bytes)
{
	uint64_t words = bytes / sizeof(uint64_t);
	__asm__ volatile("rep stosq" : "+D"(memory), "+c"(words) : "a"(PLACEMENT_PATTERN) : "memory");
}
