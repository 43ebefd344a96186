#include "user/demos/ring-fuzz/fuzz_worker.h"

#include <stddef.h>

#include "abi/frame_allocator_abi.h"
#include "lib/check.h"
#include "lib/string.h"
#include "user/demos/ring-fuzz/fuzz_scene.h"
#include "user/protocol/random_sequence.h"
#include "user/runtime/capset_client.h"
#include "user/runtime/user_thread.h"
#include "user/testing/trial.h"

#define BASE_PERCENT 95u /* of the capabilities are of the interface that the operation wants */
#define SPOIL_ONE_IN 4u
#define GAME_ONE_IN 64u
#define KEPT_ONE_IN 20000u /* a capability is given up without which much can only be refused */
#define TOUCH_ONE_IN 2000u
#define WAIT_ONE_IN 8u
#define MOST_REFUSED 30u /* enters in a row: the ring is beyond repair */
#define TICKET_BITS 8u   /* of user_data: which operation it is; the rest counts */

#define FUZZ_RECENT 64u
#define TEARS 32u
#define TEAR_NS 50000u /* between so many of them */

static struct fuzz_figures *figures;

/* One thread's. */
struct hand {
	struct fuzz_scene *scene;
	struct ring_page *ring;
	struct random_sequence random;
	uint64_t submitted;
	handle_t capability[FUZZ_RECENT]; /* of the last submissions */
	uint32_t refused;                 /* enters in a row */
};

static uint64_t below(struct hand *hand, uint64_t limit)
{
	return random_sequence_below(&hand->random, limit);
}

static void count(uint32_t *figure)
{
	__atomic_fetch_add(figure, 1, __ATOMIC_RELAXED);
}

static void surprise(void)
{
	__atomic_fetch_add(&figures->surprises, 1, __ATOMIC_RELAXED);
}

static void mix(uint64_t word)
{
	uint64_t hash = __atomic_load_n(&figures->hash, __ATOMIC_RELAXED);

	__atomic_store_n(&figures->hash, (hash ^ word) * UINT64_C(0x100000001b3), __ATOMIC_RELAXED);
}

/* ---- submissions ---- */

static const struct fuzz_operation *draw(struct hand *hand)
{
	for (;;) {
		const struct fuzz_operation *operation = &fuzz_operation[below(hand, fuzz_operation_count)];

		if (operation->seldom == 0 || below(hand, operation->seldom) == 0)
			return operation;
	}
}

static handle_t draw_capability(struct hand *hand, const struct fuzz_operation *operation)
{
	static const uint8_t made[] = { INTERFACE_MEMORY_OBJECT, INTERFACE_ENDPOINT, INTERFACE_ENDPOINT_CLIENT,
					INTERFACE_PROCESS_HANDLE };
	const uint32_t interface =
		operation->interface != INTERFACE_NONE && below(hand, 100) < BASE_PERCENT ? operation->interface : (uint32_t)below(hand, INTERFACE_COUNT);

	/* What is released is seldom what nothing comes after. */
	if (operation->opcode == RING_RELEASE && below(hand, KEPT_ONE_IN) != 0)
		return fuzz_scene_capability(hand->scene, &hand->random, made[below(hand, COUNT_OF(made))]);
	return fuzz_scene_capability(hand->scene, &hand->random, interface);
}

/* A number that somebody may have forgotten. */
static uint64_t odd_number(struct hand *hand)
{
	static const uint64_t odd[] = { 0,
					1,
					4095,
					4097,
					UINT64_MAX,
					UINT64_MAX - 4095,
					UINT64_C(1) << 63,
					UINT64_C(0x00007ffffffff000),
					UINT64_C(0xffff800000000000),
					UINT64_C(0x0000800000000000),
					UINT64_C(0x0000000000300000),
					UINT64_C(0x00000000003ff000) };

	return below(hand, 3) == 0 ? random_sequence_next(&hand->random) : odd[below(hand, COUNT_OF(odd))];
}

static void spoil(struct hand *hand, struct ring_submission *entry)
{
	switch (below(hand, 8)) {
	case 0:
		entry->opcode = (uint8_t)below(hand, below(hand, 2) == 0 ? RING_OPCODE_COUNT + 2 : 256);
		if (entry->opcode == RING_RELEASE && below(hand, KEPT_ONE_IN) != 0)
			entry->opcode = RING_NOP;
		break;
	case 1:
		entry->accepts = (uint8_t)below(hand, 256);
		break;
	case 2:
		entry->operation = (uint16_t)below(hand, below(hand, 2) == 0 ? 16 : 65536);
		break;
	case 3:
		entry->capability = below(hand, 2) == 0 ? (handle_t)random_sequence_next(&hand->random)
							: entry->capability ^ (handle_t)(1u << below(hand, 32));
		break;
	case 4:
		entry->argument[below(hand, FUZZ_ARGUMENTS)] ^= UINT64_C(1) << below(hand, 64);
		break;
	default:
		entry->argument[below(hand, FUZZ_ARGUMENTS)] = odd_number(hand);
		break;
	}
}

/* Of an object, its mapping. */
static void fill_mapping(struct hand *hand, struct ring_submission *entry)
{
	const struct fuzz_mapping *mapping = &hand->scene->mapped[below(hand, FUZZ_KEPT)];

	entry->capability = mapping->object;
	entry->argument[0] = mapping->address;
	if (below(hand, 4) != 0)
		entry->argument[1] = PAGE_SIZE;
}

static void fill(struct hand *hand, struct ring_submission *entry)
{
	const struct fuzz_operation *operation = draw(hand);
	const uint64_t kind = (uint64_t)(operation - fuzz_operation);

	entry->opcode = operation->opcode;
	entry->operation = operation->operation;
	entry->capability = draw_capability(hand, operation);
	entry->accepts = operation->interface == INTERFACE_ENDPOINT_CLIENT ? (uint8_t)below(hand, TRANSFER_MAX + 1) : 0;
	entry->user_data = hand->submitted << TICKET_BITS | kind;
	for (uint32_t i = 0; i < FUZZ_ARGUMENTS; i++)
		entry->argument[i] =
			fuzz_scene_argument(hand->scene, &hand->random, (enum fuzz_argument)operation->argument[i]);
	if (operation->argument[0] == FUZZ_MAPPED)
		fill_mapping(hand, entry);
	if (below(hand, SPOIL_ONE_IN) == 0)
		spoil(hand, entry);
	if (operation->stays_open)
		hand->scene->ticket[below(hand, FUZZ_KEPT)] = entry->user_data;
	hand->capability[hand->submitted % FUZZ_RECENT] = entry->capability;
	hand->submitted++;
	count(&figures->count[kind][FUZZ_SUBMITTED]);
	mix((uint64_t)entry->capability << 32 | (uint64_t)entry->operation << 8 | entry->opcode);
}

/* ---- completions ---- */

static enum fuzz_class class_of(uint32_t status)
{
	static const struct {
		uint32_t end;
		enum fuzz_class class;
	} blocks[] = { { 1, FUZZ_OK },
		       { 16, FUZZ_BAD_REQUEST },
		       { 32, FUZZ_BAD_CAPABILITY },
		       { 48, FUZZ_BAD_SPACE },
		       { 64, FUZZ_RAN_OUT } };

	for (uint32_t i = 0; i < COUNT_OF(blocks); i++)
		if (status < blocks[i].end)
			return blocks[i].class;
	return FUZZ_OTHER;
}

static void take(struct hand *hand, const struct ring_completion *completion, bool is_torn)
{
	const uint32_t kind = (uint32_t)(completion->user_data & ((1u << TICKET_BITS) - 1));
	const uint32_t status = completion->result < 0 ? (uint32_t)-completion->result : 0;

	mix(completion->user_data ^ (uint64_t)status << 56 ^ completion->value);
	if (status >= FUZZ_STATUSES || kind >= fuzz_operation_count) {
		if (!is_torn)
			surprise();
		return;
	}
	count(&figures->status[status]);
	count(&figures->count[kind][class_of(status)]);
	if (status == 0)
		fuzz_scene_keep(hand->scene, &hand->random, &fuzz_operation[kind],
				hand->capability[(completion->user_data >> TICKET_BITS) % FUZZ_RECENT], completion);
}

static void take_all(struct hand *hand, bool is_torn)
{
	struct ring_page *ring = hand->ring;

	for (uint32_t i = 0; i < RING_CQ_ENTRIES && ring->header.cq_head != ring_load_acquire(&ring->header.cq_tail);
	     i++) {
		take(hand, &ring->completion[ring->header.cq_head % RING_CQ_ENTRIES], is_torn);
		ring_store_release(&ring->header.cq_head, ring->header.cq_head + 1);
	}
}

/* ---- the ring ---- */

static void enter(struct hand *hand, bool is_torn)
{
	const uint64_t least = below(hand, 200) == 0           ? odd_number(hand)
			       : below(hand, WAIT_ONE_IN) == 0 ? below(hand, 3)
							       : 0;
	const int64_t result = system_call_cap_enter(least, below(hand, 200000));

	__atomic_fetch_add(&figures->enters, 1, __ATOMIC_RELAXED);
	hand->refused = result < 0 ? hand->refused + 1 : 0;
	if (result < 0)
		__atomic_fetch_add(&figures->refused_enters, 1, __ATOMIC_RELAXED);
	if (hand->refused > MOST_REFUSED)
		system_call_exit(0);
	if (result > (int64_t)RING_CQ_ENTRIES || (result < 0 && result != -(int64_t)STATUS_BAD_ARGUMENT))
		surprise();
	mix((uint64_t)result);
	take_all(hand, is_torn);
}

/* Indices that no program should have; then the right ones again, which are the kernel's. */
static void play_with_indices(struct hand *hand)
{
	struct ring_header *header = &hand->ring->header;

	if (below(hand, 2) == 0)
		header->sq_tail = (uint32_t)random_sequence_next(&hand->random);
	else
		header->sq_tail = header->sq_head + (uint32_t)below(hand, 40);
	if (below(hand, 2) == 0)
		header->cq_head = header->cq_tail - (uint32_t)below(hand, 80);
	enter(hand, true);
	header->sq_tail = header->sq_head;
	header->cq_head = header->cq_tail;
}

static void submit_some(struct hand *hand)
{
	struct ring_page *ring = hand->ring;
	const uint32_t room = RING_SQ_ENTRIES - (ring->header.sq_tail - ring_load_acquire(&ring->header.sq_head));
	const uint32_t wanted = 1 + (uint32_t)below(hand, RING_SQ_ENTRIES);

	for (uint32_t i = 0; i < wanted && i < room && room <= RING_SQ_ENTRIES; i++)
		fill(hand, &ring->submission[(ring->header.sq_tail + i) % RING_SQ_ENTRIES]);
	ring_store_release(&ring->header.sq_tail, ring->header.sq_tail + (wanted < room ? wanted : room));
}

/* The answer may be a fault. */
static void touch(struct hand *hand)
{
	volatile uint64_t *word = (volatile uint64_t *)(fuzz_scene_address(hand->scene, &hand->random) & ~UINT64_C(7));

	if ((uint64_t)word < PAGE_SIZE)
		return;
	if (below(hand, 2) == 0)
		*word = random_sequence_next(&hand->random);
	else
		mix(*word);
}

static _Noreturn void fuzz(struct hand *hand, bool is_torn)
{
	for (;;) {
		if (below(hand, GAME_ONE_IN) == 0)
			play_with_indices(hand);
		if (below(hand, TOUCH_ONE_IN) == 0)
			touch(hand);
		submit_some(hand);
		enter(hand, is_torn);
	}
}

/* ---- threads ---- */

static struct fuzz_scene scene;
static uint64_t seed;
static struct ring_page *first_ring;

static int64_t fuzz_beside(void *ignored)
{
	struct hand hand = { .scene = &scene, .ring = ring_client_current.page, .random = { ~seed } };

	(void)ignored;
	fuzz(&hand, false);
}

/* Writes into the first thread's ring, while it is used. */
static int64_t tear(void *ignored)
{
	struct random_sequence random = { seed ^ UINT64_C(0x7465617200000000) };
	volatile uint64_t *word = (volatile uint64_t *)first_ring;

	(void)ignored;
	for (uint32_t i = 0;; i++) {
		const uint64_t at = random_sequence_below(&random, PAGE_SIZE / sizeof(*word));

		if (random_sequence_below(&random, 2) == 0)
			word[at] = random_sequence_next(&random);
		else
			word[at] ^= UINT64_C(1) << random_sequence_below(&random, 64);
		if (i % TEARS == 0 && timer_client_sleep(trial.timer, TEAR_NS) != STATUS_OK)
			break; /* another thread has given the timer away */
	}
	return 0;
}

void fuzz_worker_role(void)
{
	const bool is_torn = trial_argument(1) != 0;
	struct memory_object_client object;
	struct user_thread thread;
	struct hand hand;
	void *address;

	CHECK(capset_client_find("figures", INTERFACE_MEMORY_OBJECT, &object.handle) == STATUS_OK);
	CHECK(trial_map_object(object, FUZZ_FIGURE_PAGES, TRIAL_READ_WRITE, &address) == STATUS_OK);
	CHECK(ring_client_release(object.handle) == STATUS_OK);
	figures = address;
	seed = trial_argument(0);
	first_ring = ring_client_current.page;
	fuzz_scene_make(&scene);
	trial_thread(&thread, fuzz_beside, NULL);
	if (is_torn)
		trial_thread(&thread, tear, NULL);
	hand = (struct hand){ .scene = &scene, .ring = first_ring, .random = { seed } };
	fuzz(&hand, is_torn);
}
