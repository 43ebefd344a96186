/*
 * A process's capability table: flat, generation-tagged, growable. Pure: the owner serialises, gives pages for slots,
 * and charges for them. An object is a pointer that the table never follows.
 *
 * States of a slot, and who moves between them:
 *   FREE     --cap_table_reserve--> RESERVED --cap_table_publish--> LIVE
 *   RESERVED --cap_table_cancel---> FREE (generation used up), or RETIRED
 *   LIVE     --cap_table_remove---> FREE, or RETIRED when the generation would wrap
 *   LIVE     --cap_table_move_begin--> MOVING --cap_table_move_commit--> FREE or RETIRED
 *                                      MOVING --cap_table_move_abort---> LIVE
 * Only LIVE slots are found. Invariant: free list = FREE slots, each once; live + reserved + moving = used; generation
 * of a LIVE, RESERVED or MOVING slot is at least 1.
 */
#ifndef CAPOS_LIB_CAP_TABLE_H
#define CAPOS_LIB_CAP_TABLE_H

#include <stdbool.h>
#include <stdint.h>

#include "abi/handle.h"
#include "abi/interface.h"
#include "abi/status.h"
#include "lib/check.h"

enum transfer_mode {
	TRANSFER_NONE = 0, /* bound to this process */
	TRANSFER_COPY = 1, /* may be copied or moved */
	TRANSFER_MOVE = 2, /* may be moved, never copied */
};

/*
 * Hold edge: what a capability is, and which process gave it to its holder: the sender of a message, who started the
 * holder, the holder itself for what it asked the kernel for; 0: the kernel. An id of 48 bits, in two parts, so that an
 * edge is three words and a slot four. The owner gives out no more ids than that.
 */
struct cap_hold {
	void *object;
	uint64_t badge;
	uint8_t interface; /* enum interface_id */
	uint8_t mode;      /* enum transfer_mode */
	uint16_t origin_high;
	uint32_t origin_low;
};

#define CAP_ORIGIN_LIMIT (UINT64_C(1) << 48)

/* By division and product, as for ids below. */
static inline uint64_t cap_hold_origin(const struct cap_hold *hold)
{
	return hold->origin_high * (UINT64_C(1) << 32) + hold->origin_low;
}

/* origin < CAP_ORIGIN_LIMIT */
static inline void cap_hold_set_origin(struct cap_hold *hold, uint64_t origin)
{
	hold->origin_low = (uint32_t)(origin % (UINT64_C(1) << 32));
	hold->origin_high = (uint16_t)(origin / (UINT64_C(1) << 32));
}

enum cap_slot_state {
	CAP_SLOT_FREE = 0,
	CAP_SLOT_RESERVED,
	CAP_SLOT_LIVE,
	CAP_SLOT_MOVING,
	CAP_SLOT_RETIRED,
};

struct cap_slot {
	struct cap_hold hold; /* 24 bytes */
	uint16_t generation;
	uint16_t next_free; /* FREE: index of the next free slot + 1, 0 at the end */
	uint8_t state;      /* enum cap_slot_state */
	uint8_t unused[3];
};

#define CAP_SLOTS_PER_PAGE (4096u / sizeof(struct cap_slot))
#define CAP_TABLE_PAGES 512u
#define CAP_TABLE_MAX_SLOTS 65535u

struct cap_table {
	struct cap_slot **page; /* directory: CAP_TABLE_PAGES pointers, in a page of the owner's */
	uint32_t pages;
	uint32_t slots; /* that ids can name: all of the pages, but the very last of a full directory */
	uint32_t used;  /* LIVE + RESERVED + MOVING */
	uint32_t retired;
	uint32_t free_head; /* index + 1, 0 if none */
};

/* The parts of an id. By division, which provers know and compilers turn into a shift. */
static inline uint32_t cap_table_index(handle_t handle)
{
	return handle % (HANDLE_INDEX_MASK + 1);
}

static inline uint32_t cap_table_generation(handle_t handle)
{
	return handle / (HANDLE_INDEX_MASK + 1);
}

/* An empty table. `directory` is 4096 zeroed bytes that live as long as the table. */
void cap_table_init(struct cap_table *table, struct cap_slot **directory);

/* 4096 zeroed bytes more for slots. OVER_CAP_SLOTS when the table is as large as ids allow. The owner takes pages back
 * by walking the directory when the table ends. */
enum status cap_table_add_page(struct cap_table *table, struct cap_slot *page);

/* Whether cap_table_reserve would succeed now. */
bool cap_table_has_free(const struct cap_table *table);

/* Set a slot aside; nothing finds it yet. OVER_CAP_SLOTS if none is free (add a page first). */
enum status cap_table_reserve(struct cap_table *table, handle_t *handle);

/* Make a reserved slot live. Cannot fail: `handle` came from cap_table_reserve (CHECK). */
void cap_table_publish(struct cap_table *table, handle_t handle, const struct cap_hold *hold);

void cap_table_cancel(struct cap_table *table, handle_t handle);

/*
 * The live hold of that id: NO_SUCH_CAPABILITY. The pointer is good until the table changes. Inline: it stands in the
 * way of every call.
 */
static inline enum status cap_table_find(const struct cap_table *table, handle_t handle, const struct cap_hold **hold)
{
	const uint32_t index = cap_table_index(handle);
	const struct cap_slot *slot;

	GUARD(index < table->slots, STATUS_NO_SUCH_CAPABILITY);
	slot = &table->page[index / CAP_SLOTS_PER_PAGE][index % CAP_SLOTS_PER_PAGE];
	GUARD(slot->state == CAP_SLOT_LIVE, STATUS_NO_SUCH_CAPABILITY);
	GUARD(slot->generation == cap_table_generation(handle), STATUS_NO_SUCH_CAPABILITY);
	*hold = &slot->hold;
	return STATUS_OK;
}

/* The same, of one interface: NO_SUCH_CAPABILITY, WRONG_INTERFACE. */
enum status cap_table_find_interface(const struct cap_table *table, handle_t handle, enum interface_id interface,
				     const struct cap_hold **hold);

/* Take a live hold out: NO_SUCH_CAPABILITY. The id never resolves again. */
enum status cap_table_remove(struct cap_table *table, handle_t handle, struct cap_hold *hold);

/* Transfer by move: NO_SUCH_CAPABILITY, NOT_TRANSFERABLE (mode NONE). While MOVING the id does not resolve. */
enum status cap_table_move_begin(struct cap_table *table, handle_t handle, struct cap_hold *hold);
void cap_table_move_commit(struct cap_table *table, handle_t handle);
void cap_table_move_abort(struct cap_table *table, handle_t handle);

/* The first LIVE slot at or after `index`, for teardown and inspection: NOT_FOUND past the last. */
enum status cap_table_next(const struct cap_table *table, uint32_t index, handle_t *handle,
			   const struct cap_hold **hold);

bool cap_table_is_valid(const struct cap_table *table);

#endif
