/*
 * What an address space should be, said the plain way: a sorted list of runs that covers the whole user half, and the
 * numbers that follow from it. No page table: which tables there must be is computed from the runs (a span has a table
 * if it is neither all empty nor all reserved). Guards of whole 2 MiB spans are beyond it.
 *
 * Each operation answers what the kernel's must answer, and changes the model if that is STATUS_OK.
 */
#ifndef CAPOS_TESTS_HOST_SPACE_MODEL_H
#define CAPOS_TESTS_HOST_SPACE_MODEL_H

#include <stdbool.h>
#include <stdint.h>

#include "abi/status.h"
#include "abi/virtual_memory_abi.h"
#include "kernel/mem/anonymous.h"

#define SPACE_MODEL_RUNS 8192u
#define SPACE_MODEL_END (UINT64_C(1) << 47)

struct model_run {
	uint64_t start, end; /* bytes */
	enum page_kind kind;
	uint32_t protection;
	uint64_t tag;  /* of the operation that gave the frames; of the object for borrowed pages */
	uint64_t page; /* borrowed: of the object, at start */
	bool is_image; /* lazy */
};

struct space_model {
	uint32_t count;
	struct model_run run[SPACE_MODEL_RUNS];
	struct ledger ledger[LEDGER_COUNT];
	uint64_t free_frames;
	uint64_t heap_break;
	struct space_areas areas;
};

/* An empty space with its root table, on a machine with so many free frames left. */
void space_model_init(struct space_model *model, uint64_t limit, uint64_t free_frames);

/* The break is at the heap's start. */
void space_model_set_areas(struct space_model *model, const struct space_areas *areas);

/* Whether nothing is in a range. */
bool space_model_is_free(const struct space_model *model, uint64_t start, uint64_t end);

/* The best place for a placement, seen from where mappings begin; or what the kernel must refuse. */
enum status space_model_place(const struct space_model *model, const struct placement *placement, uint64_t *start);

/*
 * Where the kernel would put that now, as a FIXED placement: it is free to choose among all gaps, so it is asked, and
 * must answer with a place that the placement allows, or refuse as the model does. What it must refuse comes back as
 * it is, and so does what is FIXED already.
 */
struct placement space_model_settle(const struct space_model *model, struct address_space *space,
				    const struct placement *placement);

enum status space_model_reserve(struct space_model *model, const struct placement *placement, uint64_t *start);
enum status space_model_map(struct space_model *model, const struct placement *placement, uint32_t protection,
			    uint64_t tag, uint64_t *start);
enum status space_model_map_lazy(struct space_model *model, const struct placement *placement, uint32_t protection,
				 uint64_t *start);

/* Pages of the loader; PAGE_LAZY too. */
enum status space_model_image(struct space_model *model, const struct model_run *new);
enum status space_model_guard(struct space_model *model, uint64_t start, uint64_t end);

/* `page` and `tag` say which object from where. */
enum status space_model_borrow(struct space_model *model, const struct placement *placement, uint32_t protection,
			       const struct model_run *source, uint64_t *start);

/* What all those on ranges that exist take. */
struct model_range {
	uint64_t start, end;
	uint32_t protection;
	uint64_t tag;
};

enum status space_model_commit(struct space_model *model, const struct model_range *range);
enum status space_model_commit_lazy(struct space_model *model, const struct model_range *range);
enum status space_model_decommit(struct space_model *model, const struct model_range *range);
enum status space_model_protect(struct space_model *model, const struct model_range *range);
enum status space_model_unmap(struct space_model *model, const struct model_range *range);
enum status space_model_return(struct space_model *model, const struct model_range *range);
enum status space_model_protect_borrowed(struct space_model *model, const struct model_range *range);

/* What a touch of all pages of the range answers that needs range->protection: new frames get range->tag. */
enum status space_model_touch(struct space_model *model, const struct model_range *range);

/* Where the break is afterwards, if it moves. */
enum status space_model_break(struct space_model *model, uint64_t address);

/* The run that covers an address. */
const struct model_run *space_model_at(const struct space_model *model, uint64_t address);

/* The longest range around an address with one kind and protection, cut to the user half. */
struct virtual_memory_region space_model_region(const struct space_model *model, uint64_t address);

#endif
