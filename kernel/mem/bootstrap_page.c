#include "kernel/mem/bootstrap_page.h"

#include "kernel/mem/anonymous.h"
#include "kernel/mem/page_walk.h"
#include "lib/check.h"

static enum status leaf_is_mapped(struct page_walk *walk, const struct page_run *run)
{
	(void)walk;
	CHECK(run->count == 1 && pte_kind(run->entry[0]) == PAGE_BOOTSTRAP);
	return STATUS_OK;
}

static enum status leaf_unmap(struct page_walk *walk, const struct page_run *run)
{
	frame_t frame = pte_frame(run->entry[0]);

	run->entry[0] = pte_uniform(PAGE_EMPTY);
	frame_gather_add(&walk->gather, frame, frame_info_of(frame));
	page_table_adjust(run->table, -1, 0);
	walk->must_flush = true;
	return STATUS_OK;
}

static enum status span_cannot_be(struct page_walk *walk, const struct page_run *run, struct uaddr_range part)
{
	(void)walk;
	(void)run;
	(void)part;
	CHECK(false && "the page is mapped");
	return STATUS_OK;
}

static const struct page_visitor plan_unmap = { WALK_TOP, leaf_is_mapped, span_cannot_be };
static const struct page_visitor publish_unmap = { WALK_TOP, leaf_unmap, span_cannot_be };

static struct uaddr_range page_at(uint64_t address)
{
	return (struct uaddr_range){ uaddr_from_u64(address), uaddr_from_u64(address + PAGE_SIZE) };
}

enum status bootstrap_page_map(struct address_space *space, uint64_t address, uint32_t protection, void **page)
{
	unsigned level;
	pte_t entry;

	TRY(anonymous_map_image(space, page_at(address), PAGE_BOOTSTRAP, protection));
	address_space_lock(space, page_at(address));
	entry = address_space_entry(space, address, &level);
	address_space_unlock(space, page_at(address));
	*page = direct_map_of_frame(pte_frame(entry));
	return STATUS_OK;
}

void bootstrap_page_unmap(struct address_space *space, uint64_t address)
{
	struct uaddr_range range = page_at(address);
	struct page_walk walk;

	address_space_lock(space, range);
	page_walk_begin(&walk, space, range);
	CHECK(page_walk_plan(&walk, &plan_unmap) == STATUS_OK);
	page_walk_publish(&walk, &publish_unmap);
	page_walk_finish(&walk);
	address_space_unlock(space, range);
	account_refund_one(space->account, LEDGER_IMAGE, 1);
}
