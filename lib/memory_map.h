/*
 * What a loader says about physical memory, made trustworthy.
 *
 * Input: entries in any order, overlapping, wrapping, unaligned, zero-length. Output, the promise of a valid map: at
 * most MEMORY_MAP_MAX ranges of whole frames, sorted, disjoint, neighbours of one kind joined; USABLE ranges are
 * rounded inwards and all others outwards; where inputs overlap the more restrictive kind wins (order of enum
 * memory_kind: the larger number wins). No frame is usable that was not wholly inside a usable input entry.
 */
#ifndef CAPOS_LIB_MEMORY_MAP_H
#define CAPOS_LIB_MEMORY_MAP_H

#include <stdbool.h>
#include <stdint.h>

#include "abi/status.h"
#include "lib/range.h"

/* From least to most restrictive. */
enum memory_kind {
	MEMORY_USABLE = 0,
	MEMORY_LOADER_RECLAIMABLE = 1, /* loader's structures: usable once they have been copied */
	MEMORY_ACPI_RECLAIMABLE = 2,
	MEMORY_BOOT_PACKAGE = 3, /* the one module */
	MEMORY_KERNEL_IMAGE = 4,
	MEMORY_FRAMEBUFFER = 5,
	MEMORY_ACPI_NVS = 6,
	MEMORY_RESERVED = 7,
	MEMORY_BAD = 8,
	MEMORY_KIND_COUNT
};

#ifndef MEMORY_MAP_MAX /* a bounded proof has a smaller one */
#define MEMORY_MAP_MAX 256u
#endif

struct memory_map_entry {
	struct frame_range frames;
	enum memory_kind kind;
};

struct memory_map {
	uint32_t count;
	uint32_t dropped; /* input entries that were empty or wrapped */
	struct memory_map_entry entry[MEMORY_MAP_MAX];
};

void memory_map_init(struct memory_map *map);

/*
 * Add one loader entry: [base, base + length) in bytes. Zero-length and wrapping entries are counted in `dropped` and
 * are no error. MEMORY_MAP_TOO_LONG when the result would not fit; the map is then unchanged.
 */
enum status memory_map_add(struct memory_map *map, uint64_t base, uint64_t length, enum memory_kind kind);

/* Frames of a kind, in all. */
uint64_t memory_map_frames(const struct memory_map *map, enum memory_kind kind);

/* One past the highest frame of any RAM kind (all but FRAMEBUFFER, RESERVED and BAD). 0 if there is none. */
uint64_t memory_map_end_of_ram(const struct memory_map *map);

/* Whether some frame of the range, which is not empty, is of a RAM kind. */
bool memory_map_has_ram(const struct memory_map *map, struct frame_range frames);

/* MEMORY_MAP_EMPTY if no frame is usable. */
enum status memory_map_check_usable(const struct memory_map *map);

/* Turn all ranges of one kind into another (loader-reclaimable into usable, say), and join neighbours. */
void memory_map_convert(struct memory_map *map, enum memory_kind from, enum memory_kind to);

const char *memory_kind_name(enum memory_kind kind);

bool memory_map_is_valid(const struct memory_map *map);

#endif
