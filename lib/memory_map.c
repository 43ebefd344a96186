#include "lib/memory_map.h"

#include "lib/check.h"

#define FRAMES_MAX (UINT64_C(1) << (64 - PAGE_SHIFT)) /* frames of 64-bit physical addresses */

static uint64_t start_of(const struct memory_map_entry *entry)
{
	return frame_to_u64(entry->frames.start);
}

static uint64_t end_of(const struct memory_map_entry *entry)
{
	return frame_to_u64(entry->frames.end);
}

static struct memory_map_entry entry_make(uint64_t start, uint64_t end, enum memory_kind kind)
{
	return (struct memory_map_entry){ .frames = frame_range_make(start, end), .kind = kind };
}

void memory_map_init(struct memory_map *map)
{
	map->count = 0;
	map->dropped = 0;
}

/*
 * The frames of [first byte, last byte], rounded as the kind asks; no sum here can wrap, as last is a byte's own
 * address. Empty (start >= end) if a usable range holds no whole frame.
 */
static struct memory_map_entry round_to_frames(uint64_t first, uint64_t last, enum memory_kind kind)
{
	const uint64_t mask = PAGE_SIZE - 1;

	if (kind != MEMORY_USABLE)
		return entry_make(first >> PAGE_SHIFT, (last >> PAGE_SHIFT) + 1, kind);

	const uint64_t start = (first >> PAGE_SHIFT) + ((first & mask) != 0);
	const uint64_t end = (last >> PAGE_SHIFT) + ((last & mask) == mask);
	return entry_make(start, end, kind);
}

/* Take in the ranges of the same kind that overlap or touch `add`: afterwards none but they is of its kind there. */
static void widen(const struct memory_map *map, struct memory_map_entry *add)
{
	uint64_t start = start_of(add);
	uint64_t end = end_of(add);

	for (uint32_t i = 0; i < map->count; i++) {
		const struct memory_map_entry *entry = &map->entry[i];

		if (entry->kind != add->kind || end_of(entry) < start || start_of(entry) > end)
			continue;
		if (start_of(entry) < start)
			start = start_of(entry);
		if (end_of(entry) > end)
			end = end_of(entry);
	}
	*add = entry_make(start, end, add->kind);
}

/* Whether an entry stays as it is when `add` is laid over the map: it lies outside, or is more restrictive. */
static bool entry_stays(const struct memory_map_entry *entry, const struct memory_map_entry *add)
{
	return end_of(entry) <= start_of(add) || start_of(entry) >= end_of(add) || entry->kind > add->kind;
}

/* Whether it is less restrictive and goes on on both sides of `add`: then it is the only one that `add` touches. */
static bool entry_splits(const struct memory_map_entry *entry, const struct memory_map_entry *add)
{
	return start_of(entry) < start_of(add) && end_of(entry) > end_of(add) && entry->kind < add->kind;
}

/* How many entries the map has once `add`, widened, lies over it. */
static uint32_t count_with(const struct memory_map *map, const struct memory_map_entry *add)
{
	uint64_t covered = start_of(add); /* [start of add, covered) is accounted for */
	uint32_t count = 0;

	for (uint32_t i = 0; i < map->count; i++) {
		const struct memory_map_entry *entry = &map->entry[i];

		if (!entry_stays(entry, add)) {
			count += start_of(entry) < start_of(add) ? 1u : 0u;
			count += end_of(entry) > end_of(add) ? 1u : 0u;
			continue;
		}
		count++;
		if (end_of(entry) <= start_of(add) || start_of(entry) >= end_of(add))
			continue;
		count += start_of(entry) > covered ? 1u : 0u;
		covered = end_of(entry);
	}
	return count + (covered < end_of(add) ? 1u : 0u);
}

/* Cut what does not stay out of the frames of `add`, but for an entry that is split: no entry becomes two here. */
static void carve(struct memory_map *map, const struct memory_map_entry *add)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < map->count; i++) {
		const struct memory_map_entry old = map->entry[i];

		if (entry_stays(&old, add) || entry_splits(&old, add))
			map->entry[kept++] = old;
		else if (start_of(&old) < start_of(add))
			map->entry[kept++] = entry_make(start_of(&old), start_of(add), old.kind);
		else if (end_of(&old) > end_of(add))
			map->entry[kept++] = entry_make(end_of(add), end_of(&old), old.kind);
	}
	map->count = kept;
}

/* Fill the gaps within the frames of `add`, from the end on: each entry moves up by as many as go in below it. */
static void fill(struct memory_map *map, const struct memory_map_entry *add, uint32_t count)
{
	uint64_t open = end_of(add); /* of the frames of `add`, those from here on are accounted for */
	uint32_t to = count;

	for (uint32_t i = map->count; i-- > 0;) {
		struct memory_map_entry old = map->entry[i];

		if (entry_splits(&old, add)) {
			map->entry[--to] = entry_make(end_of(add), end_of(&old), old.kind);
			old = entry_make(start_of(&old), start_of(add), old.kind);
		}

		const uint64_t gap = end_of(&old) > start_of(add) ? end_of(&old) : start_of(add);

		if (gap < open)
			map->entry[--to] = entry_make(gap, open, add->kind);
		if (start_of(&old) < open)
			open = start_of(&old);
		map->entry[--to] = old;
	}
	if (start_of(add) < open)
		map->entry[--to] = entry_make(start_of(add), open, add->kind);
	ASSERT(to == 0);
	map->count = count;
}

/* Whole frames over the map. From here on frame numbers are compared and never computed with. */
static enum status lay_over(struct memory_map *map, struct memory_map_entry add)
{
	widen(map, &add);

	const uint32_t count = count_with(map, &add);

	GUARD(count <= MEMORY_MAP_MAX, STATUS_MEMORY_MAP_TOO_LONG);
	carve(map, &add);
	fill(map, &add, count);
	return STATUS_OK;
}

enum status memory_map_add(struct memory_map *map, uint64_t base, uint64_t length, enum memory_kind kind)
{
	ASSERT(memory_map_is_valid(map));
	ASSERT(kind < MEMORY_KIND_COUNT);

	/* A range that ends exactly at 2^64 does not wrap: its last byte has an address. */
	if (length == 0 || length - 1 > UINT64_MAX - base) {
		map->dropped++;
		return STATUS_OK;
	}

	const struct memory_map_entry add = round_to_frames(base, base + (length - 1), kind);

	if (start_of(&add) >= end_of(&add))
		return STATUS_OK;
	TRY(lay_over(map, add));
	ASSERT(memory_map_is_valid(map));
	return STATUS_OK;
}

uint64_t memory_map_frames(const struct memory_map *map, enum memory_kind kind)
{
	uint64_t frames = 0;

	for (uint32_t i = 0; i < map->count; i++) {
		if (map->entry[i].kind == kind)
			frames += frame_range_count(map->entry[i].frames);
	}
	return frames;
}

static bool is_ram(enum memory_kind kind)
{
	return kind != MEMORY_RESERVED && kind != MEMORY_BAD && kind != MEMORY_FRAMEBUFFER;
}

uint64_t memory_map_end_of_ram(const struct memory_map *map)
{
	uint64_t end = 0;

	for (uint32_t i = 0; i < map->count; i++)
		if (is_ram(map->entry[i].kind))
			end = end_of(&map->entry[i]);
	return end;
}

bool memory_map_has_ram(const struct memory_map *map, struct frame_range frames)
{
	for (uint32_t i = 0; i < map->count; i++) {
		const struct memory_map_entry *entry = &map->entry[i];

		if (is_ram(entry->kind) && start_of(entry) < frame_to_u64(frames.end) &&
		    frame_to_u64(frames.start) < end_of(entry))
			return true;
	}
	return false;
}

enum status memory_map_check_usable(const struct memory_map *map)
{
	GUARD(memory_map_frames(map, MEMORY_USABLE) != 0, STATUS_MEMORY_MAP_EMPTY);
	return STATUS_OK;
}

void memory_map_convert(struct memory_map *map, enum memory_kind from, enum memory_kind to)
{
	uint32_t kept = 0;

	ASSERT(memory_map_is_valid(map));
	for (uint32_t i = 0; i < map->count; i++) {
		const uint64_t start = start_of(&map->entry[i]);
		const uint64_t end = end_of(&map->entry[i]);
		const enum memory_kind kind = map->entry[i].kind == from ? to : map->entry[i].kind;
		struct memory_map_entry *last = kept == 0 ? 0 : &map->entry[kept - 1];

		if (last != 0 && last->kind == kind && end_of(last) == start)
			*last = entry_make(start_of(last), end, kind);
		else
			map->entry[kept++] = entry_make(start, end, kind);
	}
	map->count = kept;
	ASSERT(memory_map_is_valid(map));
}

const char *memory_kind_name(enum memory_kind kind)
{
	switch (kind) {
	case MEMORY_USABLE:
		return "usable";
	case MEMORY_LOADER_RECLAIMABLE:
		return "loader reclaimable";
	case MEMORY_ACPI_RECLAIMABLE:
		return "ACPI reclaimable";
	case MEMORY_BOOT_PACKAGE:
		return "boot package";
	case MEMORY_KERNEL_IMAGE:
		return "kernel image";
	case MEMORY_FRAMEBUFFER:
		return "framebuffer";
	case MEMORY_ACPI_NVS:
		return "ACPI NVS";
	case MEMORY_RESERVED:
		return "reserved";
	case MEMORY_BAD:
		return "bad";
	case MEMORY_KIND_COUNT:
		break;
	}
	return "unknown kind";
}

bool memory_map_is_valid(const struct memory_map *map)
{
	if (map->count > MEMORY_MAP_MAX)
		return false;
	for (uint32_t i = 0; i < map->count; i++) {
		const struct memory_map_entry *entry = &map->entry[i];
		const struct memory_map_entry *before = i == 0 ? 0 : &map->entry[i - 1];

		if (start_of(entry) >= end_of(entry) || end_of(entry) > FRAMES_MAX || entry->kind >= MEMORY_KIND_COUNT)
			return false;
		if (before != 0 && end_of(before) > start_of(entry))
			return false;
		if (before != 0 && end_of(before) == start_of(entry) && before->kind == entry->kind)
			return false;
	}
	return true;
}
