#include "kernel/mem/user_access.h"

#include "kernel/mem/demand.h"
#include "kernel/mem/validate.h"
#include "lib/check.h"
#include "lib/string.h"

enum copy_direction {
	COPY_IN,
	COPY_OUT,
};

static bool is_in_one_page(struct uaddr_range range)
{
	return (uaddr_to_u64(range.start) & (PAGE_SIZE - 1)) + uaddr_range_bytes(range) <= PAGE_SIZE;
}

static void copy_part(uint8_t *user, uint8_t *buffer, uint64_t bytes, enum copy_direction direction)
{
	if (direction == COPY_IN)
		memcpy(buffer, user, bytes);
	else
		memcpy(user, buffer, bytes);
}

/* Page by page, after the whole range was found accessible under the same lock. */
static void copy_locked(struct address_space *space, struct uaddr_range range, uint8_t *buffer,
			enum copy_direction direction)
{
	uint64_t address = uaddr_to_u64(range.start);

	while (address < uaddr_to_u64(range.end)) {
		uint64_t in_page = address & (PAGE_SIZE - 1);
		uint64_t bytes = PAGE_SIZE - in_page;
		frame_t frame;

		if (bytes > uaddr_to_u64(range.end) - address)
			bytes = uaddr_to_u64(range.end) - address;
		CHECK(validate_page(space, address, direction == COPY_OUT, &frame) == STATUS_OK);
		copy_part((uint8_t *)direct_map_of_frame(frame) + in_page, buffer, bytes, direction);
		buffer += bytes;
		address += bytes;
	}
}

/* What was not accessible as it is: the pages behind a buffer, if a touch makes all of them so. */
static enum status supply(struct address_space *space, uint64_t start, uint64_t bytes, bool writable)
{
	uint64_t end = (start + bytes + PAGE_SIZE - 1) & ~(PAGE_SIZE - 1);

	return demand_supply(space, uaddr_range_make(start & ~(PAGE_SIZE - 1), end),
			     writable ? PROTECTION_WRITE : PROTECTION_READ);
}

static inline enum status find_page(struct address_space *space, uint64_t address, uint64_t bytes, bool writable,
				    frame_t *frame)
{
	if (LIKELY(validate_page(space, address, writable, frame) == STATUS_OK))
		return STATUS_OK;
	TRY(supply(space, address, bytes, writable));
	return validate_page(space, address, writable, frame);
}

/* bytes != 0 */
static enum status find_range(struct address_space *space, struct uaddr_range range, bool writable)
{
	uint64_t start = uaddr_to_u64(range.start);
	uint64_t bytes = uaddr_range_bytes(range);

	if (LIKELY(validate_range(space, start, bytes, writable) == STATUS_OK))
		return STATUS_OK;
	return supply(space, start, bytes, writable);
}

/* Most buffers lie in one page: checked and found in one walk. */
static enum status access_page(struct address_space *space, uint64_t start, uint64_t bytes, uint8_t *buffer,
			       enum copy_direction direction)
{
	frame_t frame;

	TRY(find_page(space, start, bytes, direction == COPY_OUT, &frame));
	copy_part((uint8_t *)direct_map_of_frame(frame) + (start & (PAGE_SIZE - 1)), buffer, bytes, direction);
	return STATUS_OK;
}

static enum status access_pages(struct address_space *space, struct uaddr_range range, uint8_t *buffer,
				enum copy_direction direction)
{
	TRY(find_range(space, range, direction == COPY_OUT));
	copy_locked(space, range, buffer, direction);
	return STATUS_OK;
}

static enum status access(struct address_space *space, uint64_t start, uint64_t bytes, uint8_t *buffer,
			  enum copy_direction direction)
{
	struct uaddr_range range;
	enum status status;

	TRY(uaddr_range_of_bytes(start, bytes, &range));
	GUARD(bytes != 0, STATUS_OK);
	address_space_lock(space, range);
	if (LIKELY(is_in_one_page(range)))
		status = access_page(space, start, bytes, buffer, direction);
	else
		status = access_pages(space, range, buffer, direction);
	address_space_unlock(space, range);
	return status;
}

enum status user_access_read(struct address_space *space, uint64_t from, uint64_t bytes, void *to)
{
	return access(space, from, bytes, to, COPY_IN);
}

enum status user_access_write(struct address_space *space, uint64_t to, uint64_t bytes, const void *from)
{
	return access(space, to, bytes, (uint8_t *)(uintptr_t)from, COPY_OUT);
}

enum status user_access_find(struct address_space *space, uint64_t to, uint64_t bytes, struct user_place *place)
{
	place->space = space;
	if (LIKELY(bytes <= PAGE_SIZE - (to & (PAGE_SIZE - 1)) && seen_page_is(&space->seen, to, true))) {
		place->range = uaddr_range_make(to, to + bytes);
		place->frame = space->seen.frame;
		return STATUS_OK;
	}
	TRY(uaddr_range_of_bytes(to, bytes, &place->range));
	if (LIKELY(is_in_one_page(place->range)))
		return find_page(space, to, bytes, true, &place->frame);
	return find_range(space, place->range, true);
}

void user_access_put(const struct user_place *place, const void *from)
{
	uint8_t *buffer = (uint8_t *)(uintptr_t)from;
	uint64_t in_page = uaddr_to_u64(place->range.start) & (PAGE_SIZE - 1);

	if (LIKELY(is_in_one_page(place->range)))
		copy_part((uint8_t *)direct_map_of_frame(place->frame) + in_page, buffer,
			  uaddr_range_bytes(place->range), COPY_OUT);
	else
		copy_locked(place->space, place->range, buffer, COPY_OUT);
}

enum status user_access_read_private_word(struct address_space *space, uint64_t address, uint32_t *word)
{
	unsigned level;
	enum page_kind kind = pte_kind(address_space_entry(space, address, &level));
	frame_t frame;

	GUARD(kind != PAGE_BORROWED && kind != PAGE_BOOTSTRAP, STATUS_NOT_PRIVATE);
	TRY(find_page(space, address, sizeof(*word), false, &frame));
	*word = __atomic_load_n((uint32_t *)((uint8_t *)direct_map_of_frame(frame) + (address & (PAGE_SIZE - 1))),
				__ATOMIC_RELAXED);
	return STATUS_OK;
}

enum status user_access_check(struct address_space *space, uint64_t start, uint64_t bytes, bool writable)
{
	struct uaddr_range range;
	enum status status;

	TRY(uaddr_range_of_bytes(start, bytes, &range));
	GUARD(bytes != 0, STATUS_OK);
	address_space_lock(space, range);
	status = find_range(space, range, writable);
	address_space_unlock(space, range);
	return status;
}
