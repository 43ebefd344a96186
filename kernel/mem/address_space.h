/*
 * A process's address space. The page table is the only record: each entry says what its page is (pte.h), so there is
 * no list of regions to keep equal to it, and the ledgers can be recomputed from it.
 *
 * Lower-half tables belong to the space; the upper half is the kernel's, shared by all roots. A table whose entries are
 * all empty, or all reserved, is given back and its parent's entry says so for the whole span.
 *
 * Locking: each call below that takes a space takes and releases its lock itself, unless it says "locked"; no
 * lock may be held (lock_order.h). A call that fails has changed nothing: not the tables, not a ledger.
 */
#ifndef CAPOS_KERNEL_MEM_ADDRESS_SPACE_H
#define CAPOS_KERNEL_MEM_ADDRESS_SPACE_H

#include <stdbool.h>
#include <stdint.h>

#include "abi/status.h"
#include "abi/virtual_memory_abi.h"
#include "kernel/arch/x86_64/kernel_watch.h"
#include "kernel/arch/x86_64/pte.h"
#include "kernel/arch/x86_64/spinlock.h"
#include "kernel/mem/account.h"
#include "kernel/mem/frame.h"
#include "lib/check.h"
#include "lib/range.h"

/* In a space whose areas nobody has set, reservations without a hint go below this address, downwards. */
#define ADDRESS_SPACE_MAP_TOP UINT64_C(0x00007ffff0000000)
#define GAP_CLASSES 6u
#define USER_ROOT_ENTRIES (PTE_ENTRIES / 2) /* of the root; those above are the kernel's */

/*
 * A search for `pages` or more may start so many bytes from where mappings begin (areas.map.end, or .start if upward):
 * likely nothing that large is free before.
 */
struct gap_hint {
	uint64_t depth;
	uint64_t pages;
};

/* What a space knows of its layout (lib/layout.h): whole pages each, in the user half, and not one upon another but for
 * heap and map. */
struct space_areas {
	struct uaddr_range map;   /* where mappings without a hint go; not empty */
	bool map_upward;          /* from map.start up; else from map.end down */
	struct uaddr_range heap;  /* the break never leaves it; empty: there is no break */
	struct uaddr_range stack; /* the first thread's stack may grow down to stack.start; empty: none does */
	struct uaddr_range guard; /* right below the stack */
};

/*
 * The page that was last found accessible: a TLB of one entry for buffers. Like the CPUs' it forgets when translations
 * that were present change (address_space_changed), and not when others come. word 0: none.
 */
struct seen_page {
	uint64_t word; /* seen_page_word */
	frame_t frame;
};

#define SEEN_VALID UINT64_C(1)
#define SEEN_WRITABLE UINT64_C(2)

static inline uint64_t seen_page_word(uint64_t address, bool writable)
{
	return (address & ~(PAGE_SIZE - 1)) | SEEN_VALID | (writable ? SEEN_WRITABLE : 0);
}

/* Whether the address is in it, and may be read (or written). */
static inline bool seen_page_is(const struct seen_page *seen, uint64_t address, bool writable)
{
	const uint64_t wanted = seen_page_word(address, writable);

	return (seen->word & (wanted | ~SEEN_WRITABLE)) == wanted;
}

struct address_space {
	struct spinlock lock;
	frame_t root;
	pte_t *root_table; /* lock; through the direct map */
	struct account *account;
	uint64_t residency; /* CPUs that have the space loaded, by bit; atomic */
	/*
	 * CPUs that may load it without a flush: they kept its translations under its PCID, and none has changed since.
	 * Atomic. A change clears it before it reads residency; a load sets residency before it reads it: so either the
	 * load flushes, or the change finds the CPU resident and tells it (SDM vol. 3A, 4.10.4).
	 */
	uint64_t warm;
	uint16_t pcid;   /* fixed; 0: none, each load flushes */
	uint64_t parked; /* atomic: threads that sleep on words of it; not 0: task_pages_gone is told */
	/*
	 * lock; for sizes of 4^k pages up to 4^(k+1): where a search starts, so that what lies packed above costs
	 * nothing
	 */
	struct gap_hint gap_hint[GAP_CLASSES];
	struct seen_page seen;    /* lock */
	uint64_t heap_break;      /* lock; a byte of areas.heap, or its end */
	struct space_areas areas; /* fixed before the first thread runs */
} __attribute__((aligned(16)));

/*
 * An empty user half under the kernel's half; charges the root to LEDGER_PAGE_TABLE. `kernel_root` is the kernel's
 * PML4. OVER_PAGE_TABLE, OUT_OF_MEMORY.
 */
enum status address_space_create(struct address_space *space, struct account *account, const pte_t *kernel_root);

/*
 * Where the parts of the process lie. Before its first thread runs; nothing but image and guard pages is there yet. A
 * space without: map is [USER_START, ADDRESS_SPACE_MAP_TOP), downward, and the rest is empty. The break is the heap's
 * start.
 */
void address_space_set_areas(struct address_space *space, const struct space_areas *areas);

bool address_space_areas_are_valid(const struct space_areas *areas);

/*
 * Take everything apart, in bounded steps: all frames but those of memory objects that live on, all tables, the root.
 * Refunds every ledger. No CPU may have the space loaded any more.
 */
void address_space_destroy(struct address_space *space);

/* The lock names the range that the caller is about to look at or change, so that it can become finer. */
static inline void address_space_lock(struct address_space *space, struct uaddr_range range)
{
	(void)range; /* one lock for the whole space, for now */
	spinlock_acquire(&space->lock);
}

static inline void address_space_unlock(struct address_space *space, struct uaddr_range range)
{
	(void)range;
	spinlock_release(&space->lock);
}

/* CPU `cpu` is about to load this space: the value for CR3. And: it has loaded another one. */
uint64_t address_space_enter_cpu(struct address_space *space, uint32_t cpu);
void address_space_leave_cpu(struct address_space *space, uint32_t cpu);

/*
 * Translations of the space have changed: what was seen is forgotten, and CPUs that do not have it loaded must flush
 * when they load it again. Returns the CPUs that have it loaded, for tlb_flush. Locked.
 */
uint64_t address_space_changed(struct address_space *space);

/*
 * Upcall into kernel/task: pages of `range` are unmapped or have lost their frames, and nothing else is there yet.
 * Locked.
 */
void task_pages_gone(struct address_space *space, struct uaddr_range range);

static inline void address_space_pages_gone(struct address_space *space, struct uaddr_range range)
{
	if (UNLIKELY(__atomic_load_n(&space->parked, __ATOMIC_RELAXED) != 0))
		task_pages_gone(space, range);
}

/* The entry that covers an address, and the level it stands at. Locked. */
pte_t address_space_entry(const struct address_space *space, uint64_t address, unsigned *level);

/*
 * What is at an address: the longest range around it with one kind and one protection (PAGE_EMPTY counts too).
 * NOT_USER_ADDRESS.
 */
enum status address_space_query(struct address_space *space, uint64_t address, struct virtual_memory_region *region);

/* The first region that is not empty and ends after `address`: NOT_FOUND. For listings and checks. */
enum status address_space_next_region(struct address_space *space, uint64_t address,
				      struct virtual_memory_region *region);

/* Pages and tables of the user half, counted from the table itself. */
struct address_space_census {
	uint64_t pages[PAGE_KIND_COUNT]; /* PAGE_RESERVED: uncommitted; PAGE_LAZY: anonymous; PAGE_EMPTY is not counted
					  */
	uint64_t lazy_image;
	uint64_t tables; /* with the root */
};

void address_space_count(struct address_space *space, struct address_space_census *census);

/*
 * Counters of every table agree with its entries; every frame is owned as its entry says; no table is empty or all
 * reserved; no page is writable and executable; no upper-half entry differs from `kernel_root`; bootstrap pages lie in
 * their window and nowhere else.
 */
bool address_space_is_valid(struct address_space *space, const pte_t *kernel_root);

/* What an audit has found first. */
struct address_space_fault {
	const char *what; /* NULL: nothing is wrong */
	uint64_t address; /* of the page, or where the table begins */
};

/* The same of the tables and entries on the way to the pages of a range, at most AUDIT_TABLES tables. Locked. */
#define AUDIT_TABLES 8u
struct address_space_fault address_space_audit_range(const struct address_space *space, struct uaddr_range range);

/*
 * After an operation that has changed the range: debug kernels panic if something is wrong there, or, after every so
 * many operations, anywhere in the space. Locked.
 */
#ifdef KERNEL_WATCH

void address_space_audit_operation(const struct address_space *space, struct uaddr_range range);

/* Look at the whole space after each operation, or only sometimes. At boot. */
void address_space_audit_begin(bool always);

#else

static inline void address_space_audit_operation(const struct address_space *space, struct uaddr_range range)
{
	(void)space;
	(void)range;
}

static inline void address_space_audit_begin(bool always)
{
	(void)always;
}

#endif

#endif
