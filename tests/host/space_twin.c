#include "tests/host/space_twin.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "kernel/mem/frame.h"
#include "kernel/mem/heap.h"
#include "kernel/mem/page_walk.h"
#include "lib/check.h"
#include "tests/host/machine.h"

/* ---- data ---- */

uint64_t space_twin_word(uint64_t tag, uint64_t page)
{
	return (tag * UINT64_C(0x9e3779b97f4a7c15) ^ page) * UINT64_C(0xbf58476d1ce4e5b9);
}

/* What the first and the last word of a page must say. */
static uint64_t word_of(const struct model_run *run, uint64_t address)
{
	if (run->kind == PAGE_BORROWED)
		return space_twin_word(run->tag, run->page + ((address - run->start) >> PAGE_SHIFT));
	return space_twin_word(run->tag, address >> PAGE_SHIFT);
}

static uint64_t *bytes_of_page(const struct space_twin *twin, uint64_t address)
{
	unsigned level;
	pte_t entry = address_space_entry(&twin->space, address, &level);

	assert_int_equal(level, 1);
	return direct_map_of_frame(pte_frame(entry));
}

static void check_page_data(const struct space_twin *twin, const struct model_run *run, uint64_t address)
{
	const uint64_t *words = bytes_of_page(twin, address);

	assert_int_equal(words[0], word_of(run, address));
	assert_int_equal(words[511], word_of(run, address));
}

void space_twin_tag(const struct space_twin *twin, uint64_t start, uint64_t end, uint64_t tag)
{
	static const uint64_t zeros[512];

	for (uint64_t address = start; address < end; address += PAGE_SIZE) {
		const struct model_run *run = space_model_at(&twin->model, address);
		uint64_t *words;

		if (run->tag != tag || run->kind == PAGE_BORROWED) {
			address = run->end - PAGE_SIZE;
			continue;
		}
		words = bytes_of_page(twin, address);
		assert_memory_equal(words, zeros, PAGE_SIZE);
		words[0] = words[511] = word_of(run, address);
	}
}

/* ---- the space against the model ---- */

static bool has_frame(enum page_kind kind)
{
	return kind == PAGE_ANONYMOUS || kind == PAGE_BORROWED || kind == PAGE_IMAGE || kind == PAGE_BOOTSTRAP;
}

/* One entry of the table and the model's runs below it say the same. */
static void compare_entry(const struct space_twin *twin, pte_t entry, unsigned level, uint64_t address)
{
	const struct model_run *run = space_model_at(&twin->model, address);

	assert_int_equal(pte_kind(entry), run->kind);
	assert_int_equal(pte_protection(entry), run->protection);
	if (run->kind == PAGE_LAZY)
		assert_int_equal(pte_kind_when_touched(entry), run->is_image ? PAGE_IMAGE : PAGE_ANONYMOUS);
	assert_true(run->end >= address + pte_span(level) || level > 1);
	while (run->end < address + pte_span(level)) {
		run++;
		assert_int_equal(pte_kind(entry), run->kind);
	}
	if (has_frame(run->kind))
		check_page_data(twin, run, address);
}

static uint64_t compare_table(const struct space_twin *twin, const pte_t *table, unsigned level, uint64_t base)
{
	uint64_t tables = 1;

	for (uint32_t i = 0; i < (level == PTE_LEVELS ? PTE_ENTRIES / 2 : PTE_ENTRIES); i++) {
		uint64_t address = base + i * pte_span(level);

		if (level > 1 && pte_is_present(table[i]))
			tables += compare_table(twin, page_table_of(table[i]), level - 1, address);
		else
			compare_entry(twin, table[i], level, address);
	}
	return tables;
}

void space_twin_compare(struct space_twin *twin)
{
	struct address_space_census census;

	assert_int_equal(compare_table(twin, twin->space.root_table, PTE_LEVELS, 0),
			 twin->model.ledger[LEDGER_PAGE_TABLE].used);
	assert_true(address_space_is_valid(&twin->space, machine_kernel_root()));
	address_space_count(&twin->space, &census);
	assert_int_equal(census.tables, twin->model.ledger[LEDGER_PAGE_TABLE].used);
	assert_int_equal(census.pages[PAGE_RESERVED] + census.pages[PAGE_ANONYMOUS] + census.pages[PAGE_LAZY],
			 twin->model.ledger[LEDGER_VIRTUAL_RESERVATION].used);
	assert_int_equal(census.pages[PAGE_ANONYMOUS] + census.pages[PAGE_LAZY] + census.pages[PAGE_BORROWED],
			 twin->model.ledger[LEDGER_FRAME_GRANT].used);
	assert_int_equal(census.pages[PAGE_IMAGE] + census.lazy_image + census.pages[PAGE_BOOTSTRAP],
			 twin->model.ledger[LEDGER_IMAGE].used);
	assert_true(frame_is_valid());
	assert_true(heap_is_valid());
}

void space_twin_compare_query(struct space_twin *twin, uint64_t address)
{
	struct virtual_memory_region region;
	struct virtual_memory_region expected;

	if (address < USER_START || address >= USER_LIMIT) {
		assert_int_equal(address_space_query(&twin->space, address, &region), STATUS_NOT_USER_ADDRESS);
		return;
	}
	expected = space_model_region(&twin->model, address);
	assert_int_equal(address_space_query(&twin->space, address, &region), STATUS_OK);
	assert_memory_equal(&region, &expected, sizeof(region));
}

void space_twin_compare_listing(struct space_twin *twin)
{
	struct virtual_memory_region region;
	uint64_t address = 0;

	while (address_space_next_region(&twin->space, address, &region) == STATUS_OK) {
		struct virtual_memory_region expected = space_model_region(&twin->model, region.start);

		if (address >= USER_START && region.start > address)
			assert_int_equal(space_model_region(&twin->model, address).kind, PAGE_EMPTY);
		assert_memory_equal(&region, &expected, sizeof(region));
		address = region.end;
	}
	for (uint64_t left = address; left < USER_LIMIT; left = space_model_region(&twin->model, left).end)
		assert_int_equal(space_model_region(&twin->model, left).kind, PAGE_EMPTY);
}

void space_twin_compare_numbers(const struct space_twin *twin)
{
	for (uint32_t kind = 0; kind < LEDGER_COUNT; kind++) {
		assert_int_equal(twin->account.ledger.of[kind].used, twin->model.ledger[kind].used);
		assert_int_equal(resource_ledger_peak(&twin->account.ledger, (enum ledger_kind)kind),
				 twin->model.ledger[kind].peak);
	}
	assert_int_equal(frame_free_count(), twin->model.free_frames);
	assert_int_equal(twin->space.heap_break, twin->model.heap_break);
	assert_true(machine_translations_hold());
}
