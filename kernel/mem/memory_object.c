#include "kernel/mem/memory_object.h"

#include <stddef.h>

#include "abi/frame_allocator_abi.h"
#include "kernel/arch/x86_64/interrupt_window.h"
#include "kernel/arch/x86_64/page_zero.h"
#include "kernel/mem/heap.h"
#include "lib/check.h"

#define INDEX_ENTRIES 512u
#define KNOWN_FLAGS (FRAME_ALLOCATOR_CONTIGUOUS | FRAME_ALLOCATOR_ALIGN_2MIB)

static struct spinlock object_list_lock = SPINLOCK_INIT(LOCK_OBJECT_LIST);
static struct memory_object *object_list; /* object_list_lock */
static uint64_t last_number;              /* object_list_lock */

static void list_add(struct memory_object *object)
{
	spinlock_acquire(&object_list_lock);
	object->number = ++last_number;
	object->next = object_list;
	if (object_list != NULL)
		object_list->previous = object;
	object_list = object;
	spinlock_release(&object_list_lock);
}

static void list_remove(const struct memory_object *object)
{
	spinlock_acquire(&object_list_lock);
	if (object->previous != NULL)
		object->previous->next = object->next;
	else
		object_list = object->next;
	if (object->next != NULL)
		object->next->previous = object->previous;
	spinlock_release(&object_list_lock);
}

/* Pages below one entry of an index frame at `depth` (1 = its entries are the object's frames). */
static uint64_t index_span(uint32_t depth)
{
	return UINT64_C(1) << 9 * (depth - 1);
}

static uint32_t index_depth(uint64_t pages, uint64_t flags)
{
	uint32_t depth = 0;

	if (flags != 0)
		return 0;
	while (pages > UINT64_C(1) << 9 * depth)
		depth++;
	return depth;
}

static uint64_t index_frames(uint64_t pages, uint64_t flags)
{
	uint64_t frames = 0;

	for (uint32_t depth = 1; depth <= index_depth(pages, flags); depth++)
		frames += (pages + index_span(depth + 1) - 1) / index_span(depth + 1);
	return frames;
}

uint64_t memory_object_kernel_bytes(uint64_t pages, uint64_t flags)
{
	return sizeof(struct memory_object) + index_frames(pages, flags) * PAGE_SIZE;
}

static uint64_t *index_of(frame_t frame)
{
	return direct_map_of_frame(frame);
}

uint64_t memory_object_row(const struct memory_object *object, uint64_t page, const uint64_t **number, frame_t *first)
{
	uint64_t left = object->pages - page;
	uint64_t in_row = INDEX_ENTRIES - page % INDEX_ENTRIES;
	frame_t node = object->first;

	*number = NULL;
	*first = frame_plus(object->first, page);
	if (object->depth == 0)
		return left;
	for (uint32_t depth = object->depth; depth > 1; depth--)
		node = frame_from_u64(index_of(node)[page / index_span(depth) % INDEX_ENTRIES]);
	*number = index_of(node) + page % INDEX_ENTRIES;
	return left < in_row ? left : in_row;
}

frame_t memory_object_frame(const struct memory_object *object, uint64_t page)
{
	const uint64_t *number;
	frame_t first;

	(void)memory_object_row(object, page, &number, &first);
	return number != NULL ? frame_from_u64(*number) : first;
}

/* Put frame number `page` into the index, with the index frames that it is the first to need. All are promised. */
static void index_insert(struct memory_object *object, uint64_t page, frame_t frame)
{
	frame_t node = object->first;

	frame_info_of(frame)->link = (uint32_t)page;
	if (object->depth == 0) {
		object->first = frame;
		return;
	}
	if (page == 0)
		node = object->first = frame_take_zeroed(FRAME_OBJECT_INDEX, object);
	for (uint32_t depth = object->depth; depth > 1; depth--) {
		uint64_t *entry = &index_of(node)[page / index_span(depth) % INDEX_ENTRIES];

		if (*entry == 0)
			*entry = frame_to_u64(frame_take_zeroed(FRAME_OBJECT_INDEX, object));
		node = frame_from_u64(*entry);
	}
	index_of(node)[page % INDEX_ENTRIES] = frame_to_u64(frame);
}

static void take_scattered(struct memory_object *object)
{
	uint32_t number[FRAME_BATCH];
	uint64_t page = 0;

	while (page < object->pages) {
		uint64_t left = object->pages - page;
		uint32_t count = left < FRAME_BATCH ? (uint32_t)left : FRAME_BATCH;

		frame_take_batch(count, FRAME_OBJECT, object, number);
		for (uint32_t i = 0; i < count; i++)
			index_insert(object, page++, frame_from_u64(number[i]));
		if (page % INDEX_ENTRIES == 0)
			interrupt_window_open();
	}
}

_Static_assert(INDEX_ENTRIES % FRAME_BATCH == 0, "a step ends where a batch does");

static enum status take_run(struct memory_object *object)
{
	uint64_t align = (object->flags & FRAME_ALLOCATOR_ALIGN_2MIB) != 0 ? PAGES_PER_2MIB : 1;

	TRY(frame_take_run(object->pages, align, FRAME_OBJECT, object, &object->first));
	for (uint64_t page = 0; page < object->pages; page++) {
		page_zero(direct_map_of_frame(frame_plus(object->first, page)));
		frame_info_of(frame_plus(object->first, page))->link = (uint32_t)page;
		if (page % INDEX_ENTRIES == INDEX_ENTRIES - 1)
			interrupt_window_open();
	}
	return STATUS_OK;
}

/* All frames are promised. NO_CONTIGUOUS_RUN: then they still are. */
static enum status take_frames(struct memory_object *object)
{
	if (object->flags != 0)
		return take_run(object);
	take_scattered(object);
	return STATUS_OK;
}

enum status memory_object_create(uint64_t pages, uint64_t flags, struct memory_object **object)
{
	struct memory_object *made;
	enum status status;
	uint64_t frames;
	void *block;

	GUARD((flags & ~(uint64_t)KNOWN_FLAGS) == 0, STATUS_UNSUPPORTED);
	GUARD(pages != 0, STATUS_ZERO_LENGTH);
	GUARD(pages <= MEMORY_OBJECT_MAX_PAGES, STATUS_TOO_LONG);
	frames = pages + index_frames(pages, flags);
	TRY(frame_promise(frames));
	status = heap_allocate(sizeof(struct memory_object), &block);
	if (status != STATUS_OK) {
		frame_promise_return(frames);
		return status;
	}
	made = block;
	*made = (struct memory_object){ .pages = pages, .flags = flags, .holds = 1 };
	spinlock_name(&made->lock, LOCK_MEMORY_OBJECT);
	made->index_frames = index_frames(pages, flags);
	made->depth = index_depth(pages, flags);
	status = take_frames(made);
	if (status != STATUS_OK) {
		frame_promise_return(frames);
		heap_free(block, sizeof(struct memory_object));
		return status;
	}
	made->frames = pages;
	list_add(made);
	*object = made;
	return STATUS_OK;
}

/* ---- the end ---- */

/* One row of frames, the next ones that nobody has looked at: those that nobody maps go. Not locked. */
static void sweep_row(struct memory_object *object, const uint64_t *number, frame_t first, uint64_t count)
{
	const uint64_t owner = frame_owner_word(FRAME_OBJECT, object);
	struct frame_gather gather = FRAME_GATHER_EMPTY;

	spinlock_acquire(&object->lock);
	for (uint64_t i = 0; i < count; i++) {
		frame_t frame = number != NULL ? frame_from_u64(number[i]) : frame_plus(first, i);
		struct frame_info *info = frame_info_of(frame);

		CHECK(info->owner == owner);
		if (info->count != 0)
			continue;
		frame_gather_add(&gather, frame, info);
	}
	object->frames -= gather.count;
	object->swept += count;
	spinlock_release(&object->lock);
	frame_gather_free(&gather);
	interrupt_window_open();
}

/* Nobody looks at it any more. */
static void free_index(const struct memory_object *object, frame_t node, uint32_t depth)
{
	const uint64_t *entry = index_of(node);

	for (uint32_t i = 0; depth > 1 && i < INDEX_ENTRIES && entry[i] != 0; i++)
		free_index(object, frame_from_u64(entry[i]), depth - 1);
	frame_free(node, FRAME_OBJECT_INDEX, object);
	interrupt_window_open();
}

/*
 * The last hold and use are gone: every frame that nobody maps is freed, and the index. It takes steps, between which
 * those who take their mappings down have the lock: the frames that have been passed are theirs to free, the others are
 * the sweep's. Not locked.
 */
static void sweep(struct memory_object *object)
{
	while (object->swept < object->pages) {
		const uint64_t *number;
		frame_t first;
		uint64_t row = memory_object_row(object, object->swept, &number, &first);

		sweep_row(object, number, first, row < INDEX_ENTRIES ? row : INDEX_ENTRIES);
	}
	if (object->depth != 0)
		free_index(object, object->first, object->depth);
}

/* Locked; unlocks, and frees the object if nothing refers to it any more. */
static void unlock_or_free(struct memory_object *object)
{
	bool over = object->pages == 0 && object->mappings == 0;

	spinlock_release(&object->lock);
	if (over) {
		list_remove(object);
		heap_free(object, sizeof(*object));
	}
}

void memory_object_add_hold(struct memory_object *object)
{
	spinlock_acquire(&object->lock);
	object->holds++;
	spinlock_release(&object->lock);
}

/* Frames go when no hold and no use is left: a use may be about to map them. Locked; unlocks. */
static void unlock_or_sweep(struct memory_object *object)
{
	bool is_unreachable = object->holds == 0 && object->uses == 0;

	if (is_unreachable) { /* so nobody else comes here, and the object stays until it has no pages */
		spinlock_release(&object->lock);
		sweep(object);
		spinlock_acquire(&object->lock);
		object->pages = 0;
		object->index_frames = 0;
	}
	unlock_or_free(object);
}

void memory_object_drop_hold(struct memory_object *object)
{
	spinlock_acquire(&object->lock);
	CHECK(object->holds > 0);
	object->holds--;
	unlock_or_sweep(object);
}

void memory_object_use(struct memory_object *object)
{
	spinlock_acquire(&object->lock);
	object->uses++;
	spinlock_release(&object->lock);
}

void memory_object_end_use(struct memory_object *object)
{
	spinlock_acquire(&object->lock);
	CHECK(object->uses > 0);
	object->uses--;
	unlock_or_sweep(object);
}

enum status memory_object_add_mappings(struct memory_object *object, uint64_t pages)
{
	enum status status = STATUS_TOO_LONG; /* a frame counts its mappings in 32 bits */

	spinlock_acquire(&object->lock);
	if (object->mappings + pages <= UINT32_MAX) {
		object->mappings += pages;
		status = STATUS_OK;
	}
	spinlock_release(&object->lock);
	return status;
}

void memory_object_drop_mappings(struct memory_object *object, uint64_t pages)
{
	spinlock_acquire(&object->lock);
	object->mappings -= pages;
	spinlock_release(&object->lock);
}

struct memory_object *memory_object_of_frame(frame_t frame)
{
	return (struct memory_object *)(uintptr_t)(frame_info_of(frame)->owner & ~UINT64_C(15));
}

void memory_object_unmap_frame(frame_t frame, struct frame_gather *gather)
{
	struct memory_object *object = memory_object_of_frame(frame);
	struct frame_info *info = frame_info_of(frame);

	spinlock_acquire(&object->lock);
	CHECK(info->count > 0 && object->mappings > 0);
	info->count--;
	object->mappings--;
	if (info->link < object->swept && info->count == 0) { /* it outlived the last hold only by this mapping */
		frame_gather_add(gather, frame, info);
		object->frames--;
	}
	unlock_or_free(object);
}

bool memory_object_is_valid(struct memory_object *object)
{
	uint64_t mappings = 0;

	if (object->pages == 0)
		return object->holds == 0 && object->uses == 0 && object->mappings > 0 &&
		       object->frames <= object->mappings && object->index_frames == 0;
	for (uint64_t page = 0; page < object->pages; page++) {
		const struct frame_info *info = frame_info_of(memory_object_frame(object, page));

		if (info->owner != frame_owner_word(FRAME_OBJECT, object) || info->link != page)
			return false;
		mappings += info->count;
		if (page % INDEX_ENTRIES == INDEX_ENTRIES - 1)
			interrupt_window_open();
	}
	return mappings == object->mappings && object->frames == object->pages && object->holds + object->uses > 0;
}

void memory_object_count(struct memory_object_census *census)
{
	*census = (struct memory_object_census){ .valid = true };
	spinlock_acquire(&object_list_lock);
	for (struct memory_object *object = object_list; object != NULL; object = object->next) {
		census->objects++;
		census->frames += object->frames;
		census->index_frames += object->index_frames;
		census->valid = census->valid && memory_object_is_valid(object);
	}
	spinlock_release(&object_list_lock);
}
