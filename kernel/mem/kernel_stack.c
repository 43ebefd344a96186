#include "kernel/mem/kernel_stack.h"

#include <stddef.h>

#include "kernel/arch/x86_64/spinlock.h"
#include "kernel/arch/x86_64/tlb.h"
#include "kernel/mem/frame.h"
#include "kernel/mem/paging.h"
#include "kernel/mem/paging_check.h"
#include "kernel/mem/shortage.h"
#include "lib/bits.h"
#include "lib/check.h"

#define SLOT_WORDS (KERNEL_STACK_SLOTS / BITS_PER_WORD)

/* A thread costs five frames of somebody's kernel_object_bytes, and those are at most a quarter of RAM. */
#define FRAMES_PER_SLOT 16u
#define SLOTS_MIN 128u

_Static_assert(KERNEL_STACK_SLOTS % BITS_PER_WORD == 0, "whole words");

static struct spinlock stack_lock = SPINLOCK_INIT(LOCK_KERNEL_STACK);
static uint64_t slot_used[SLOT_WORDS];     /* stack_lock; bit per slot */
static uint32_t cache[KERNEL_STACK_CACHE]; /* stack_lock; slots whose stacks are mapped and nobody's */
static uint32_t cached;                    /* stack_lock */

static uint32_t slot_limit; /* fixed after kernel_stack_init: slots that are used at all */

static uint64_t bottom_of(uint32_t slot)
{
	return STACK_WINDOW_START + slot * KERNEL_STACK_SLOT_BYTES + PAGE_SIZE;
}

static uint64_t top_of(uint32_t slot)
{
	return bottom_of(slot) + KERNEL_STACK_PAGES * PAGE_SIZE;
}

static uint32_t slot_of(uint64_t top)
{
	uint64_t slot = (top - STACK_WINDOW_START) / KERNEL_STACK_SLOT_BYTES - 1;

	CHECK(slot < KERNEL_STACK_SLOTS && top_of((uint32_t)slot) == top);
	return (uint32_t)slot;
}

static bool slot_is_used(uint32_t slot)
{
	return bits_test(slot_used[slot / BITS_PER_WORD], slot % BITS_PER_WORD);
}

/* stack_lock held. */
static enum status find_slot(uint32_t *slot)
{
	for (uint32_t word = 0; word < SLOT_WORDS; word++) {
		if (slot_used[word] != UINT64_MAX) {
			*slot = word * BITS_PER_WORD + bits_lowest(~slot_used[word]);
			return STATUS_OK;
		}
	}
	return STATUS_OUT_OF_MEMORY;
}

static enum status take_slot(uint32_t *slot)
{
	enum status status;

	GUARD(!shortage_strikes(SHORTAGE_STACK), STATUS_OUT_OF_MEMORY);
	spinlock_acquire(&stack_lock);
	status = find_slot(slot);
	if (status == STATUS_OK)
		slot_used[*slot / BITS_PER_WORD] |= bits_one(*slot % BITS_PER_WORD);
	spinlock_release(&stack_lock);
	return status;
}

static void give_slot(uint32_t slot)
{
	spinlock_acquire(&stack_lock);
	slot_used[slot / BITS_PER_WORD] &= ~bits_one(slot % BITS_PER_WORD);
	spinlock_release(&stack_lock);
}

static bool take_cached(uint32_t *slot)
{
	bool found;

	spinlock_acquire(&stack_lock);
	found = cached > 0;
	if (found)
		*slot = cache[--cached];
	spinlock_release(&stack_lock);
	return found;
}

static bool give_cached(uint32_t slot)
{
	bool has_room;

	spinlock_acquire(&stack_lock);
	CHECK(slot_is_used(slot));
	has_room = cached < KERNEL_STACK_CACHE;
	if (has_room)
		cache[cached++] = slot;
	spinlock_release(&stack_lock);
	return has_room;
}

bool kernel_stack_is_guard(uint64_t address)
{
	uint64_t offset = address - STACK_WINDOW_START;

	return offset < KERNEL_STACK_SLOTS * KERNEL_STACK_SLOT_BYTES && offset % KERNEL_STACK_SLOT_BYTES < PAGE_SIZE;
}

/* Unmap the lowest `pages` pages of a slot's stack and free their frames, after the flush; then the slot. */
static void unmap(uint32_t slot, uint32_t pages)
{
	struct frame_gather gather = FRAME_GATHER_EMPTY;
	uint64_t bottom = bottom_of(slot);

	for (uint32_t i = 0; i < pages; i++) {
		frame_t frame = paging_unmap_page(bottom + i * PAGE_SIZE);

		frame_gather_add(&gather, frame, frame_info_of(frame));
	}
	if (pages != 0)
		tlb_flush_kernel(vaddr_from_u64(bottom), vaddr_from_u64(bottom + pages * PAGE_SIZE));
	frame_gather_free(&gather);
	give_slot(slot);
}

static enum status map_one(uint64_t address)
{
	enum status status;
	frame_t frame;

	TRY(frame_allocate(FRAME_KERNEL, NULL, &frame));
	status = paging_map_page(address, frame);
	if (status != STATUS_OK)
		frame_free(frame, FRAME_KERNEL, NULL);
	else
		paging_check_mapped(address);
	return status;
}

static enum status map(uint32_t slot)
{
	for (uint32_t done = 0; done < KERNEL_STACK_PAGES; done++) {
		enum status status = map_one(bottom_of(slot) + done * PAGE_SIZE);

		if (status != STATUS_OK) {
			unmap(slot, done);
			return status;
		}
	}
	return STATUS_OK;
}

uint32_t kernel_stack_limit(void)
{
	return slot_limit;
}

/* The table of an address stays when what it mapped is gone. */
static enum status make_table(uint64_t address)
{
	frame_t frame;
	enum status status;

	TRY(frame_allocate(FRAME_KERNEL, NULL, &frame));
	status = paging_map_page(address, frame);
	if (status == STATUS_OK) {
		(void)paging_unmap_page(address);
		tlb_flush_kernel(vaddr_from_u64(address), vaddr_from_u64(address + PAGE_SIZE));
	}
	frame_free(frame, FRAME_KERNEL, NULL);
	return status;
}

enum status kernel_stack_init(void)
{
	struct frame_statistics frames;
	uint64_t limit, end;

	frame_statistics_read(&frames);
	limit = frames.total / FRAMES_PER_SLOT;
	slot_limit = limit < SLOTS_MIN ? SLOTS_MIN : limit < KERNEL_STACK_SLOTS ? (uint32_t)limit : KERNEL_STACK_SLOTS;
	for (uint32_t slot = slot_limit; slot < KERNEL_STACK_SLOTS; slot++)
		slot_used[slot / BITS_PER_WORD] |= bits_one(slot % BITS_PER_WORD);
	end = STACK_WINDOW_START + slot_limit * KERNEL_STACK_SLOT_BYTES;
	for (uint64_t address = STACK_WINDOW_START; address < end; address += PAGES_PER_2MIB * PAGE_SIZE)
		TRY(make_table(address));
	return STATUS_OK;
}

enum status kernel_stack_create(uint64_t *top)
{
	uint32_t slot;

	if (!take_cached(&slot)) {
		TRY(take_slot(&slot));
		TRY(map(slot));
	}
	*top = top_of(slot);
	return STATUS_OK;
}

void kernel_stack_destroy(uint64_t top)
{
	uint32_t slot = slot_of(top);

	if (!give_cached(slot))
		unmap(slot, KERNEL_STACK_PAGES);
}

uint64_t kernel_stack_cached(void)
{
	uint64_t count;

	spinlock_acquire(&stack_lock);
	count = cached;
	spinlock_release(&stack_lock);
	return count;
}

uint64_t kernel_stack_trim(void)
{
	uint64_t frames = 0;
	uint32_t slot;

	while (take_cached(&slot)) {
		unmap(slot, KERNEL_STACK_PAGES);
		frames += KERNEL_STACK_PAGES;
	}
	return frames;
}

/* stack_lock held. */
static bool cache_is_valid(void)
{
	if (cached > KERNEL_STACK_CACHE)
		return false;
	for (uint32_t i = 0; i < cached; i++) {
		if (cache[i] >= KERNEL_STACK_SLOTS || !slot_is_used(cache[i]))
			return false;
		for (uint32_t j = 0; j < i; j++) {
			if (cache[i] == cache[j])
				return false;
		}
	}
	return true;
}

bool kernel_stack_is_valid(void)
{
	bool is_valid;

	spinlock_acquire(&stack_lock);
	is_valid = cache_is_valid();
	spinlock_release(&stack_lock);
	return is_valid;
}
