/*
 * VirtualMemory: anonymous memory of the one address space that the capability is bound to. Not transferable.
 *
 * Addresses and lengths are bytes and whole pages. A hint (argument 0, may be 0) is only a hint unless
 * VIRTUAL_MEMORY_FIXED is set; FIXED onto anything not empty fails. Each failed call changes nothing.
 *
 * VIRTUAL_MEMORY_LAZY commits without frames: the pages are charged at once, in full, with the tables above them, and
 * each gets a zeroed frame when it is first touched, by the program or by the kernel for it. So a touch can fail for no
 * quota, only because no frame is left in the system.
 */
#ifndef CAPOS_ABI_VIRTUAL_MEMORY_ABI_H
#define CAPOS_ABI_VIRTUAL_MEMORY_ABI_H

#include <stdint.h>

enum virtual_memory_operation {
	VIRTUAL_MEMORY_MAP = 0,      /* (hint, length, protection, flags) -> address; reserve and commit in one */
	VIRTUAL_MEMORY_RESERVE = 1,  /* (hint, length, flags) -> address; no frame is taken */
	VIRTUAL_MEMORY_COMMIT = 2,   /* (address, length, protection, flags); committed pages keep data and protection.
				      * Lazy ones keep theirs too, and get frames unless the commit is lazy itself */
	VIRTUAL_MEMORY_DECOMMIT = 3, /* (address, length); frames go back, the reservation stays */
	VIRTUAL_MEMORY_PROTECT = 4,  /* (address, length, protection); all pages must be committed */
	VIRTUAL_MEMORY_UNMAP = 5,    /* (address, length); reservation and frames go back */
	VIRTUAL_MEMORY_QUERY = 6,    /* (address, buffer, bytes): struct virtual_memory_region */
	VIRTUAL_MEMORY_STATISTICS = 7, /* (buffer, bytes): struct memory_statistics */
	VIRTUAL_MEMORY_BREAK = 8,      /* (address) -> break: the heap ends there now, pages lazily committed; 0 asks */
	VIRTUAL_MEMORY_OPERATION_COUNT
};

#define VIRTUAL_MEMORY_FIXED 1u /* MAP, RESERVE */
#define VIRTUAL_MEMORY_LAZY 2u  /* MAP, COMMIT */

/* What a page is. The same numbers as in the page table's software bits. */
enum page_kind {
	PAGE_EMPTY = 0,
	PAGE_RESERVED = 1,  /* reserved, no frame */
	PAGE_ANONYMOUS = 2, /* committed; with PROTECTION_NONE the frame and its data stay */
	PAGE_BORROWED = 3,  /* mapping of a memory object */
	PAGE_IMAGE = 4,     /* ELF segment, stack or TLS */
	PAGE_BOOTSTRAP = 5, /* ring or CapSet */
	PAGE_GUARD = 6,     /* never to be mapped: below a stack */
	PAGE_LAZY = 7,      /* committed, or of the image; its frame comes at the first touch */
	PAGE_KIND_COUNT
};

struct virtual_memory_region {
	uint64_t start, end; /* the longest range around the address with one kind and one protection */
	uint32_t kind;       /* enum page_kind */
	uint32_t protection; /* PROTECTION_* */
};

enum ledger_kind {
	LEDGER_VIRTUAL_RESERVATION = 0, /* pages reserved, committed or not */
	LEDGER_FRAME_GRANT = 1,         /* committed anonymous pages + pages of held memory objects + borrowed pages */
	LEDGER_IMAGE = 2,               /* ELF, stack, TLS, ring, CapSet pages */
	LEDGER_PAGE_TABLE = 3,          /* page-table pages of the user half, and the root */
	LEDGER_CAP_SLOTS = 4,
	LEDGER_KERNEL_OBJECT = 5, /* bytes */
	LEDGER_COUNT
};

struct ledger_reading {
	uint64_t used, limit, peak;
};

struct memory_statistics {
	struct ledger_reading ledger[LEDGER_COUNT];
	uint64_t system_frames;      /* frames of RAM */
	uint64_t system_free_frames; /* of these free now */
};

_Static_assert(sizeof(struct virtual_memory_region) == 24, "layout");
_Static_assert(sizeof(struct memory_statistics) == 160, "layout");

#endif
