/*
 * Memory object: a fixed number of zeroed frames, mapped by whoever holds a capability to it.
 *
 * Life: created with one hold. While a hold exists, all frames exist. When the last hold goes, every frame that nobody
 * maps is freed at once, since nobody can reach it again; the others live until their own last mapping goes. So what a
 * process keeps alive by a mapping alone is exactly what that mapping is charged for. When neither hold, nor mapping,
 * nor use is left, the object itself goes.
 *
 * Per frame: frame_info.owner names the object, frame_info.count counts its mappings (guarded by the object's lock),
 * frame_info.link is its page in the object until it is freed.
 * Invariant: mappings = sum of the frames' counts, but for the operation that is changing them.
 *
 * The lock is held for bounded steps only: a leaf table's worth of pages that are mapped or unmapped, or of frames that
 * go after the last hold. What ends a hold or a use is called without locks, since it may take as many steps as there
 * are pages.
 */
#ifndef CAPOS_KERNEL_MEM_MEMORY_OBJECT_H
#define CAPOS_KERNEL_MEM_MEMORY_OBJECT_H

#include <stdbool.h>
#include <stdint.h>

#include "abi/status.h"
#include "kernel/arch/x86_64/spinlock.h"
#include "kernel/mem/frame.h"

struct memory_object {
	uint64_t pages;        /* fixed */
	uint64_t flags;        /* fixed; FRAME_ALLOCATOR_* as granted */
	uint64_t index_frames; /* lock; 0 once the last hold and use are gone */
	struct spinlock lock;
	uint32_t holds;    /* lock; capabilities in all tables */
	uint32_t uses;     /* lock; operations that look at it now */
	uint64_t mappings; /* lock; borrowed pages in all address spaces */
	/* lock; where the frames are: contiguous from `first`, or a tree of index frames of `depth` levels under
	 * `first` */
	frame_t first;
	uint32_t depth;
	uint64_t frames; /* lock; that exist: all pages while there is a hold or use, then also those not swept yet */
	uint64_t swept; /* lock; 0 while there is a hold or use; then only the mapped ones of these first pages exist */

	uint64_t number; /* fixed; for people to tell objects apart */

	struct memory_object *next, *previous; /* list of all objects, object_list_lock */
} __attribute__((aligned(16)));

/* What a capability sees of its object. */
struct memory_window {
	uint64_t first, pages;
	bool is_read_only;
};

#define MEMORY_OBJECT_MAX_PAGES (UINT64_C(1) << 27) /* 512 GiB */

/* Bytes of kernel memory that an object of that many pages costs; every hold is charged them. */
uint64_t memory_object_kernel_bytes(uint64_t pages, uint64_t flags);

/*
 * `pages` zeroed frames, one hold. Charging is the caller's, before. ZERO_LENGTH, TOO_LONG (above
 * MEMORY_OBJECT_MAX_PAGES), UNSUPPORTED (unknown flag), OUT_OF_MEMORY, NO_CONTIGUOUS_RUN.
 */
enum status memory_object_create(uint64_t pages, uint64_t flags, struct memory_object **object);

/* One more, or one less, capability that names it. The last one less, also of uses: no locks, it may take long. */
void memory_object_add_hold(struct memory_object *object);
void memory_object_drop_hold(struct memory_object *object);

/* Keep the object's memory valid for one operation without the lock. */
void memory_object_use(struct memory_object *object);
void memory_object_end_use(struct memory_object *object);

/*
 * Frames of the object from `page` on that stand in one row: *number is the array of their frame numbers, or NULL if
 * they follow each other from *first. Returns how many, at least 1. page < pages.
 */
uint64_t memory_object_row(const struct memory_object *object, uint64_t page, const uint64_t **number, frame_t *first);

/* One of them. */
frame_t memory_object_frame(const struct memory_object *object, uint64_t page);

/*
 * So many mappings more than there are (TOO_LONG: a frame could not count them), or less. The counts of the frames are
 * the caller's to change, under the lock; it has a use of the object. Not locked.
 */
enum status memory_object_add_mappings(struct memory_object *object, uint64_t pages);
void memory_object_drop_mappings(struct memory_object *object, uint64_t pages);

/*
 * A mapping of one frame is gone; its translations may live until the caller's flush. A frame that nobody can reach any
 * more joins the gather. The object may be gone afterwards. Not locked.
 */
void memory_object_unmap_frame(frame_t frame, struct frame_gather *gather);

/* The object that a frame belongs to. The frame's use is FRAME_OBJECT. */
struct memory_object *memory_object_of_frame(frame_t frame);

/* All objects of the system: how many frames they and their indexes are, and whether each is valid. At rest. */
struct memory_object_census {
	uint64_t objects, frames, index_frames;
	bool valid;
};

void memory_object_count(struct memory_object_census *census);

/* Looks at every frame of the object. Locked or at rest. */
bool memory_object_is_valid(struct memory_object *object);

#endif
