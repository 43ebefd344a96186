#include "kernel/mem/validate.h"

#include "lib/check.h"

enum status validate_page_anew(struct address_space *space, uint64_t address, bool writable, frame_t *frame)
{
	unsigned level;
	pte_t entry = address_space_entry(space, address, &level);

	GUARD(pte_has(entry, PTE_PRESENT | PTE_USER), STATUS_BUFFER_FAULT);
	GUARD(!writable || pte_has(entry, PTE_WRITE), STATUS_BUFFER_FAULT);
	*frame = pte_present_frame(entry);
	space->seen = (struct seen_page){ seen_page_word(address, pte_has(entry, PTE_WRITE)), *frame };
	return STATUS_OK;
}

enum status validate_range(struct address_space *space, uint64_t start, uint64_t bytes, bool writable)
{
	struct uaddr_range range;
	frame_t frame;

	TRY(uaddr_range_of_bytes(start, bytes, &range));
	GUARD(bytes != 0, STATUS_OK);
	for (uint64_t address = start & ~(uint64_t)(PAGE_SIZE - 1); address < uaddr_to_u64(range.end);
	     address += PAGE_SIZE)
		TRY(validate_page(space, address, writable, &frame));
	return STATUS_OK;
}
