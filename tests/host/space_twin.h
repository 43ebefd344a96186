/*
 * A space of the kernel and its plain model, side by side, and what must be equal of them. Each page with a frame says
 * in its first and last word which operation gave it.
 */
#ifndef CAPOS_TESTS_HOST_SPACE_TWIN_H
#define CAPOS_TESTS_HOST_SPACE_TWIN_H

#include <stdint.h>

#include "kernel/mem/account.h"
#include "kernel/mem/address_space.h"
#include "tests/host/space_model.h"

struct space_twin {
	struct account account;
	struct address_space space;
	struct space_model model;
};

/* What page `page` that operation `tag` gave must say. */
uint64_t space_twin_word(uint64_t tag, uint64_t page);

/* Pages of a range that operation `tag` has just given frames are zero; from now on they say so. */
void space_twin_tag(const struct space_twin *twin, uint64_t start, uint64_t end, uint64_t tag);

/* Ledgers, peaks, free frames, the break, and that no CPU remembers what is no longer so. */
void space_twin_compare_numbers(const struct space_twin *twin);

/* Every entry, page, table and count. */
void space_twin_compare(struct space_twin *twin);

/* What QUERY says of an address; what a listing says of all. */
void space_twin_compare_query(struct space_twin *twin, uint64_t address);
void space_twin_compare_listing(struct space_twin *twin);

#endif
