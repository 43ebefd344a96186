/*
 * kernel/mem/user_access over any tables, which answers to a touch may change: every byte that is copied is one that
 * the program could read, or write, under the same tables and the same lock; what is refused has copied nothing. Any
 * address, any number of bytes up to BYTES, so up to 3 pages. A byte that is arbitrary stands for each.
 *
 * links: kernel/mem/user_access.c kernel/mem/validate.c lib/range.c
 * options each: --unwind 5 -DCAPOS_HOST --no-pointer-overflow-check --external-sat-solver cadical
 */
#include "kernel/mem/user_access.h"

#include "kernel/mem/demand.h"
#include "lib/string.h"
#include "proofs/cbmc/cbmc_support.h"

#define PAGES 4u
#define BYTES (2 * PAGE_SIZE)

pte_t nondet_pte(void);
struct seen_page nondet_seen_page(void);

uint64_t direct_map_base;

static struct address_space space_here;
static uint8_t buffer[BYTES];
static pte_t table[PAGES]; /* of the pages from `base` on */
static uint64_t base;
static uint64_t start, bytes; /* of the request */
static bool is_out;
static uint64_t ghost; /* a byte of it */
static uint64_t done;  /* how many have been copied */
static uint32_t ghost_copies;

static uint64_t page_of(uint64_t address)
{
	return (address - base) >> PAGE_SHIFT;
}

static bool is_accessible(pte_t entry, bool writable)
{
	return pte_has(entry, PTE_PRESENT | PTE_USER) && (!writable || pte_has(entry, PTE_WRITE));
}

pte_t address_space_entry(const struct address_space *space, uint64_t address, unsigned *level)
{
	PROVE(space == &space_here && spinlock_is_held(&space->lock) && page_of(address) < PAGES);
	*level = 1;
	return table[page_of(address)];
}

/* What the space remembers is a user's page, and what its tables say; they may say anything of other pages. */
static bool seen_page_is_true(void)
{
	const struct seen_page *seen = &space_here.seen;
	const uint64_t page = page_of(seen->word);

	if (seen->word == 0)
		return true;
	if (seen->word >= USER_LIMIT || page >= PAGES)
		return seen->word < USER_LIMIT;
	return (seen->word & SEEN_VALID) != 0 && is_accessible(table[page], (seen->word & SEEN_WRITABLE) != 0) &&
	       frame_to_u64(seen->frame) == frame_to_u64(pte_frame(table[page]));
}

/* Everything in its range may change if it says OK, but what was seen; then all of it is accessible as asked. */
enum status demand_supply(struct address_space *space, struct uaddr_range range, uint32_t needed)
{
	PROVE(space == &space_here && spinlock_is_held(&space->lock));
	PROVE(uaddr_to_u64(range.start) == base && page_of(uaddr_to_u64(range.end) - 1) < PAGES);
	if (nondet_bool())
		return STATUS_BUFFER_FAULT;
	for (uint32_t i = 0; i < PAGES && i <= page_of(uaddr_to_u64(range.end) - 1); i++) {
		table[i] = nondet_pte();
		ASSUME(is_accessible(table[i], needed == PROTECTION_WRITE));
	}
	ASSUME(seen_page_is_true());
	return STATUS_OK;
}

/* One part of the request, next to the last one. */
void *memcpy(void *restrict to, const void *restrict from, size_t part)
{
	const uint64_t user = (uint64_t)(uintptr_t)(is_out ? to : (void *)(uintptr_t)from);
	const uint8_t *own = is_out ? from : to;

	PROVE(spinlock_is_held(&space_here.lock) && part <= bytes - done);
	if (ghost >= done && ghost - done < part) {
		const pte_t entry = table[page_of(start + ghost)];

		ghost_copies++;
		PROVE(is_accessible(entry, is_out));
		PROVE(user + (ghost - done) == direct_map_base + (frame_to_u64(pte_frame(entry)) << PAGE_SHIFT) +
						       ((start + ghost) & (PAGE_SIZE - 1)));
		PROVE(own == &buffer[done]);
	}
	done += part;
	return to;
}

void spinlock_wait(const struct spinlock *lock, uint16_t ticket)
{
	(void)lock;
	(void)ticket;
	PROVE(false && "a lock is taken that is held");
	ASSUME(false);
}

static void request_any(bool out)
{
	is_out = out;
	start = nondet_u64();
	bytes = nondet_u64();
	ghost = nondet_u64();
	ASSUME(bytes <= BYTES && ghost < bytes);
	base = start & ~(uint64_t)(PAGE_SIZE - 1);
	direct_map_base = nondet_u64();
	ASSUME((direct_map_base & (PAGE_SIZE - 1)) == 0);
	for (uint32_t i = 0; i < PAGES; i++)
		table[i] = nondet_pte();
	space_here.seen = nondet_seen_page();
	ASSUME(seen_page_is_true());
}

static void prove_outcome(enum status status)
{
	PROVE(done == (status == STATUS_OK ? bytes : 0));
	PROVE(ghost_copies == (status == STATUS_OK ? 1 : 0));
	PROVE(status != STATUS_OK || (start < USER_LIMIT && bytes <= USER_LIMIT - start));
}

PROOF(user_access_in)
{
	request_any(false);
	prove_outcome(user_access_read(&space_here, start, bytes, buffer));
	PROVE(seen_page_is_true() && !spinlock_is_held(&space_here.lock));
}

PROOF(user_access_out)
{
	request_any(true);
	prove_outcome(user_access_write(&space_here, start, bytes, buffer));
	PROVE(seen_page_is_true() && !spinlock_is_held(&space_here.lock));
}

/* In two steps, under the caller's lock: once a place is found, the copy is what the write would have done. */
PROOF(user_access_placed)
{
	struct user_place place;
	enum status status;

	request_any(true);
	spinlock_acquire(&space_here.lock);
	status = user_access_find(&space_here, start, bytes, &place);
	PROVE(done == 0);
	if (status == STATUS_OK)
		user_access_put(&place, buffer);
	prove_outcome(status);
}
