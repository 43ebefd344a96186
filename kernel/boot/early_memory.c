#include "kernel/boot/early_memory.h"

#include "lib/check.h"
#include "lib/string.h"

static uint64_t early_base;
static uint64_t early_limit;
static const struct memory_map *early_map;

void early_memory_set(uint64_t base, uint64_t limit, const struct memory_map *map)
{
	early_base = base;
	early_limit = limit;
	early_map = map;
}

bool early_memory_is_ram(const struct memory_map *map, paddr_t address, uint64_t bytes)
{
	if (bytes - 1 > UINT64_MAX - paddr_to_u64(address))
		return false;

	/* The map is sorted: one pass carries `next`, the first frame not seen to be RAM, to the end. */
	uint64_t next = frame_to_u64(frame_from_paddr(address));
	const uint64_t last = frame_to_u64(frame_from_paddr(paddr_from_u64(paddr_to_u64(address) + (bytes - 1))));

	for (uint32_t i = 0; i < map->count && next <= last; i++) {
		const struct memory_map_entry *entry = &map->entry[i];

		if (entry->kind > MEMORY_LOADER_RECLAIMABLE || next < frame_to_u64(entry->frames.start))
			continue;
		if (next < frame_to_u64(entry->frames.end))
			next = frame_to_u64(entry->frames.end);
	}
	return next > last;
}

enum status early_memory_copy(void *to, paddr_t from, uint64_t bytes)
{
	const uint64_t address = paddr_to_u64(from);

	GUARD(bytes <= early_limit && address <= early_limit - bytes, STATUS_BAD_ARGUMENT);
	GUARD(address <= UINT64_MAX - early_base && bytes <= UINT64_MAX - early_base - address, STATUS_BAD_ARGUMENT);
	GUARD(early_map == 0 || bytes == 0 || early_memory_is_ram(early_map, from, bytes), STATUS_BAD_ARGUMENT);
	memcpy(to, (const void *)(uintptr_t)(early_base + address), bytes);
	return STATUS_OK;
}

enum status early_memory_copy_string(char *to, uint64_t size, paddr_t from)
{
	to[0] = '\0';
	for (uint64_t i = 0; i < size; i++) {
		char letter;
		enum status status = early_memory_copy(&letter, paddr_from_u64(paddr_to_u64(from) + i), 1);

		to[i] = status == STATUS_OK ? letter : '\0';
		if (to[i] == '\0')
			return status;
	}
	to[size - 1] = '\0';
	return STATUS_TOO_LONG;
}
