#include "kernel/mem/boot_memory.h"

#include "kernel/mem/shortage.h"
#include "lib/check.h"

static struct memory_map map_now;
static uint64_t limit_frame;

void boot_memory_init(const struct memory_map *map, uint64_t limit)
{
	map_now = *map;
	limit_frame = limit >> PAGE_SHIFT;
}

void boot_memory_raise_limit(void)
{
	limit_frame = UINT64_MAX;
}

static enum status take_as(enum memory_kind kind, uint64_t pages, paddr_t *address)
{
	GUARD(!shortage_strikes(SHORTAGE_BOOT), STATUS_OUT_OF_MEMORY);
	for (uint32_t i = map_now.count; i-- > 0;) {
		const struct memory_map_entry *entry = &map_now.entry[i];
		uint64_t start = frame_to_u64(entry->frames.start);
		uint64_t end = frame_to_u64(entry->frames.end);

		if (end > limit_frame)
			end = limit_frame;
		if (entry->kind != MEMORY_USABLE || end <= start || end - start < pages || end - pages == 0)
			continue;
		*address = paddr_from_frame(frame_from_u64(end - pages));
		return memory_map_add(&map_now, paddr_to_u64(*address), pages << PAGE_SHIFT, kind);
	}
	return STATUS_OUT_OF_MEMORY;
}

enum status boot_memory_take(uint64_t pages, paddr_t *address)
{
	return take_as(MEMORY_KERNEL_IMAGE, pages, address);
}

enum status boot_memory_borrow(uint64_t pages, paddr_t *address)
{
	return take_as(MEMORY_LOADER_RECLAIMABLE, pages, address);
}

/* The kind that restricts more wins. */
void boot_memory_keep(paddr_t address, uint64_t pages)
{
	CHECK(memory_map_add(&map_now, paddr_to_u64(address), pages << PAGE_SHIFT, MEMORY_KERNEL_IMAGE) == STATUS_OK);
}

const struct memory_map *boot_memory_map(void)
{
	return &map_now;
}

void boot_memory_reclaim(void)
{
	memory_map_convert(&map_now, MEMORY_LOADER_RECLAIMABLE, MEMORY_USABLE);
}
