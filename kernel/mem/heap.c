#include "kernel/mem/heap.h"

#include "kernel/arch/x86_64/spinlock.h"
#include "kernel/mem/frame.h"
#include "kernel/mem/shortage.h"
#include "lib/check.h"
#include "lib/string.h"

#define CLASSES 7u /* 32, 64 ... 2048 bytes a cell */
#define SMALLEST_CELL 32u
#define SLAB_MAGIC UINT32_C(0x42414c53)
#define NO_CELL UINT16_MAX

#ifdef CAPOS_DEBUG
#define REDZONE 16u
#else
#define REDZONE 0u
#endif
#define REDZONE_BYTE 0xa5
#define POISON_BYTE 0xdb

/* At the start of each slab's frame. Cells follow, from SLAB_HEADER on. */
struct slab {
	struct slab *next, *previous; /* among the slabs of the class with a free cell; or both NULL */
	uint32_t magic;
	uint16_t class_index;
	uint16_t used;       /* cells handed out */
	uint16_t first_free; /* cell number, or NO_CELL */
	uint16_t cells;
	uint16_t begun; /* cells below it have been handed out before; the others are free and not in the list */
	uint16_t unused;
	uint64_t handed_out[2]; /* bit per cell, so that a second free is seen */
};

#define SLAB_HEADER 64u
_Static_assert(sizeof(struct slab) <= SLAB_HEADER, "cells start at a fixed, aligned place");
_Static_assert((PAGE_SIZE - SLAB_HEADER) / SMALLEST_CELL <= 128, "handed_out has a bit for each cell");

static struct spinlock heap_lock = SPINLOCK_INIT(LOCK_HEAP);
static struct slab *partial[CLASSES];          /* heap_lock */
static struct heap_statistics heap_statistics; /* heap_lock */

static uint32_t cell_bytes(uint32_t class_index)
{
	return SMALLEST_CELL << class_index;
}

static uint32_t class_of(uint64_t bytes)
{
	uint32_t class_index = 0;

	while (cell_bytes(class_index) < bytes + REDZONE + REDZONE)
		class_index++;
	return class_index;
}

static uint8_t *cell_of(const struct slab *slab, uint32_t number)
{
	return (uint8_t *)(uintptr_t)slab + SLAB_HEADER + (uint64_t)number * cell_bytes(slab->class_index);
}

static void list_add(struct slab *slab)
{
	slab->previous = NULL;
	slab->next = partial[slab->class_index];
	if (slab->next != NULL)
		slab->next->previous = slab;
	partial[slab->class_index] = slab;
}

static void list_remove(struct slab *slab)
{
	if (slab->previous != NULL)
		slab->previous->next = slab->next;
	else
		partial[slab->class_index] = slab->next;
	if (slab->next != NULL)
		slab->next->previous = slab->previous;
	slab->next = slab->previous = NULL;
}

/* The link to the next free cell stands in the cell's first two bytes; the rest is poison in debug builds. */
static uint16_t next_free_of(const uint8_t *cell)
{
	return (uint16_t)(cell[0] | cell[1] << 8);
}

static void set_free(struct slab *slab, uint32_t number)
{
	uint8_t *cell = cell_of(slab, number);

#ifdef CAPOS_DEBUG
	memset(cell, POISON_BYTE, cell_bytes(slab->class_index));
#endif
	cell[0] = (uint8_t)slab->first_free;
	cell[1] = (uint8_t)(slab->first_free >> 8);
	slab->first_free = (uint16_t)number;
}

static bool bytes_are(const uint8_t *bytes, uint64_t count, uint8_t value)
{
	for (uint64_t i = 0; i < count; i++)
		if (bytes[i] != value)
			return false;
	return true;
}

/* Whether nobody wrote to a free cell; release builds do not poison. */
static bool poison_holds(const uint8_t *cell, uint32_t size)
{
#ifdef CAPOS_DEBUG
	return bytes_are(cell + 2, size - 2, POISON_BYTE);
#else
	(void)cell;
	(void)size;
	return true;
#endif
}

static enum status slab_create(uint32_t class_index)
{
	struct slab *slab;
	frame_t frame;

	TRY(frame_allocate(FRAME_HEAP, NULL, &frame));
	slab = direct_map_of_frame(frame);
	*slab = (struct slab){ .magic = SLAB_MAGIC, .class_index = (uint16_t)class_index, .first_free = NO_CELL };
	slab->cells = (uint16_t)((PAGE_SIZE - SLAB_HEADER) / cell_bytes(class_index));
#ifdef CAPOS_DEBUG
	memset((uint8_t *)slab + SLAB_HEADER, POISON_BYTE, PAGE_SIZE - SLAB_HEADER);
#endif
	list_add(slab);
	heap_statistics.frames++;
	return STATUS_OK;
}

/* Redzones around the caller's part of a cell. */
static void mark_redzones(uint8_t *cell, uint64_t bytes, uint32_t cell_size)
{
	memset(cell, REDZONE_BYTE, REDZONE);
	if (REDZONE != 0)
		memset(cell + REDZONE + bytes, REDZONE_BYTE, cell_size - REDZONE - bytes);
}

static bool redzones_hold(const uint8_t *cell, uint64_t bytes, uint32_t cell_size)
{
	return REDZONE == 0 || (bytes_are(cell, REDZONE, REDZONE_BYTE) &&
				bytes_are(cell + REDZONE + bytes, cell_size - REDZONE - bytes, REDZONE_BYTE));
}

/* A free cell, which is in nobody's list any more. */
static uint32_t take_cell(struct slab *slab)
{
	uint32_t number = slab->first_free;

	if (number == NO_CELL)
		return slab->begun++;
	CHECK(number < slab->begun);
	slab->first_free = next_free_of(cell_of(slab, number));
	return number;
}

static enum status allocate_locked(uint64_t bytes, void **block)
{
	uint32_t class_index = class_of(bytes);
	uint32_t size = cell_bytes(class_index);
	struct slab *slab;
	uint32_t number;
	uint8_t *cell;

	if (partial[class_index] == NULL)
		TRY(slab_create(class_index));
	slab = partial[class_index];
	number = take_cell(slab);
	cell = cell_of(slab, number);
	CHECK(slab->magic == SLAB_MAGIC && number < slab->cells);
	CHECK(poison_holds(cell, size));
	slab->handed_out[number / 64] |= UINT64_C(1) << number % 64;
	slab->used++;
	if (slab->used == slab->cells)
		list_remove(slab);
	memset(cell, 0, size);
	mark_redzones(cell, bytes, size);
	heap_statistics.blocks++;
	heap_statistics.bytes += size;
	*block = cell + REDZONE;
	return STATUS_OK;
}

enum status heap_allocate(uint64_t bytes, void **block)
{
	enum status status;

	GUARD(bytes > 0 && bytes <= HEAP_MAX_BYTES, STATUS_BAD_ARGUMENT);
	GUARD(!shortage_strikes(SHORTAGE_HEAP), STATUS_OUT_OF_MEMORY);
	spinlock_acquire(&heap_lock);
	status = allocate_locked(bytes, block);
	spinlock_release(&heap_lock);
	return status;
}

static void slab_destroy(struct slab *slab)
{
	list_remove(slab);
	slab->magic = 0;
	heap_statistics.frames--;
	frame_free(direct_map_frame(slab), FRAME_HEAP, NULL);
}

void heap_free(void *block, uint64_t bytes)
{
	uint8_t *cell = (uint8_t *)block - REDZONE;
	struct slab *slab = (struct slab *)((uintptr_t)cell & ~(uintptr_t)(PAGE_SIZE - 1));
	uint32_t size;
	uint32_t number;
	bool was_full;

	CHECK(bytes > 0 && bytes <= HEAP_MAX_BYTES);
	spinlock_acquire(&heap_lock);
	size = cell_bytes(class_of(bytes));
	number = (uint32_t)(cell - ((uint8_t *)slab + SLAB_HEADER)) / size;
	CHECK(slab->magic == SLAB_MAGIC && cell_bytes(slab->class_index) == size);
	CHECK(number < slab->cells && cell == cell_of(slab, number));
	CHECK((slab->handed_out[number / 64] & UINT64_C(1) << number % 64) != 0);
	CHECK(redzones_hold(cell, bytes, size));
	was_full = slab->used == slab->cells;
	slab->handed_out[number / 64] &= ~(UINT64_C(1) << number % 64);
	set_free(slab, number);
	slab->used--;
	heap_statistics.blocks--;
	heap_statistics.bytes -= size;
	if (was_full)
		list_add(slab);
	if (slab->used == 0)
		slab_destroy(slab);
	spinlock_release(&heap_lock);
}

void heap_statistics_read(struct heap_statistics *statistics)
{
	spinlock_acquire(&heap_lock);
	*statistics = heap_statistics;
	spinlock_release(&heap_lock);
}

void heap_recount(struct heap_statistics *recount, uint64_t count, uint64_t bytes)
{
	recount->blocks += count;
	recount->bytes += count * cell_bytes(class_of(bytes));
}

static bool slab_is_valid(const struct slab *slab, uint32_t class_index)
{
	uint32_t free_cells = 0;

	if (slab->magic != SLAB_MAGIC || slab->class_index != class_index || slab->used >= slab->cells)
		return false;
	for (uint32_t number = slab->first_free; number != NO_CELL; number = next_free_of(cell_of(slab, number))) {
		if (number >= slab->begun || ++free_cells > slab->cells)
			return false;
		if ((slab->handed_out[number / 64] & UINT64_C(1) << number % 64) != 0)
			return false;
		if (!poison_holds(cell_of(slab, number), cell_bytes(class_index)))
			return false;
	}
	for (uint32_t number = slab->begun; number < slab->cells; number++)
		if (!poison_holds(cell_of(slab, number), cell_bytes(class_index)))
			return false;
	return slab->begun <= slab->cells && free_cells + slab->used == slab->begun;
}

bool heap_is_valid(void)
{
	bool valid = true;

	spinlock_acquire(&heap_lock);
	for (uint32_t class_index = 0; class_index < CLASSES; class_index++)
		for (const struct slab *slab = partial[class_index]; slab != NULL && valid; slab = slab->next)
			valid = slab_is_valid(slab, class_index) &&
				(slab->next == NULL || slab->next->previous == slab);
	spinlock_release(&heap_lock);
	return valid;
}
