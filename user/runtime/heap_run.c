#include "user/runtime/heap_run.h"

#include <stddef.h>

#include "abi/memory_layout.h"
#include "lib/check.h"

#define FIRST_REGION_PAGES 1024u        /* 4 MiB; each further region is twice as large ... */
#define LARGEST_REGION_PAGES (1u << 20) /* ... up to 4 GiB, or what one object needs */
#define LARGEST_RUN_PAGES (1u << 30)
#define COMMIT_STEP_PAGES 16u /* small runs get frames in steps of this many: one kernel call for all of them */
#define DESCRIPTORS_PER_PAGE (PAGE_SIZE / sizeof(struct heap_page))

void heap_run_link(struct heap_page **list, struct heap_page *page)
{
	page->previous = NULL;
	page->next = *list;
	if (*list != NULL)
		(*list)->previous = page;
	*list = page;
}

void heap_run_unlink(struct heap_page **list, struct heap_page *page)
{
	if (page->previous != NULL)
		page->previous->next = page->next;
	else
		*list = page->next;
	if (page->next != NULL)
		page->next->previous = page->previous;
	page->next = NULL;
	page->previous = NULL;
}

unsigned char *heap_run_address(const struct user_heap *heap, const struct heap_page *page)
{
	return heap->region[page->region].base + (uint64_t)page->index * PAGE_SIZE;
}

bool heap_run_find(const struct user_heap *heap, const void *address, struct heap_page **page)
{
	for (uint32_t i = 0; i < USER_HEAP_REGIONS; i++) {
		const struct heap_region *region = &heap->region[i];
		uint64_t offset = (uint64_t)address - (uint64_t)region->base;

		/* An unused entry has no fresh pages; an address below the base wraps to a huge offset. */
		if (offset / PAGE_SIZE < region->fresh) {
			*page = &region->page[offset / PAGE_SIZE];
			return true;
		}
	}
	return false;
}

static uint32_t bin_of(uint32_t pages)
{
	return 31u - (uint32_t)__builtin_clz(pages);
}

/* Pages of [first, first + pages) that have a frame. */
static uint32_t committed_pages(const struct heap_page *first, uint32_t pages)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < pages; i++)
		count += first[i].committed;
	return count;
}

/* Make [first, first + pages), whose descriptors belong to no run, a free run. It may not touch another one. */
static void put_free(struct user_heap *heap, struct heap_page *first, uint32_t pages)
{
	struct heap_page *last = first + pages - 1;

	first->count = committed_pages(first, pages);
	heap->cached += first->count;
	first->kind = HEAP_PAGE_FREE;
	first->run = pages;
	last->kind = HEAP_PAGE_FREE;
	last->run = pages;
	heap_run_link(&heap->bin[bin_of(pages)], first);
}

static void take_free(struct user_heap *heap, struct heap_page *first)
{
	heap_run_unlink(&heap->bin[bin_of(first->run)], first);
	heap->cached -= first->count;
	first[first->run - 1].kind = HEAP_PAGE_INSIDE;
	first->kind = HEAP_PAGE_INSIDE;
}

/* Join [first, first + pages) with the free runs on both sides and make the result a free run. */
static void put_free_joined(struct user_heap *heap, struct heap_page *first, uint32_t pages)
{
	const struct heap_region *region = &heap->region[first->region];
	struct heap_page *after = first + pages;

	if (first->index + pages < region->fresh && after->kind == HEAP_PAGE_FREE) {
		take_free(heap, after);
		pages += after->run;
	}
	if (first->index > 0 && first[-1].kind == HEAP_PAGE_FREE) {
		struct heap_page *before = first - first[-1].run;

		take_free(heap, before);
		pages += before->run;
		first = before;
	}
	put_free(heap, first, pages);
}

/* Take the frames of all free runs back. */
static void release_cached(struct user_heap *heap)
{
	for (uint32_t bin = 0; bin < USER_HEAP_BINS && heap->cached > 0; bin++) {
		for (struct heap_page *run = heap->bin[bin]; run != NULL; run = run->next) {
			if (run->count == 0)
				continue;
			CHECK(virtual_memory_client_decommit(heap->memory, heap_run_address(heap, run),
							     (uint64_t)run->run * PAGE_SIZE) == STATUS_OK);
			for (uint32_t i = 0; i < run->run; i++)
				run[i].committed = 0;
			heap->statistics.pages -= run->count;
			heap->cached -= run->count;
			run->count = 0;
		}
	}
}

/* Frames for a range; free runs give up theirs before this is refused. `missing`: pages of it that have none. */
static enum status commit(struct user_heap *heap, const void *address, uint32_t pages, uint32_t missing)
{
	const uint64_t bytes = (uint64_t)pages * PAGE_SIZE;
	const uint32_t protection = PROTECTION_READ | PROTECTION_WRITE;

	if (virtual_memory_client_commit(heap->memory, address, bytes, protection) != STATUS_OK) {
		release_cached(heap);
		TRY(virtual_memory_client_commit(heap->memory, address, bytes, protection));
	}
	heap->statistics.pages += missing;
	if (heap->statistics.peak_pages < heap->statistics.pages)
		heap->statistics.peak_pages = heap->statistics.pages;
	return STATUS_OK;
}

static enum status commit_pages(struct user_heap *heap, struct heap_page *first, uint32_t pages)
{
	uint32_t missing = pages - committed_pages(first, pages);

	if (missing == 0)
		return STATUS_OK;
	TRY(commit(heap, heap_run_address(heap, first), pages, missing));
	for (uint32_t i = 0; i < pages; i++)
		first[i].committed = 1;
	return STATUS_OK;
}

/* Frames for the descriptors of the region's first `pages` pages. */
static enum status commit_descriptors(struct user_heap *heap, struct heap_region *region, uint32_t pages)
{
	uint32_t needed = (uint32_t)((pages + DESCRIPTORS_PER_PAGE - 1) / DESCRIPTORS_PER_PAGE);
	uint32_t have = region->descriptors_committed;

	if (needed <= have)
		return STATUS_OK;
	TRY(commit(heap, (const unsigned char *)region->page + (uint64_t)have * PAGE_SIZE, needed - have,
		   needed - have));
	region->descriptors_committed = needed;
	return STATUS_OK;
}

/* Move `fresh` up by `pages`: descriptors come to life, and belong to no run yet. NO_SPACE: the region is full. */
static enum status extend_fresh(struct user_heap *heap, struct heap_region *region, uint32_t pages)
{
	GUARD(pages <= region->pages - region->fresh, STATUS_NO_SPACE);
	TRY(commit_descriptors(heap, region, region->fresh + pages));
	for (uint32_t i = 0; i < pages; i++) {
		struct heap_page *page = &region->page[region->fresh + i];

		*page = (struct heap_page){ .region = (uint8_t)(region - heap->region), .index = region->fresh + i };
	}
	region->fresh += pages;
	return STATUS_OK;
}

static enum status reserve_region(struct user_heap *heap, struct heap_region *region, uint32_t pages)
{
	uint32_t descriptor_pages = (uint32_t)((pages + DESCRIPTORS_PER_PAGE - 1) / DESCRIPTORS_PER_PAGE);
	void *address;

	TRY(virtual_memory_client_reserve(heap->memory, NULL, ((uint64_t)descriptor_pages + pages) * PAGE_SIZE, 0,
					  &address));
	*region = (struct heap_region){
		.page = address,
		.base = (unsigned char *)address + (uint64_t)descriptor_pages * PAGE_SIZE,
		.pages = pages,
		.descriptor_pages = descriptor_pages,
	};
	heap->statistics.regions++;
	return STATUS_OK;
}

/* A new region with room for `pages`: as large as the last ones suggest, or half of it, and so on, if refused. */
static enum status add_region(struct user_heap *heap, uint32_t pages, struct heap_region **added)
{
	uint32_t size = FIRST_REGION_PAGES;

	for (uint32_t i = 0; i < USER_HEAP_REGIONS; i++) {
		if (heap->region[i].pages != 0) {
			size = size < LARGEST_REGION_PAGES ? size * 2 : size;
			continue;
		}
		*added = &heap->region[i];
		while (size > pages) {
			if (reserve_region(heap, *added, size) == STATUS_OK)
				return STATUS_OK;
			size /= 2;
		}
		return reserve_region(heap, *added, pages);
	}
	return STATUS_NO_SPACE;
}

/* All of the region is free or fresh: give the reservation back. */
static void remove_region(struct user_heap *heap, struct heap_region *region)
{
	uint64_t pages = (uint64_t)region->descriptor_pages + region->pages;

	if (region->fresh > 0) {
		heap->statistics.pages -= region->page[0].count;
		take_free(heap, &region->page[0]);
	}
	heap->statistics.pages -= region->descriptors_committed;
	heap->statistics.regions--;
	CHECK(virtual_memory_client_unmap(heap->memory, region->page, pages * PAGE_SIZE) == STATUS_OK);
	*region = (struct heap_region){};
}

/* A free run of at least `pages` out of the bins; it is in no bin then. NOT_FOUND. */
static enum status take_from_bins(struct user_heap *heap, uint32_t pages, struct heap_page **first)
{
	for (uint32_t bin = bin_of(pages); bin < USER_HEAP_BINS; bin++) {
		for (struct heap_page *run = heap->bin[bin]; run != NULL; run = run->next) {
			if (run->run < pages)
				continue; /* only in the first bin */
			take_free(heap, run);
			*first = run;
			return STATUS_OK;
		}
	}
	return STATUS_NOT_FOUND;
}

/* A run of at least `pages` at the end of what the region uses, its last free run included. */
static enum status take_from_end(struct user_heap *heap, struct heap_region *region, uint32_t pages,
				 struct heap_page **first)
{
	struct heap_page *end = &region->page[region->fresh];
	uint32_t have = region->fresh > 0 && end[-1].kind == HEAP_PAGE_FREE ? end[-1].run : 0;
	uint32_t step = pages < COMMIT_STEP_PAGES ? COMMIT_STEP_PAGES : pages;

	if (extend_fresh(heap, region, step - have) == STATUS_OK)
		pages = step;
	else
		TRY(extend_fresh(heap, region, pages - have));
	if (have > 0)
		take_free(heap, end - have);
	*first = end - have;
	(*first)->run = pages;
	return STATUS_OK;
}

static enum status take_run(struct user_heap *heap, uint32_t pages, struct heap_page **first)
{
	struct heap_region *added;
	enum status status;

	if (take_from_bins(heap, pages, first) == STATUS_OK)
		return STATUS_OK;
	for (uint32_t i = 0; i < USER_HEAP_REGIONS; i++) {
		if (take_from_end(heap, &heap->region[i], pages, first) == STATUS_OK)
			return STATUS_OK;
	}
	TRY(add_region(heap, pages, &added));
	status = take_from_end(heap, added, pages, first);
	if (status != STATUS_OK)
		remove_region(heap, added);
	return status;
}

/* Frames for the first `pages` of a run, and for a few more if there are plenty. */
static enum status commit_run(struct user_heap *heap, struct heap_page *first, uint32_t pages)
{
	uint32_t step = pages < COMMIT_STEP_PAGES ? COMMIT_STEP_PAGES : pages;

	if (committed_pages(first, pages) == pages)
		return STATUS_OK;
	if (step <= first->run && commit_pages(heap, first, step) == STATUS_OK)
		return STATUS_OK;
	return commit_pages(heap, first, pages);
}

enum status heap_run_allocate(struct user_heap *heap, uint32_t pages, struct heap_page **first)
{
	struct heap_page *run;
	enum status status;
	uint32_t length;

	GUARD(pages <= LARGEST_RUN_PAGES, STATUS_NO_SPACE);
	TRY(take_run(heap, pages, &run));
	length = run->run;
	status = commit_run(heap, run, pages);
	if (status != STATUS_OK) {
		put_free_joined(heap, run, length);
		return status;
	}
	run->kind = HEAP_PAGE_RUN;
	run->run = pages;
	heap->region[run->region].used += pages;
	if (length > pages)
		put_free(heap, run + pages, length - pages);
	*first = run;
	return STATUS_OK;
}

enum status heap_run_extend(struct user_heap *heap, struct heap_page *first, uint32_t pages)
{
	struct heap_region *region = &heap->region[first->region];
	struct heap_page *after = first + first->run;
	uint32_t more = pages - first->run;
	uint32_t have;
	enum status status;

	GUARD(pages <= LARGEST_RUN_PAGES, STATUS_NO_SPACE);
	if (first->index + first->run == region->fresh) {
		TRY(extend_fresh(heap, region, more));
		put_free(heap, after, more);
	}
	GUARD(after->kind == HEAP_PAGE_FREE, STATUS_NO_SPACE);
	have = after->run;
	GUARD(have >= more, STATUS_NO_SPACE);
	take_free(heap, after);
	status = commit_pages(heap, after, more);
	if (status != STATUS_OK) {
		put_free(heap, after, have);
		return status;
	}
	if (have > more)
		put_free(heap, after + more, have - more);
	first->run = pages;
	region->used += more;
	return STATUS_OK;
}

/* Free [first, first + pages), no longer part of any run, and keep the promise about cached pages. */
static void free_pages(struct user_heap *heap, struct heap_page *first, uint32_t pages)
{
	struct heap_region *region = &heap->region[first->region];

	region->used -= pages;
	first->kind = HEAP_PAGE_INSIDE;
	put_free_joined(heap, first, pages);
	if (region->used == 0 && heap->statistics.regions > 1)
		remove_region(heap, region);
	if (heap->cached > USER_HEAP_CACHED_PAGES)
		release_cached(heap);
}

void heap_run_shrink(struct user_heap *heap, struct heap_page *first, uint32_t pages)
{
	uint32_t rest = first->run - pages;

	if (rest == 0)
		return;
	first->run = pages;
	free_pages(heap, first + pages, rest);
}

void heap_run_free(struct user_heap *heap, struct heap_page *first)
{
	free_pages(heap, first, first->run);
}

void heap_run_trim(struct user_heap *heap)
{
	for (uint32_t i = 0; i < USER_HEAP_REGIONS; i++) {
		if (heap->region[i].pages != 0 && heap->region[i].used == 0)
			remove_region(heap, &heap->region[i]);
	}
	release_cached(heap);
}

/* Adds up what one region says about itself; false if its runs do not tile it. */
static bool region_is_valid(const struct heap_region *region, uint32_t number, uint64_t *committed, uint64_t *cached)
{
	uint32_t used = 0;
	bool after_free = false;

	if (region->fresh > region->pages || region->descriptors_committed > region->descriptor_pages)
		return false;
	for (uint32_t i = 0; i < region->fresh;) {
		const struct heap_page *first = &region->page[i];
		bool is_free = first->kind == HEAP_PAGE_FREE;

		if (first->kind == HEAP_PAGE_INSIDE || first->run == 0 || first->run > region->fresh - i)
			return false;
		if (first->index != i || first->region != number || (is_free && after_free))
			return false;
		uint32_t have = committed_pages(first, first->run);

		if (is_free ? first->count != have || first[first->run - 1].run != first->run : have != first->run)
			return false;
		*committed += have;
		*cached += is_free ? have : 0;
		used += is_free ? 0 : first->run;
		after_free = is_free;
		i += first->run;
	}
	*committed += region->descriptors_committed;
	return used == region->used;
}

bool heap_run_is_valid(const struct user_heap *heap)
{
	uint64_t committed = 0, cached = 0;

	for (uint32_t i = 0; i < USER_HEAP_REGIONS; i++) {
		if (!region_is_valid(&heap->region[i], i, &committed, &cached))
			return false;
	}
	for (uint32_t bin = 0; bin < USER_HEAP_BINS; bin++) {
		for (const struct heap_page *run = heap->bin[bin]; run != NULL; run = run->next) {
			if (run->kind != HEAP_PAGE_FREE || bin_of(run->run) != bin)
				return false;
		}
	}
	return committed == heap->statistics.pages && cached == heap->cached &&
	       heap->statistics.peak_pages >= heap->statistics.pages;
}
