/*
 * Looking at what page tables say, and what ought to agree with it: the whole of a space, or what one operation has
 * touched. Declared in address_space.h.
 */
#include "kernel/mem/address_space.h"

#include "kernel/arch/x86_64/interrupt_window.h"
#include "kernel/arch/x86_64/panic.h"
#include "kernel/arch/x86_64/time_limit.h"
#include "kernel/mem/page_walk.h"
#include "kernel/mem/paging.h"
#include "lib/check.h"

struct audit {
	const struct address_space *space;
	struct address_space_census census;
	struct address_space_fault fault;
	uint32_t tables_left; /* of a range: how many may still be looked at */
};

static void found(struct audit *audit, const char *what, uint64_t address)
{
	if (audit->fault.what == NULL)
		audit->fault = (struct address_space_fault){ what, address };
}

static void expect(struct audit *audit, bool holds, const char *what, uint64_t address)
{
	if (!holds)
		found(audit, what, address);
}

static unsigned user_entries(unsigned level)
{
	return level == PTE_LEVELS ? USER_ROOT_ENTRIES : PTE_ENTRIES;
}

static bool is_in_window(uint64_t address)
{
	return address >= BOOTSTRAP_START && address < BOOTSTRAP_END;
}

static bool page_owner_is_right(const struct audit *audit, pte_t entry)
{
	const struct frame_info *info = frame_info_of(pte_frame(entry));

	switch (pte_kind(entry)) {
	case PAGE_ANONYMOUS:
		return info->owner == frame_owner_word(FRAME_ANONYMOUS, audit->space);
	case PAGE_IMAGE:
		return info->owner == frame_owner_word(FRAME_IMAGE, audit->space);
	case PAGE_BOOTSTRAP:
		return info->owner == frame_owner_word(FRAME_BOOTSTRAP, audit->space);
	case PAGE_BORROWED:
		return frame_use_of(info) == FRAME_OBJECT && info->count > 0;
	case PAGE_EMPTY:
	case PAGE_RESERVED:
	case PAGE_GUARD:
	case PAGE_LAZY:
	case PAGE_KIND_COUNT:
		return false;
	}
	return false;
}

static void audit_page(struct audit *audit, pte_t entry, uint64_t address)
{
	const bool writable = pte_has(entry, PTE_PRESENT | PTE_WRITE);
	const bool is_kernels = pte_is_present(entry) && !pte_has(entry, PTE_USER);

	audit->census.pages[pte_kind(entry)]++;
	expect(audit, !writable || pte_has(entry, PTE_NO_EXECUTE), "writable and executable", address);
	expect(audit, protection_check(pte_protection(entry)) == STATUS_OK, "no protection that there is", address);
	expect(audit, !is_kernels, "present, and not for the program", address);
	expect(audit, frame_to_u64(pte_frame(entry)) < frame_table_count, "no frame that there is", address);
	if (audit->fault.what != NULL)
		return;
	expect(audit, page_owner_is_right(audit, entry), "the frame's owner is another", address);
	expect(audit, (pte_kind(entry) == PAGE_BOOTSTRAP) == is_in_window(address),
	       "a bootstrap page outside of its window, or another one in it", address);
}

static void audit_uniform(struct audit *audit, pte_t entry, unsigned level, uint64_t address)
{
	const enum page_kind kind = pte_kind(entry);

	audit->census.pages[kind] += pte_span(level) >> PAGE_SHIFT;
	expect(audit, pte_equal(entry, pte_uniform(kind)) && (kind == PAGE_RESERVED || kind == PAGE_GUARD),
	       "no entry that there is", address);
}

static void audit_lazy(struct audit *audit, pte_t entry, uint64_t address)
{
	const bool is_image = pte_kind_when_touched(entry) == PAGE_IMAGE;
	const uint32_t protection = pte_protection(entry);

	if (is_image)
		audit->census.lazy_image++;
	else
		audit->census.pages[PAGE_LAZY]++;
	expect(audit, pte_equal(entry, pte_lazy(protection, is_image)) && protection_check(protection) == STATUS_OK,
	       "no lazy entry that there is", address);
	expect(audit, !is_in_window(address), "lazy, in the bootstrap window", address);
}

static bool kind_has_frame(enum page_kind kind)
{
	return kind == PAGE_ANONYMOUS || kind == PAGE_BORROWED || kind == PAGE_IMAGE || kind == PAGE_BOOTSTRAP;
}

/* One that is neither empty nor a table. */
static void audit_entry(struct audit *audit, pte_t entry, unsigned level, uint64_t address)
{
	if (level == 1 && kind_has_frame(pte_kind(entry)))
		audit_page(audit, entry, address);
	else if (level == 1 && pte_kind(entry) == PAGE_LAZY)
		audit_lazy(audit, entry, address);
	else
		audit_uniform(audit, entry, level, address);
}

/* What the table's frame says of its entries, and whether it should still be a table. */
static void audit_counters(struct audit *audit, const pte_t *table, unsigned level, uint64_t base)
{
	const struct frame_info *info = frame_info_of(direct_map_frame(table));
	uint32_t used = 0;
	uint32_t reserved = 0;
	uint32_t guards = 0;
	uint32_t groups = 0;

	for (uint32_t i = 0; i < user_entries(level); i++) {
		if (pte_is_empty(table[i]))
			continue;
		used++;
		reserved += pte_kind(table[i]) == PAGE_RESERVED;
		if (pte_equal(table[i], pte_uniform(PAGE_GUARD)))
			guards++;
		else
			groups |= UINT32_C(1) << i / PAGE_GROUP;
	}
	expect(audit, info->owner == frame_owner_word(FRAME_TABLE, audit->space), "a table of another owner", base);
	expect(audit,
	       used == page_table_used(info) && reserved == page_table_reserved(info) &&
		       guards == page_table_guards(info) && (groups & ~page_table_groups(info)) == 0,
	       "a table's counters do not agree with its entries", base);
	expect(audit, level == PTE_LEVELS || (used != 0 && reserved != PTE_ENTRIES),
	       "a table that should have been given back", base);
}

static void audit_table(struct audit *audit, const pte_t *table, unsigned level, uint64_t base)
{
	audit->census.tables++;
	for (uint32_t i = 0; i < user_entries(level); i++) {
		const uint64_t address = base + i * pte_span(level);

		if (pte_is_empty(table[i]))
			continue;
		if (level > 1 && pte_is_present(table[i]))
			audit_table(audit, page_table_of(table[i]), level - 1, address);
		else
			audit_entry(audit, table[i], level, address);
	}
	audit_counters(audit, table, level, base);
	if (level == 1)
		interrupt_window_open();
}

void address_space_count(struct address_space *space, struct address_space_census *census)
{
	const struct uaddr_range whole = uaddr_range_make(USER_START, USER_LIMIT);
	struct audit audit = { .space = space };

	address_space_lock(space, whole);
	audit_table(&audit, space->root_table, PTE_LEVELS, 0);
	address_space_unlock(space, whole);
	*census = audit.census;
}

/* What is remembered is what the table says. Locked. */
static bool seen_page_is_valid(const struct address_space *space)
{
	const struct seen_page *seen = &space->seen;
	unsigned level;
	pte_t entry;

	if (seen->word == 0)
		return true;
	entry = address_space_entry(space, seen->word & ~(PAGE_SIZE - 1), &level);
	return level == 1 && pte_has(entry, PTE_PRESENT | PTE_USER) &&
	       frame_to_u64(pte_present_frame(entry)) == frame_to_u64(seen->frame) &&
	       (pte_has(entry, PTE_WRITE) || (seen->word & SEEN_WRITABLE) == 0);
}

/* Locked. */
static struct address_space_fault audit_whole(const struct address_space *space, const pte_t *kernel_root)
{
	struct audit audit = { .space = space };
	unsigned level;

	audit_table(&audit, space->root_table, PTE_LEVELS, 0);
	expect(&audit, seen_page_is_valid(space), "the page seen last is another", space->seen.word);
	for (unsigned i = USER_ROOT_ENTRIES; i < PTE_ENTRIES; i++)
		expect(&audit, pte_equal(space->root_table[i], kernel_root[i]), "not the kernel's half",
		       i * pte_span(PTE_LEVELS));
	expect(&audit, pte_is_empty(address_space_entry(space, 0, &level)), "something at address 0", 0);
	expect(&audit, pte_is_empty(address_space_entry(space, USER_LIMIT, &level)), "something at the end of the half",
	       USER_LIMIT);
	return audit.fault;
}

bool address_space_is_valid(struct address_space *space, const pte_t *kernel_root)
{
	const struct uaddr_range whole = uaddr_range_make(USER_START, USER_LIMIT);
	struct address_space_fault fault;

	address_space_lock(space, whole);
	fault = audit_whole(space, kernel_root);
	address_space_unlock(space, whole);
	return fault.what == NULL;
}

#ifdef CAPOS_DEBUG

/* ---- what one operation has touched ---- */

/* The part of [start, end) below this table. */
static void audit_part(struct audit *audit, const pte_t *table, unsigned level, uint64_t start, uint64_t end)
{
	const uint64_t span = pte_span(level);
	uint64_t address = start & ~(span - 1);

	if (audit->tables_left == 0)
		return;
	audit->tables_left--;
	audit_counters(audit, table, level, start & ~(span * PTE_ENTRIES - 1));
	for (const pte_t *entry = &table[pte_index(start, level)]; address < end; entry++, address += span) {
		const uint64_t from = address > start ? address : start;
		const uint64_t to = address + span < end ? address + span : end;

		if (pte_is_empty(*entry))
			continue;
		if (level > 1 && pte_is_present(*entry))
			audit_part(audit, page_table_of(*entry), level - 1, from, to);
		else
			audit_entry(audit, *entry, level, address);
	}
}

struct address_space_fault address_space_audit_range(const struct address_space *space, struct uaddr_range range)
{
	struct audit audit = { .space = space, .tables_left = AUDIT_TABLES };

	audit_part(&audit, space->root_table, PTE_LEVELS, uaddr_to_u64(range.start), uaddr_to_u64(range.end));
	return audit.fault;
}

#endif

#ifdef KERNEL_WATCH

#define INTERVAL 256u

static uint64_t interval = INTERVAL; /* operations from one look at a whole space to the next */
static uint64_t operations;          /* atomic */

void address_space_audit_begin(bool always)
{
	interval = always ? 1 : INTERVAL;
}

void address_space_audit_operation(const struct address_space *space, struct uaddr_range range)
{
	struct address_space_fault fault;

	time_limit_exempt_begin();
	fault = address_space_audit_range(space, range);
	if (fault.what == NULL && __atomic_add_fetch(&operations, 1, __ATOMIC_RELAXED) % interval == 0)
		fault = audit_whole(space, paging_root_table());
	if (fault.what != NULL)
		panic("page table, after an operation on [0x%lx, 0x%lx): %s, address 0x%lx", uaddr_to_u64(range.start),
		      uaddr_to_u64(range.end), fault.what, fault.address);
	time_limit_exempt_end();
}

#endif
