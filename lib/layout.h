/*
 * Where the parts of a process lie in its address space. Pure arithmetic: from what the architecture fixes (a profile),
 * what the process asks for (a request) and random words, to the place of each part. No globals that change, no
 * memory, nothing looked up; all numbers are bytes.
 *
 *   classic                                    flexible
 *   task_size  ------------------------        task_size  ------------------------
 *              random offset                              random offset
 *              stack   grows down                         stack   grows down
 *              guard   nothing, ever                      guard   nothing, ever
 *              mmap    grows up      ^                    gap     (clamped stack limit), random offset
 *   TASK_SIZE/3 ---- mmap base ------|                    ------- mmap base
 *              heap    grows up      ^                    mmap    grows down      |
 *                                    |                              ...           v
 *              image   (text first)                       heap    grows up        ^
 *              hole    null pointers                      image   (text first)    |
 *   0          ------------------------        0          hole    null pointers
 *
 * The promise, as layout_is_valid() says it. Every part is whole pages inside [0, task_size). Hole, image, heap, mmap,
 * guard and stack follow one another in this order without overlap, and the profile's window meets none of the last
 * five. In the classic kinds the heap ends where the mmap region starts. In the flexible kind both have the same
 * range: the heap grows up from its start, mappings down from its end, and what comes later finds it occupied.
 *
 * Whether a request can be met does not depend on its random words: it is held against the largest offsets.
 */
#ifndef CAPOS_LIB_LAYOUT_H
#define CAPOS_LIB_LAYOUT_H

#include <stdbool.h>
#include <stdint.h>

#include "abi/status.h"
#include "lib/random_stream.h"
#include "lib/range.h"

/* The least gap below STACK_TOP in the flexible kind is this and the largest offset of the stack. */
#define LAYOUT_MIN_GAP (UINT64_C(128) << 20)
#define LAYOUT_DEFAULT_STACK (UINT64_C(8) << 20)
#define LAYOUT_DEFAULT_GUARD (UINT64_C(1) << 20)
#define LAYOUT_MAX_ALIGNMENT (UINT64_C(1) << 30)
/* A profile's task_size is no larger, so that no sum of a few of its addresses wraps. */
#define LAYOUT_MAX_TASK_SIZE (UINT64_C(1) << 56)

enum layout_architecture {
	LAYOUT_AMD64,
	LAYOUT_IA32,
	LAYOUT_ULTRASPARC,
	LAYOUT_ARCHITECTURES,
};

enum layout_kind {
	LAYOUT_CLASSIC,        /* mmap from unmapped_base upward, never at an offset */
	LAYOUT_CLASSIC_RANDOM, /* the same at a random offset, if the request is for random offsets at all */
	LAYOUT_FLEXIBLE,       /* mmap from below the stack downward */
	LAYOUT_KINDS,
};

enum layout_direction {
	LAYOUT_UPWARD,   /* the first mapping starts at the region's start */
	LAYOUT_DOWNWARD, /* the first mapping ends at the region's end */
};

/* One number for each part that has an offset of its own. */
struct layout_offsets {
	uint64_t stack, mmap, image, heap;
};

/* What an architecture fixes. Offsets are pages, 0 .. 2^bits - 1. */
struct layout_profile {
	const char *name;
	uint64_t page_size;             /* a power of two */
	uint64_t lowest;                /* nothing is ever mapped below */
	uint64_t text;                  /* where programs are linked, and the hole below ends */
	uint64_t task_size;             /* end of the user's addresses */
	uint64_t stack_top;             /* STACK_TOP: where a stack without offset ends */
	uint64_t unmapped_base;         /* TASK_UNMAPPED_BASE: TASK_SIZE / 3, in whole pages, in every profile here */
	struct uaddr_range window;      /* what the kernel keeps for itself below `text`; empty: 0 to 0 */
	struct layout_offsets max_bits; /* at most so many random bits an offset */
};

struct layout_request {
	enum layout_kind kind;
	bool is_random;               /* offsets for stack, movable image and, unless classic, mmap */
	bool has_heap_offset;         /* if random: the heap too */
	bool image_is_movable;        /* position-independent: at `text` and an offset. Else at image_start */
	uint64_t image_start;         /* whole pages; not read if movable */
	uint64_t image_bytes;         /* from the first segment's start to the last one's end; rounded up to pages */
	uint64_t image_align;         /* of a movable image: a power of two, from a page to LAYOUT_MAX_ALIGNMENT */
	uint64_t stack_limit;         /* rounded up to pages; above 5/6 of task_size, that */
	uint64_t guard_bytes;         /* below the stack; whole pages, at least one */
	struct layout_offsets random; /* any words; each part uses the low bits of its own */
};

struct layout {
	enum layout_kind kind;
	enum layout_direction mmap_direction;
	uint64_t page_size;
	uint64_t task_size;
	uint64_t gap;              /* flexible: the stack limit, clamped. Classic: 0 */
	struct uaddr_range hole;   /* from 0 */
	struct uaddr_range window; /* the profile's */
	struct uaddr_range image;
	struct uaddr_range heap;  /* grows upward from its start; the break never passes its end */
	struct uaddr_range mmap;  /* reservations without a hint */
	struct uaddr_range guard; /* right below the stack */
	struct uaddr_range stack; /* grows downward from its end to its start */
};

/* The profile of an architecture below LAYOUT_ARCHITECTURES. */
const struct layout_profile *layout_profile_of(enum layout_architecture architecture);

bool layout_profile_is_valid(const struct layout_profile *profile);

/* "classic", "classic-random", "flexible"; of a kind below LAYOUT_KINDS. */
const char *layout_kind_name(enum layout_kind kind);

/* Flexible, random, one page of image at `text`, a stack of 8 MiB, a guard of 1 MiB, random words 0. */
struct layout_request layout_request_of(const struct layout_profile *profile);

/* The random words of one layout: four of the stream's, in the order of struct layout_offsets. */
struct layout_offsets layout_draw(struct random_stream *stream);

/* The words that a seed stands for: those of a new stream (random_stream_init_number). */
struct layout_offsets layout_draw_seeded(uint64_t seed);

/*
 * Decide every place; the profile is valid. *layout is written only if all is well. In this order:
 * BAD_ARGUMENT (kind, image_align), ZERO_LENGTH (image, stack, guard), MISALIGNED (guard, image_start),
 * LAYOUT_STACK_TOO_LARGE (classic: it reaches down to the mmap base; flexible: no page is left above `text`),
 * LAYOUT_IMAGE_TOO_LOW (below `lowest`), BOOTSTRAP_RANGE (on the window), LAYOUT_IMAGE_TOO_HIGH (no page for a heap is
 * left above it).
 *
 * The mmap region of the flexible kind ends `gap` below STACK_TOP, less its own offset. Where the stack's offset, its
 * limit and the guard together are more than the gap (a limit near or above 128 MiB), it ends at the guard's start
 * instead, less its own offset: the stack has its whole limit always.
 */
enum status layout_make(const struct layout_profile *profile, const struct layout_request *request,
			struct layout *layout);

/* Where the first mapping goes: mm->mmap_base. */
uint64_t layout_mmap_base(const struct layout *layout);

bool layout_is_valid(const struct layout *layout);

#endif
