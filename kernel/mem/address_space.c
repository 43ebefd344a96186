#include "kernel/mem/address_space.h"

#include "kernel/arch/x86_64/cpu_local.h"
#include "kernel/arch/x86_64/features.h"
#include "kernel/arch/x86_64/interrupt_window.h"
#include "kernel/mem/memory_object.h"
#include "kernel/mem/page_walk.h"
#include "lib/check.h"
#include "lib/string.h"

/*
 * Process-context identifiers. 0 is the kernel's own, and that of spaces when all others are taken. One that is taken
 * again may still tag old translations somewhere: a new space is warm nowhere, so each CPU flushes it at the first
 * load.
 */
#define PCIDS 4096u

static struct spinlock pcid_lock = SPINLOCK_INIT(LOCK_PCID);
static uint64_t pcid_taken[PCIDS / 64]; /* pcid_lock */

static uint16_t take_pcid(void)
{
	uint16_t pcid = 0;

	if (!features_get()->pcid)
		return 0;
	spinlock_acquire(&pcid_lock);
	for (uint32_t i = 1; i < PCIDS && pcid == 0; i++)
		if ((pcid_taken[i / 64] & UINT64_C(1) << i % 64) == 0)
			pcid = (uint16_t)i;
	if (pcid != 0)
		pcid_taken[pcid / 64] |= UINT64_C(1) << pcid % 64;
	spinlock_release(&pcid_lock);
	return pcid;
}

static void give_pcid(uint16_t pcid)
{
	if (pcid == 0)
		return;
	spinlock_acquire(&pcid_lock);
	pcid_taken[pcid / 64] &= ~(UINT64_C(1) << pcid % 64);
	spinlock_release(&pcid_lock);
}

static struct uaddr_range user_range(uint64_t start, uint64_t end)
{
	return (struct uaddr_range){ uaddr_from_u64(start), uaddr_from_u64(end) };
}

enum status address_space_create(struct address_space *space, struct account *account, const pte_t *kernel_root)
{
	struct charge charge = { .kinds = 0 };
	frame_t root;

	charge_add(&charge, LEDGER_PAGE_TABLE, 1);
	TRY(account_charge_and_promise(account, &charge, 1));
	root = frame_take_zeroed(FRAME_TABLE, space);
	*space = (struct address_space){ .root = root, .root_table = direct_map_of_frame(root), .account = account };
	spinlock_name(&space->lock, LOCK_ADDRESS_SPACE);
	space->pcid = take_pcid();
	space->areas.map = user_range(USER_START, ADDRESS_SPACE_MAP_TOP);
	memcpy(&space->root_table[USER_ROOT_ENTRIES], &kernel_root[USER_ROOT_ENTRIES],
	       (PTE_ENTRIES - USER_ROOT_ENTRIES) * sizeof(pte_t));
	page_gap_reset(space);
	return STATUS_OK;
}

/* Empty, or whole pages that a program may have. */
static bool area_is_valid(struct uaddr_range area)
{
	return uaddr_range_bytes(area) == 0 ||
	       (u64_is_page_aligned(uaddr_to_u64(area.start) | uaddr_to_u64(area.end)) &&
		uaddr_to_u64(area.start) >= USER_START && uaddr_to_u64(area.start) < uaddr_to_u64(area.end) &&
		uaddr_to_u64(area.end) <= USER_LIMIT);
}

bool address_space_areas_are_valid(const struct space_areas *areas)
{
	bool stands_on_guard = uaddr_to_u64(areas->guard.end) == uaddr_to_u64(areas->stack.start);

	return area_is_valid(areas->map) && area_is_valid(areas->heap) && area_is_valid(areas->stack) &&
	       area_is_valid(areas->guard) && uaddr_range_bytes(areas->map) != 0 &&
	       (uaddr_range_bytes(areas->stack) == 0 || (uaddr_range_bytes(areas->guard) != 0 && stands_on_guard)) &&
	       !uaddr_range_overlaps(areas->map, areas->stack) && !uaddr_range_overlaps(areas->map, areas->guard) &&
	       !uaddr_range_overlaps(areas->heap, areas->stack) && !uaddr_range_overlaps(areas->heap, areas->guard);
}

void address_space_set_areas(struct address_space *space, const struct space_areas *areas)
{
	CHECK(address_space_areas_are_valid(areas));
	space->areas = *areas;
	space->heap_break = uaddr_to_u64(areas->heap.start);
	page_gap_reset(space);
}

uint64_t address_space_enter_cpu(struct address_space *space, uint32_t cpu)
{
	uint64_t root = paddr_to_u64(paddr_from_frame(space->root)) | space->pcid;
	uint64_t bit = UINT64_C(1) << cpu;

	__atomic_fetch_or(&space->residency, bit, __ATOMIC_SEQ_CST);
	if (space->pcid != 0 && (__atomic_fetch_or(&space->warm, bit, __ATOMIC_SEQ_CST) & bit) != 0)
		root |= PTE_ROOT_NO_FLUSH;
	return root;
}

uint64_t address_space_changed(struct address_space *space)
{
	uint64_t own = cpu_current()->bit & __atomic_load_n(&space->residency, __ATOMIC_RELAXED);

	space->seen.word = 0;
	/* This CPU keeps it loaded and flushes what it must; but it stays cold if somebody else's change, which it may
	   not have been told of yet, made it so. */
	__atomic_fetch_and(&space->warm, own, __ATOMIC_SEQ_CST);
	return __atomic_load_n(&space->residency, __ATOMIC_SEQ_CST);
}

void address_space_leave_cpu(struct address_space *space, uint32_t cpu)
{
	__atomic_fetch_and(&space->residency, ~(UINT64_C(1) << cpu), __ATOMIC_SEQ_CST);
}

pte_t address_space_entry(const struct address_space *space, uint64_t address, unsigned *level)
{
	const pte_t *table = space->root_table;

	for (*level = PTE_LEVELS;; (*level)--) {
		pte_t entry = table[pte_index(address, *level)];

		if (*level == 1 || !pte_is_present(entry))
			return entry;
		table = page_table_of(entry);
	}
}

static bool same_region(pte_t a, pte_t b)
{
	const uint64_t region_bits = PTE_KIND_MASK | PTE_LAZY_IMAGE; /* which only lazy pages have, of a program's */

	return ((pte_bits(a) ^ pte_bits(b)) & region_bits) == 0 && pte_protection(a) == pte_protection(b);
}

/* Entries of a table that are the user's: the upper half of the root is the kernel's, with large pages. */
static unsigned user_entries(unsigned level)
{
	return level == PTE_LEVELS ? USER_ROOT_ENTRIES : PTE_ENTRIES;
}

/*
 * The first address at or after `from` (before, from `from` downwards) whose entry says something else than `like`,
 * below one table. One table is a bounded step.
 */
static bool find_other_above(const pte_t *table, unsigned level, uint64_t from, pte_t like, uint64_t *other)
{
	uint64_t span = pte_span(level);
	uint64_t address = from & ~(span - 1);

	for (unsigned i = pte_index(from, level); i < user_entries(level); i++, address += span) {
		pte_t entry = table[i];

		if (level == 1 || !pte_is_present(entry)) {
			if (same_region(like, entry))
				continue;
			*other = address;
			return true;
		}
		if (find_other_above(page_table_of(entry), level - 1, address > from ? address : from, like, other))
			return true;
	}
	interrupt_window_open();
	return false;
}

static bool find_other_below(const pte_t *table, unsigned level, uint64_t from, pte_t like, uint64_t *other)
{
	uint64_t span = pte_span(level);
	uint64_t last = from | (span - 1); /* of the entry's span */

	for (unsigned i = pte_index(from, level) + 1; i-- > 0; last -= span) {
		pte_t entry = table[i];

		if (level == 1 || !pte_is_present(entry)) {
			if (same_region(like, entry))
				continue;
			*other = last;
			return true;
		}
		if (find_other_below(page_table_of(entry), level - 1, last < from ? last : from, like, other))
			return true;
	}
	interrupt_window_open();
	return false;
}

static struct virtual_memory_region region_around(const struct address_space *space, uint64_t address)
{
	unsigned level;
	pte_t here = address_space_entry(space, address, &level);
	struct virtual_memory_region region = { USER_START, USER_LIMIT, pte_kind(here), pte_protection(here) };
	uint64_t other;

	if (find_other_above(space->root_table, PTE_LEVELS, address, here, &other) && other < USER_LIMIT)
		region.end = other;
	if (find_other_below(space->root_table, PTE_LEVELS, address, here, &other) && other >= USER_START)
		region.start = other + 1;
	return region;
}

static struct uaddr_range whole_user_half(void)
{
	return user_range(USER_START, USER_LIMIT);
}

enum status address_space_query(struct address_space *space, uint64_t address, struct virtual_memory_region *region)
{
	GUARD(address >= USER_START && address < USER_LIMIT, STATUS_NOT_USER_ADDRESS);
	address_space_lock(space, whole_user_half());
	*region = region_around(space, address);
	address_space_unlock(space, whole_user_half());
	return STATUS_OK;
}

enum status address_space_next_region(struct address_space *space, uint64_t address,
				      struct virtual_memory_region *region)
{
	enum status status = STATUS_NOT_FOUND;

	if (address < USER_START)
		address = USER_START;
	address_space_lock(space, whole_user_half());
	while (address < USER_LIMIT) {
		*region = region_around(space, address);
		if (region->kind != PAGE_EMPTY) {
			status = STATUS_OK;
			break;
		}
		address = region->end;
	}
	address_space_unlock(space, whole_user_half());
	return status;
}

/* ---- taking apart ---- */

struct release {
	struct charge refund;
	struct frame_gather gather;
};

/* A table with no more entries than this is cleared as it is released: less work than to zero it for the next one. */
#define CLEARED_MOST 96u

static void clear_group(pte_t *entry)
{
	for (const pte_t *end = entry + PAGE_GROUP; entry != end; entry += PAGE_STRIDE) {
		UNROLLED
		for (uint32_t i = 0; i < PAGE_STRIDE; i++)
			entry[i] = pte_uniform(PAGE_EMPTY);
	}
}

static void release_page(struct release *release, pte_t entry)
{
	frame_t frame = pte_frame(entry);

	switch (pte_kind(entry)) {
	case PAGE_LAZY:
		if (pte_kind_when_touched(entry) == PAGE_IMAGE) {
			charge_add(&release->refund, LEDGER_IMAGE, 1);
			return;
		}
		charge_add(&release->refund, LEDGER_VIRTUAL_RESERVATION, 1);
		charge_add(&release->refund, LEDGER_FRAME_GRANT, 1);
		return;
	case PAGE_ANONYMOUS:
		charge_add(&release->refund, LEDGER_VIRTUAL_RESERVATION, 1);
		charge_add(&release->refund, LEDGER_FRAME_GRANT, 1);
		break;
	case PAGE_BORROWED:
		charge_add(&release->refund, LEDGER_FRAME_GRANT, 1);
		memory_object_unmap_frame(frame, &release->gather);
		return;
	case PAGE_IMAGE:
	case PAGE_BOOTSTRAP:
		charge_add(&release->refund, LEDGER_IMAGE, 1);
		break;
	case PAGE_RESERVED:
		charge_add(&release->refund, LEDGER_VIRTUAL_RESERVATION, 1);
		return;
	case PAGE_EMPTY:
	case PAGE_GUARD:
	case PAGE_KIND_COUNT:
		return;
	}
	frame_gather_add(&release->gather, frame, frame_info_of(frame));
}

static void release_table(struct release *release, pte_t *table, unsigned level);

static void release_entry(struct release *release, pte_t entry, unsigned level)
{
	if (level == 1) {
		release_page(release, entry);
	} else if (pte_is_present(entry)) {
		release_table(release, page_table_of(entry), level - 1);
		charge_add(&release->refund, LEDGER_PAGE_TABLE, 1);
		frame_gather_add(&release->gather, pte_frame(entry), frame_info_of(pte_frame(entry)));
	} else if (pte_kind(entry) == PAGE_RESERVED) {
		charge_add(&release->refund, LEDGER_VIRTUAL_RESERVATION, pte_span(level) >> PAGE_SHIFT);
	}
}

/* Returns how many of its entries were in use and no guards. */
static uint32_t release_group(struct release *release, const pte_t *group, unsigned level)
{
	uint32_t used = 0;

	for (uint32_t i = 0; i < PAGE_GROUP; i++) {
		if (pte_is_empty(group[i]) || pte_equal(group[i], pte_uniform(PAGE_GUARD)))
			continue;
		release_entry(release, group[i], level);
		used++;
	}
	return used;
}

/*
 * Everything below a table, by the groups that may have something to give back, until all that is in use was met. A
 * table is a bounded step. Nobody translates by it any more, so frames are free at once.
 */
static void release_table(struct release *release, pte_t *table, unsigned level)
{
	struct frame_info *info = frame_info_of(direct_map_frame(table));
	const bool clears = page_table_used(info) <= CLEARED_MOST && page_table_guards(info) == 0;
	uint32_t left = page_table_used(info) - page_table_guards(info);
	uint32_t groups = page_table_groups(info);

	for (; left != 0; groups &= groups - 1) {
		pte_t *group;

		CHECK(groups != 0);
		group = &table[(uint64_t)__builtin_ctz(groups) * PAGE_GROUP];
		left -= release_group(release, group, level);
		if (clears)
			clear_group(group);
	}
	if (clears)
		info->count = 0; /* as a table that has become empty: it is all zero */
	frame_gather_free(&release->gather);
	release->gather = FRAME_GATHER_EMPTY;
	interrupt_window_open();
}

void address_space_destroy(struct address_space *space)
{
	struct release release = { .gather = FRAME_GATHER_EMPTY };

	CHECK(__atomic_load_n(&space->residency, __ATOMIC_SEQ_CST) == 0);
	release_table(&release, space->root_table, PTE_LEVELS);
	give_pcid(space->pcid);
	frame_free(space->root, FRAME_TABLE, space);
	charge_add(&release.refund, LEDGER_PAGE_TABLE, 1);
	account_refund(space->account, &release.refund);
	space->root_table = NULL;
}
