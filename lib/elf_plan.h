/*
 * ELF64 bytes to a load plan. Pure: reads headers, writes one struct, allocates nothing; arbitrary bytes are safe.
 *
 * The file may be one that others write at the same time: each header is read once, into a copy, and the plan is made
 * of these copies alone, so it is the plan of what was checked. What the loader copies by it later are bytes that are
 * not looked at here.
 *
 * The promise of a valid plan: segments sorted by address, whole pages, disjoint, inside [USER_START, USER_LIMIT),
 * clear of the bootstrap window, none writable and executable; file bytes inside the file; entry inside an executable
 * segment. Format: System V ABI and TIS ELF 1.2; numbers from <elf.h>.
 *
 * A position-independent file (ET_DYN without an interpreter) gives a movable plan: its addresses count from 0, so the
 * promise holds but for [USER_START, USER_LIMIT) and the window. elf_plan_place says where it lies, and from then on
 * all of it holds: it is a plan like any other. What is relocated in it is for the program to do.
 */
#ifndef CAPOS_LIB_ELF_PLAN_H
#define CAPOS_LIB_ELF_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi/status.h"
#include "lib/range.h"

#ifndef ELF_PLAN_MAX_SEGMENTS /* a bounded proof has fewer */
#define ELF_PLAN_MAX_SEGMENTS 16u
#endif
#define ELF_PLAN_MAX_PAGES (UINT64_C(1) << 28)      /* 1 TiB of image */
#define ELF_PLAN_MAX_ALIGNMENT UINT64_C(0x40000000) /* of a movable plan */
#define ELF_PLAN_MAX_TLS_BYTES (UINT64_C(1) << 20)  /* a thread's block; the kernel makes it for the first thread */

struct elf_segment {
	struct uaddr_range pages; /* whole pages that the segment covers */
	uint64_t file_offset;     /* of the first file byte */
	uint64_t file_bytes;
	uint64_t address;    /* where the first file byte goes; inside `pages`; bytes around it are zero */
	uint32_t protection; /* PROTECTION_* */
};

struct elf_plan {
	uint32_t segments;
	struct elf_segment segment[ELF_PLAN_MAX_SEGMENTS];
	bool is_movable;    /* addresses count from 0, until it is placed */
	uint64_t alignment; /* of the loads, at least a page: of a movable plan's place */
	uint64_t entry;
	uint64_t image_pages;     /* of all segments together */
	uint64_t program_headers; /* user address of the program headers if a load covers them, else 0 (AT_PHDR) */
	uint32_t program_header_count;
	bool has_tls;
	uint64_t tls_file_offset, tls_file_bytes; /* initial image: bytes of the file */
	uint64_t tls_memory_bytes, tls_alignment; /* alignment is a power of two, 1 .. 4096 */
};

/* Where a file's bytes come from. */
struct elf_source {
	/* Copy [offset, offset + bytes), which is not empty and lies within `size`, to `to`; or fail. */
	enum status (*read)(const void *context, uint64_t offset, uint64_t bytes, void *to);
	const void *context;
	uint64_t size; /* does not change */
};

/* Each bad header has its own STATUS_ELF_* answer; a read that fails, its own. *plan is undefined then. */
enum status elf_plan_make_from(const struct elf_source *source, struct elf_plan *plan);

/* The same of a file in memory. */
enum status elf_plan_make(const void *bytes, size_t size, struct elf_plan *plan);

/* From where the image begins (0 if it is movable) to the end of its last segment. */
struct uaddr_range elf_plan_range(const struct elf_plan *plan);

/*
 * A movable plan to its place; it is movable no more. MISALIGNED, ELF_SEGMENT_NOT_USER, ELF_SEGMENT_ON_BOOTSTRAP: it is
 * as before.
 */
enum status elf_plan_place(struct elf_plan *plan, uint64_t start);

/* The pages of a segment that have bytes of the file; those behind them are zero. */
struct uaddr_range elf_plan_file_pages(const struct elf_segment *segment);

bool elf_plan_is_valid(const struct elf_plan *plan, uint64_t file_size);

#endif
