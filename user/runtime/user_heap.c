#include "user/runtime/user_heap.h"

#include "abi/memory_layout.h"
#include "lib/check.h"
#include "lib/string.h"
#include "user/runtime/heap_run.h"
#include "user/runtime/program.h"

#define SMALLEST 16u

/* Multiples of 16 that leave little of a page over. */
static const uint16_t class_bytes[USER_HEAP_CLASSES] = { 16,  32,  48,  64,  80,  96,  112, 128, 160,  192,  224, 256,
							 288, 336, 400, 448, 512, 576, 672, 816, 1024, 1360, 2048 };

_Static_assert(PAGE_SIZE / SMALLEST <= UINT64_C(64) * HEAP_PAGE_LIVE_WORDS, "a live bit for each object of a slab");

static uint32_t class_of(size_t bytes)
{
	uint32_t size_class = 0;

	while (class_bytes[size_class] < bytes)
		size_class++;
	return size_class;
}

static uint32_t capacity_of(uint32_t size_class)
{
	return PAGE_SIZE / class_bytes[size_class];
}

static bool is_live(const struct heap_page *slab, uint32_t object)
{
	return (slab->live[object / 64] >> (object % 64) & 1) != 0;
}

void user_heap_init(struct user_heap *heap, struct virtual_memory_client memory)
{
	memset(heap, 0, sizeof(*heap));
	heap->memory = memory;
}

static void count_object(struct user_heap *heap, uint64_t bytes)
{
	heap->statistics.objects++;
	heap->statistics.bytes += bytes;
}

static void discount_object(struct user_heap *heap, uint64_t bytes)
{
	heap->statistics.objects--;
	heap->statistics.bytes -= bytes;
}

static enum status make_slab(struct user_heap *heap, uint32_t size_class)
{
	struct heap_page *slab;

	TRY(heap_run_allocate(heap, 1, &slab));
	slab->kind = HEAP_PAGE_SLAB;
	slab->size_class = (uint8_t)size_class;
	slab->count = 0;
	memset(slab->live, 0, sizeof(slab->live));
	heap_run_link(&heap->partial[size_class], slab);
	return STATUS_OK;
}

static enum status allocate_small(struct user_heap *heap, size_t bytes, void **object)
{
	uint32_t size_class = class_of(bytes);
	uint32_t word = 0;

	if (heap->partial[size_class] == NULL)
		TRY(make_slab(heap, size_class));
	struct heap_page *slab = heap->partial[size_class];

	/* A slab with room has a clear bit below its capacity, and bits from there on are never set: the first clear
	 * bit is it. */
	while (~slab->live[word] == 0)
		word++;
	uint32_t bit = (uint32_t)__builtin_ctzll(~slab->live[word]);

	slab->live[word] |= UINT64_C(1) << bit;
	slab->count++;
	if (slab->count == capacity_of(size_class))
		heap_run_unlink(&heap->partial[size_class], slab);
	count_object(heap, class_bytes[size_class]);
	*object = heap_run_address(heap, slab) + (uint64_t)(word * 64 + bit) * class_bytes[size_class];
	return STATUS_OK;
}

/* Pages of a run for that many bytes. NO_SPACE: more than there are. */
static enum status pages_of(size_t bytes, uint32_t *pages)
{
	uint64_t count = bytes / PAGE_SIZE + (bytes % PAGE_SIZE != 0);

	GUARD(count <= UINT32_MAX, STATUS_NO_SPACE);
	*pages = (uint32_t)count;
	return STATUS_OK;
}

/* From here to the public functions below: the caller holds the lock. */
static enum status allocate(struct user_heap *heap, size_t bytes, void **object)
{
	struct heap_page *run;
	uint32_t pages;

	if (bytes <= USER_HEAP_SMALL_MAX)
		return allocate_small(heap, bytes, object);
	TRY(pages_of(bytes, &pages));
	TRY(heap_run_allocate(heap, pages, &run));
	count_object(heap, (uint64_t)pages * PAGE_SIZE);
	*object = heap_run_address(heap, run);
	return STATUS_OK;
}

/* The page and, in a slab, the number of an object in use. Anything else ends the program. */
static struct heap_page *find_object(const struct user_heap *heap, const void *object, uint32_t *number)
{
	struct heap_page *page;

	if (!heap_run_find(heap, object, &page))
		program_abort("heap: address is not of this heap", object);
	uint64_t offset = (uint64_t)object % PAGE_SIZE;

	switch ((enum heap_page_kind)page->kind) {
	case HEAP_PAGE_FREE:
		program_abort("heap: object is not in use (double free?)", object);
	case HEAP_PAGE_INSIDE:
		program_abort("heap: address is inside an object or free memory", object);
	case HEAP_PAGE_RUN:
		*number = 0;
		if (offset != 0)
			program_abort("heap: address is inside an object", object);
		return page;
	case HEAP_PAGE_SLAB:
		*number = (uint32_t)(offset / class_bytes[page->size_class]);
		if (offset % class_bytes[page->size_class] != 0)
			program_abort("heap: address is inside an object", object);
		if (*number >= capacity_of(page->size_class) || !is_live(page, *number))
			program_abort("heap: object is not in use (double free?)", object);
		return page;
	}
	program_abort("heap: page descriptor is overwritten", object);
}

static uint64_t size_of_object(const struct heap_page *page)
{
	return page->kind == HEAP_PAGE_SLAB ? class_bytes[page->size_class] : (uint64_t)page->run * PAGE_SIZE;
}

static void free_small(struct user_heap *heap, struct heap_page *slab, uint32_t object)
{
	struct heap_page **partial = &heap->partial[slab->size_class];

	if (slab->count == capacity_of(slab->size_class))
		heap_run_link(partial, slab);
	slab->live[object / 64] &= ~(UINT64_C(1) << (object % 64));
	slab->count--;
	if (slab->count > 0)
		return;
	heap_run_unlink(partial, slab);
	slab->kind = HEAP_PAGE_RUN;
	heap_run_free(heap, slab);
}

static void free_object(struct user_heap *heap, const void *object)
{
	uint32_t number;
	struct heap_page *page = find_object(heap, object, &number);

	discount_object(heap, size_of_object(page));
	if (page->kind == HEAP_PAGE_SLAB)
		free_small(heap, page, number);
	else
		heap_run_free(heap, page);
}

/* Whether the object could be made `bytes` long where it is. */
static bool resize_in_place(struct user_heap *heap, struct heap_page *page, size_t bytes)
{
	uint64_t before = size_of_object(page);
	uint32_t pages;

	if (page->kind == HEAP_PAGE_SLAB)
		return bytes <= USER_HEAP_SMALL_MAX && class_of(bytes) == page->size_class;
	if (bytes <= USER_HEAP_SMALL_MAX || pages_of(bytes, &pages) != STATUS_OK)
		return false;
	if (pages <= page->run)
		heap_run_shrink(heap, page, pages);
	else if (heap_run_extend(heap, page, pages) != STATUS_OK)
		return false;
	heap->statistics.bytes += size_of_object(page) - before;
	return true;
}

static enum status resize(struct user_heap *heap, size_t bytes, void **object)
{
	uint32_t number;
	void *moved;

	if (*object == NULL)
		return allocate(heap, bytes, object);
	struct heap_page *page = find_object(heap, *object, &number);

	if (resize_in_place(heap, page, bytes))
		return STATUS_OK;
	uint64_t kept = size_of_object(page);

	TRY(allocate(heap, bytes, &moved));
	memcpy(moved, *object, kept < bytes ? kept : bytes);
	free_object(heap, *object);
	*object = moved;
	return STATUS_OK;
}

enum status user_heap_allocate(struct user_heap *heap, size_t bytes, void **object)
{
	enum status status;

	mutex_lock(&heap->lock);
	status = allocate(heap, bytes, object);
	mutex_unlock(&heap->lock);
	return status;
}

enum status user_heap_allocate_zeroed(struct user_heap *heap, size_t count, size_t bytes, void **object)
{
	size_t total;

	GUARD(!__builtin_mul_overflow(count, bytes, &total), STATUS_TOO_LONG);
	TRY(user_heap_allocate(heap, total, object));
	memset(*object, 0, total);
	return STATUS_OK;
}

enum status user_heap_resize(struct user_heap *heap, size_t bytes, void **object)
{
	enum status status;

	mutex_lock(&heap->lock);
	status = resize(heap, bytes, object);
	mutex_unlock(&heap->lock);
	return status;
}

void user_heap_free(struct user_heap *heap, void *object)
{
	if (object == NULL)
		return;
	mutex_lock(&heap->lock);
	free_object(heap, object);
	mutex_unlock(&heap->lock);
}

void user_heap_trim(struct user_heap *heap)
{
	mutex_lock(&heap->lock);
	heap_run_trim(heap);
	mutex_unlock(&heap->lock);
}

/* Live bits agree with the count, none is beyond the capacity. */
static bool slab_is_valid(const struct heap_page *slab)
{
	uint32_t live = 0;

	if (slab->run != 1 || slab->size_class >= USER_HEAP_CLASSES)
		return false;
	for (uint32_t i = 0; i < 64 * HEAP_PAGE_LIVE_WORDS; i++) {
		if (is_live(slab, i) && i >= capacity_of(slab->size_class))
			return false;
		live += is_live(slab, i);
	}
	return live == slab->count && live > 0;
}

/* Objects and bytes in use as the descriptors of one region have them; false if a slab is broken. */
static bool add_objects(const struct heap_region *region, uint64_t *objects, uint64_t *bytes)
{
	for (uint32_t i = 0; i < region->fresh; i += region->page[i].run) {
		const struct heap_page *page = &region->page[i];

		if (page->kind == HEAP_PAGE_FREE)
			continue;
		if (page->kind == HEAP_PAGE_SLAB && !slab_is_valid(page))
			return false;
		*objects += page->kind == HEAP_PAGE_SLAB ? page->count : 1;
		*bytes += page->kind == HEAP_PAGE_SLAB ? (uint64_t)page->count * class_bytes[page->size_class]
						       : (uint64_t)page->run * PAGE_SIZE;
	}
	return true;
}

bool user_heap_is_valid(const struct user_heap *heap)
{
	uint64_t objects = 0, bytes = 0;

	if (!heap_run_is_valid(heap))
		return false;
	for (uint32_t i = 0; i < USER_HEAP_REGIONS; i++) {
		if (!add_objects(&heap->region[i], &objects, &bytes))
			return false;
	}
	for (uint32_t i = 0; i < USER_HEAP_CLASSES; i++) {
		for (const struct heap_page *slab = heap->partial[i]; slab != NULL; slab = slab->next) {
			if (slab->kind != HEAP_PAGE_SLAB || slab->size_class != i || slab->count >= capacity_of(i))
				return false;
		}
	}
	return objects == heap->statistics.objects && bytes == heap->statistics.bytes;
}
