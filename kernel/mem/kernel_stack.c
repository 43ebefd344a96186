#include "kernel/mem/kernel_stack.h"

#include <stddef.h>

#include "kernel/arch/x86_64/spinlock.h"
#include "kernel/arch/x86_64/tlb.h"
#include "kernel/mem/frame.h"
#include "kernel/mem/paging.h"
#include "lib/check.h"

static struct spinlock slot_lock = SPINLOCK_INIT;
static uint64_t slot_used[KERNEL_STACK_SLOTS / 64]; /* slot_lock; bit per slot */

static enum status take_slot(uint32_t *slot)
{
	enum status status = STATUS_OUT_OF_MEMORY;

	spinlock_acquire(&slot_lock);
	for (uint32_t i = 0; i < KERNEL_STACK_SLOTS; i++) {
		uint64_t bit = UINT64_C(1) << i % 64;

		if ((slot_used[i / 64] & bit) != 0)
			continue;
		slot_used[i / 64] |= bit;
		*slot = i;
		status = STATUS_OK;
		break;
	}
	spinlock_release(&slot_lock);
	return status;
}

static void give_slot(uint32_t slot)
{
	spinlock_acquire(&slot_lock);
	slot_used[slot / 64] &= ~(UINT64_C(1) << slot % 64);
	spinlock_release(&slot_lock);
}

bool kernel_stack_is_guard(uint64_t address)
{
	uint64_t offset = address - STACK_WINDOW_START;

	return offset < KERNEL_STACK_SLOTS * KERNEL_STACK_SLOT_BYTES && offset % KERNEL_STACK_SLOT_BYTES < PAGE_SIZE;
}

/* Unmap the lowest `pages` pages of a slot's stack and free their frames, after the flush. */
static void unmap_pages(uint64_t bottom, uint32_t pages)
{
	struct frame_gather gather = FRAME_GATHER_EMPTY;

	for (uint32_t i = 0; i < pages; i++) {
		frame_t frame = paging_unmap_page(bottom + i * PAGE_SIZE);

		frame_gather_add(&gather, frame, frame_info_of(frame));
	}
	if (pages != 0)
		tlb_flush_kernel(vaddr_from_u64(bottom), vaddr_from_u64(bottom + pages * PAGE_SIZE));
	frame_gather_free(&gather);
}

enum status kernel_stack_create(uint64_t *top)
{
	enum status status = STATUS_OK;
	uint64_t bottom;
	uint32_t slot;
	uint32_t done;

	TRY(take_slot(&slot));
	bottom = STACK_WINDOW_START + slot * KERNEL_STACK_SLOT_BYTES + PAGE_SIZE;
	for (done = 0; done < KERNEL_STACK_PAGES; done++) {
		frame_t frame;

		status = frame_allocate(FRAME_KERNEL, NULL, &frame);
		if (status != STATUS_OK)
			break;
		status = paging_map_page(bottom + done * PAGE_SIZE, frame);
		if (status != STATUS_OK) {
			frame_free(frame, FRAME_KERNEL, NULL);
			break;
		}
	}
	if (status != STATUS_OK) {
		unmap_pages(bottom, done);
		give_slot(slot);
		return status;
	}
	*top = bottom + KERNEL_STACK_PAGES * PAGE_SIZE;
	return STATUS_OK;
}

void kernel_stack_destroy(uint64_t top)
{
	uint64_t bottom = top - KERNEL_STACK_PAGES * PAGE_SIZE;

	unmap_pages(bottom, KERNEL_STACK_PAGES);
	give_slot((uint32_t)((bottom - PAGE_SIZE - STACK_WINDOW_START) / KERNEL_STACK_SLOT_BYTES));
}
