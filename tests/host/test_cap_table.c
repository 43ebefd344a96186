#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/cap_table.h"
#include "lib/check.h"
#include "tests/host/host_support.h"

#define SLOT_PAGE 4096u
#define DEAD 4096u

struct world {
	struct cap_table table;
	void *directory;
};

static struct world world_make(uint32_t pages)
{
	struct world world;

	world.directory = calloc(1, SLOT_PAGE);
	assert_non_null(world.directory);
	memset(&world.table, 0xa5, sizeof(world.table));
	cap_table_init(&world.table, world.directory);
	for (uint32_t i = 0; i < pages; i++)
		assert_int_equal(cap_table_add_page(&world.table, calloc(1, SLOT_PAGE)), STATUS_OK);
	return world;
}

static void world_end(struct world *world)
{
	assert_true(cap_table_is_valid(&world->table));
	for (uint32_t i = 0; i < world->table.pages; i++)
		free(world->table.page[i]);
	free(world->directory);
}

static struct cap_hold hold_make(uint64_t badge, enum interface_id interface, enum transfer_mode mode)
{
	struct cap_hold hold = { .object = (void *)(uintptr_t)(badge + 1), .badge = badge };

	hold.interface = (uint8_t)interface;
	hold.mode = (uint8_t)mode;
	cap_hold_set_origin(&hold, CAP_ORIGIN_LIMIT - 1 - badge);
	return hold;
}

static bool hold_equal(const struct cap_hold *a, const struct cap_hold *b)
{
	return a->object == b->object && a->badge == b->badge && a->interface == b->interface && a->mode == b->mode &&
	       cap_hold_origin(a) == cap_hold_origin(b);
}

static handle_t reserve(struct cap_table *table)
{
	handle_t handle = HANDLE_NONE;

	assert_true(cap_table_has_free(table));
	assert_int_equal(cap_table_reserve(table, &handle), STATUS_OK);
	assert_int_not_equal(handle, HANDLE_NONE);
	return handle;
}

static handle_t insert(struct cap_table *table, struct cap_hold hold)
{
	const handle_t handle = reserve(table);

	cap_table_publish(table, handle, &hold);
	return handle;
}

static bool resolves(const struct cap_table *table, handle_t handle)
{
	const struct cap_hold *hold = NULL;

	return cap_table_find(table, handle, &hold) == STATUS_OK;
}

static void test_empty(void **state)
{
	struct world world = world_make(0);
	const struct cap_hold *hold = NULL;
	struct cap_hold out;
	handle_t handle;

	(void)state;
	assert_false(cap_table_has_free(&world.table));
	assert_int_equal(cap_table_reserve(&world.table, &handle), STATUS_OVER_CAP_SLOTS);
	assert_int_equal(cap_table_find(&world.table, 0x10000, &hold), STATUS_NO_SUCH_CAPABILITY);
	assert_int_equal(cap_table_find(&world.table, HANDLE_NONE, &hold), STATUS_NO_SUCH_CAPABILITY);
	assert_int_equal(cap_table_remove(&world.table, 0x10000, &out), STATUS_NO_SUCH_CAPABILITY);
	assert_int_equal(cap_table_next(&world.table, 0, &handle, &hold), STATUS_NOT_FOUND);
	world_end(&world);
}

/* Zeroed slots: HANDLE_NONE names index 0, generation 0, and must not resolve. */
static void test_first_handle(void **state)
{
	struct world world = world_make(1);
	const struct cap_hold *hold = NULL;
	const handle_t first = insert(&world.table, hold_make(7, INTERFACE_CONSOLE, TRANSFER_COPY));

	(void)state;
	assert_int_equal(first, 0x10000);
	assert_int_equal(cap_table_find(&world.table, first, &hold), STATUS_OK);
	assert_int_equal(hold->badge, 7);
	assert_int_equal(cap_hold_origin(hold), CAP_ORIGIN_LIMIT - 8);
	assert_false(resolves(&world.table, HANDLE_NONE));
	assert_false(resolves(&world.table, first + 1));
	assert_false(resolves(&world.table, first + 0x10000));
	assert_false(resolves(&world.table, first | 0xffff));
	assert_false(resolves(&world.table, UINT32_MAX));
	world_end(&world);
}

static void test_states(void **state)
{
	struct world world = world_make(1);
	const struct cap_hold hold = hold_make(1, INTERFACE_TIMER, TRANSFER_MOVE);
	const struct cap_hold *found = NULL;
	struct cap_hold out;
	handle_t handle = reserve(&world.table), second;

	(void)state;
	/* RESERVED: nothing finds it. */
	assert_false(resolves(&world.table, handle));
	assert_int_equal(cap_table_remove(&world.table, handle, &out), STATUS_NO_SUCH_CAPABILITY);
	assert_int_equal(cap_table_move_begin(&world.table, handle, &out), STATUS_NO_SUCH_CAPABILITY);
	assert_int_equal(cap_table_next(&world.table, 0, &second, &found), STATUS_NOT_FOUND);
	assert_int_equal(world.table.used, 1);
	cap_table_cancel(&world.table, handle);
	assert_int_equal(world.table.used, 0);
	second = reserve(&world.table);
	assert_int_not_equal(second, handle);
	cap_table_publish(&world.table, second, &hold);
	assert_int_equal(cap_table_find_interface(&world.table, second, INTERFACE_TIMER, &found), STATUS_OK);
	assert_true(hold_equal(found, &hold));
	assert_int_equal(cap_table_find_interface(&world.table, second, INTERFACE_CONSOLE, &found),
			 STATUS_WRONG_INTERFACE);
	assert_int_equal(cap_table_find_interface(&world.table, handle, INTERFACE_CONSOLE, &found),
			 STATUS_NO_SUCH_CAPABILITY);
	assert_int_equal(cap_table_remove(&world.table, second, &out), STATUS_OK);
	assert_true(hold_equal(&out, &hold));
	assert_int_equal(cap_table_remove(&world.table, second, &out), STATUS_NO_SUCH_CAPABILITY);
	assert_false(resolves(&world.table, second));
	world_end(&world);
}

static void test_move(void **state)
{
	struct world world = world_make(1);
	const struct cap_hold hold = hold_make(2, INTERFACE_MEMORY_OBJECT, TRANSFER_COPY);
	const handle_t bound = insert(&world.table, hold_make(3, INTERFACE_VIRTUAL_MEMORY, TRANSFER_NONE));
	const handle_t handle = insert(&world.table, hold);
	struct cap_hold out;

	(void)state;
	assert_int_equal(cap_table_move_begin(&world.table, bound, &out), STATUS_NOT_TRANSFERABLE);
	assert_true(resolves(&world.table, bound));
	assert_int_equal(cap_table_move_begin(&world.table, handle, &out), STATUS_OK);
	assert_true(hold_equal(&out, &hold));
	assert_false(resolves(&world.table, handle));
	assert_int_equal(cap_table_move_begin(&world.table, handle, &out), STATUS_NO_SUCH_CAPABILITY);
	assert_int_equal(cap_table_remove(&world.table, handle, &out), STATUS_NO_SUCH_CAPABILITY);
	assert_true(cap_table_is_valid(&world.table));
	cap_table_move_abort(&world.table, handle);
	assert_true(resolves(&world.table, handle));
	assert_int_equal(cap_table_move_begin(&world.table, handle, &out), STATUS_OK);
	cap_table_move_commit(&world.table, handle);
	assert_false(resolves(&world.table, handle));
	assert_int_equal(world.table.used, 1);
	world_end(&world);
}

/* All indices that ids have room for, each usable, then no more. */
static void test_growth(void **state)
{
	struct world world = world_make(0);
	const struct cap_hold *hold = NULL;
	handle_t handle;
	uint32_t index = 0;

	(void)state;
	for (uint32_t i = 0; i < CAP_TABLE_PAGES; i++)
		assert_int_equal(cap_table_add_page(&world.table, calloc(1, SLOT_PAGE)), STATUS_OK);
	assert_int_equal(cap_table_add_page(&world.table, &(struct cap_slot){ 0 }), STATUS_OVER_CAP_SLOTS);
	assert_true(cap_table_is_valid(&world.table));
	for (uint32_t i = 0; i < CAP_TABLE_MAX_SLOTS; i++)
		(void)insert(&world.table, hold_make(i, INTERFACE_TIMER, TRANSFER_COPY));
	assert_false(cap_table_has_free(&world.table));
	assert_int_equal(cap_table_reserve(&world.table, &handle), STATUS_OVER_CAP_SLOTS);
	assert_int_equal(world.table.used, CAP_TABLE_MAX_SLOTS);
	assert_false(resolves(&world.table, 0x1ffff));
	for (uint32_t i = 0; i < CAP_TABLE_MAX_SLOTS; i++) {
		assert_int_equal(cap_table_next(&world.table, index, &handle, &hold), STATUS_OK);
		assert_int_equal(handle & HANDLE_INDEX_MASK, i);
		assert_int_equal(handle >> HANDLE_GENERATION_SHIFT, 1);
		index = (handle & HANDLE_INDEX_MASK) + 1;
	}
	assert_int_equal(cap_table_next(&world.table, index, &handle, &hold), STATUS_NOT_FOUND);
	assert_int_equal(cap_table_next(&world.table, UINT32_MAX, &handle, &hold), STATUS_NOT_FOUND);
	world_end(&world);
}

/* A page at a time, lowest index first. */
static void test_lowest_first(void **state)
{
	struct world world = world_make(1);

	(void)state;
	for (uint32_t i = 0; i < CAP_SLOTS_PER_PAGE; i++)
		assert_int_equal(reserve(&world.table) & HANDLE_INDEX_MASK, i);
	assert_false(cap_table_has_free(&world.table));
	assert_int_equal(cap_table_add_page(&world.table, calloc(1, SLOT_PAGE)), STATUS_OK);
	assert_int_equal(reserve(&world.table) & HANDLE_INDEX_MASK, CAP_SLOTS_PER_PAGE);
	world_end(&world);
}

/* One slot through all of its generations: 65,535 different ids, then it is retired, by each way out of use. */
static void test_retire(void **state)
{
	(void)state;
	for (uint32_t way = 0; way < 3; way++) {
		struct world world = world_make(1);
		const struct cap_hold hold = hold_make(5, INTERFACE_TIMER, TRANSFER_MOVE);
		struct cap_hold out;
		handle_t handle = HANDLE_NONE;

		for (uint32_t i = 1; i < CAP_SLOTS_PER_PAGE; i++)
			(void)insert(&world.table, hold);
		for (uint32_t generation = 1; generation <= UINT16_MAX; generation++) {
			handle = reserve(&world.table);
			assert_int_equal(handle, generation << 16 | (CAP_SLOTS_PER_PAGE - 1));
			if (way == 0) {
				cap_table_cancel(&world.table, handle);
				continue;
			}
			cap_table_publish(&world.table, handle, &hold);
			if (way == 1) {
				assert_int_equal(cap_table_remove(&world.table, handle, &out), STATUS_OK);
				continue;
			}
			assert_int_equal(cap_table_move_begin(&world.table, handle, &out), STATUS_OK);
			cap_table_move_commit(&world.table, handle);
		}
		assert_int_equal(world.table.retired, 1);
		assert_int_equal(world.table.used, CAP_SLOTS_PER_PAGE - 1);
		assert_false(cap_table_has_free(&world.table));
		for (uint32_t generation = 0; generation <= UINT16_MAX; generation++)
			assert_false(resolves(&world.table, generation << 16 | (CAP_SLOTS_PER_PAGE - 1)));
		world_end(&world);
	}
}

static void test_is_valid_sees(void **state)
{
	struct world world = world_make(2);
	const handle_t handle = insert(&world.table, hold_make(1, INTERFACE_TIMER, TRANSFER_COPY));
	struct cap_slot *live = &world.table.page[1][0], *idle = &world.table.page[1][3];
	const struct cap_table table = world.table;
	const struct cap_slot live_slot = *live, idle_slot = *idle;

	(void)state;
	assert_int_equal(handle & HANDLE_INDEX_MASK, CAP_SLOTS_PER_PAGE);
	world.table.used++;
	assert_false(cap_table_is_valid(&world.table));
	world.table = table;
	world.table.retired++;
	assert_false(cap_table_is_valid(&world.table));
	world.table = table;
	world.table.free_head = 0;
	assert_false(cap_table_is_valid(&world.table));
	world.table.free_head = 257;
	assert_false(cap_table_is_valid(&world.table));
	world.table = table;
	live->generation = 0;
	assert_false(cap_table_is_valid(&world.table));
	*live = live_slot;
	live->state = 77;
	assert_false(cap_table_is_valid(&world.table));
	*live = live_slot;
	idle->next_free = CAP_SLOTS_PER_PAGE + 3; /* a loop */
	assert_false(cap_table_is_valid(&world.table));
	idle->next_free = (uint16_t)((handle & HANDLE_INDEX_MASK) + 1); /* a live slot in the free list */
	assert_false(cap_table_is_valid(&world.table));
	*idle = idle_slot;
	world_end(&world);
}

enum misuse {
	PUBLISH_TWICE,
	PUBLISH_FORGED,
	CANCEL_LIVE,
	COMMIT_LIVE,
	ABORT_LIVE,
	MISUSE_COUNT
};

static void misuse(struct cap_table *table, enum misuse how)
{
	const struct cap_hold hold = hold_make(1, INTERFACE_TIMER, TRANSFER_COPY);
	const handle_t handle = insert(table, hold);

	switch (how) {
	case PUBLISH_TWICE:
		cap_table_publish(table, handle, &hold);
		break;
	case PUBLISH_FORGED:
		cap_table_publish(table, 0x7fff0003, &hold);
		break;
	case CANCEL_LIVE:
		cap_table_cancel(table, handle);
		break;
	case COMMIT_LIVE:
		cap_table_move_commit(table, handle);
		break;
	case ABORT_LIVE:
		cap_table_move_abort(table, handle);
		break;
	case MISUSE_COUNT:
		break;
	}
}

/* The owner's broken promises end the program. */
static void test_misuse_ends(void **state)
{
	(void)state;
	for (uint32_t how = 0; how < MISUSE_COUNT; how++) {
		struct world world = world_make(1);
		pid_t child;
		int outcome = 0;

		(void)fflush(NULL);
		child = fork();
		if (child == 0) {
			(void)signal(SIGABRT, SIG_DFL);
			(void)close(STDERR_FILENO);
			misuse(&world.table, (enum misuse)how);
			_exit(0);
		}
		assert_int_equal(waitpid(child, &outcome, 0), child);
		assert_true(WIFSIGNALED(outcome) && WTERMSIG(outcome) == SIGABRT);
		world_end(&world);
	}
}

/* What a table should hold: a plain list of the ids that are in use, and the ids that must never resolve again. */
struct model {
	handle_t handle[CAP_TABLE_MAX_SLOTS];
	struct cap_hold hold[CAP_TABLE_MAX_SLOTS];
	enum cap_slot_state state[CAP_TABLE_MAX_SLOTS];
	uint32_t count;
	handle_t dead[DEAD];
	uint64_t deaths;
};

static void model_drop(struct model *model, uint32_t i)
{
	model->dead[model->deaths++ % DEAD] = model->handle[i];
	model->count--;
	model->handle[i] = model->handle[model->count];
	model->hold[i] = model->hold[model->count];
	model->state[i] = model->state[model->count];
}

static void model_reserve(struct model *model, struct cap_table *table)
{
	handle_t handle;

	if (!cap_table_has_free(table)) {
		assert_int_equal(cap_table_reserve(table, &handle), STATUS_OVER_CAP_SLOTS);
		assert_int_equal(model->count + table->retired, table->pages * CAP_SLOTS_PER_PAGE);
		return;
	}
	model->handle[model->count] = reserve(table);
	model->state[model->count] = CAP_SLOT_RESERVED;
	model->count++;
}

/* One step on entry i, whatever state it is in: outcome as the state says. */
static void model_step(struct model *model, struct cap_table *table, struct host_random *random, uint32_t i)
{
	const handle_t handle = model->handle[i];
	const bool live = model->state[i] == CAP_SLOT_LIVE, bound = live && model->hold[i].mode == TRANSFER_NONE;
	struct cap_hold out;

	if (host_random_once_in(random, 2)) {
		assert_int_equal(cap_table_move_begin(table, handle, &out), !live   ? STATUS_NO_SUCH_CAPABILITY
									    : bound ? STATUS_NOT_TRANSFERABLE
										    : STATUS_OK);
		if (live && !bound) {
			assert_true(hold_equal(&out, &model->hold[i]));
			model->state[i] = CAP_SLOT_MOVING;
		}
	} else if (live) {
		assert_int_equal(cap_table_remove(table, handle, &out), STATUS_OK);
		assert_true(hold_equal(&out, &model->hold[i]));
		model_drop(model, i);
	} else if (model->state[i] == CAP_SLOT_RESERVED) {
		if (host_random_once_in(random, 4)) {
			cap_table_cancel(table, handle);
			model_drop(model, i);
			return;
		}
		model->hold[i] = hold_make(host_random_u64(random) >> 1,
					   (enum interface_id)host_random_below(random, INTERFACE_COUNT),
					   (enum transfer_mode)host_random_below(random, 3));
		cap_table_publish(table, handle, &model->hold[i]);
		model->state[i] = CAP_SLOT_LIVE;
	} else if (host_random_once_in(random, 2)) {
		cap_table_move_abort(table, handle);
		model->state[i] = CAP_SLOT_LIVE;
	} else {
		cap_table_move_commit(table, handle);
		model_drop(model, i);
	}
}

static void model_look(const struct model *model, const struct cap_table *table, struct host_random *random)
{
	const struct cap_hold *hold = NULL;

	if (model->count > 0) {
		const uint32_t i = (uint32_t)host_random_below(random, model->count);
		const bool live = model->state[i] == CAP_SLOT_LIVE;

		assert_int_equal(resolves(table, model->handle[i]), live);
		if (live) {
			assert_int_equal(cap_table_find(table, model->handle[i], &hold), STATUS_OK);
			assert_true(hold_equal(hold, &model->hold[i]));
		}
	}
	if (model->deaths > 0)
		assert_false(resolves(
			table, model->dead[host_random_below(random, model->deaths < DEAD ? model->deaths : DEAD)]));
	assert_int_equal(table->used, model->count);
}

/* Number of live entries, counted through cap_table_next. */
static uint32_t count_live(const struct cap_table *table)
{
	const struct cap_hold *hold = NULL;
	uint32_t live = 0, index = 0;
	handle_t handle;

	while (cap_table_next(table, index, &handle, &hold) == STATUS_OK) {
		index = (handle & HANDLE_INDEX_MASK) + 1;
		live++;
	}
	return live;
}

static void test_model(void **state)
{
	struct world world = world_make(0);
	struct model *model = calloc(1, sizeof(*model));
	struct host_random random;

	(void)state;
	assert_non_null(model);
	host_random_init(&random, __func__, 23);
	for (uint64_t round = host_rounds(1000000); round > 0; round--) {
		const bool growing = (round / 2048) % 2 == 0;

		if (world.table.pages < 4 && !cap_table_has_free(&world.table)) {
			struct cap_slot *page = calloc(1, SLOT_PAGE);

			/* Slots with a long life behind them, so that some retire on the way. */
			for (uint32_t i = 0; i < 40; i++)
				page[i].generation = UINT16_MAX - 50;
			assert_int_equal(cap_table_add_page(&world.table, page), STATUS_OK);
		}
		if (model->count == 0 || host_random_once_in(&random, growing ? 2 : 4))
			model_reserve(model, &world.table);
		else
			model_step(model, &world.table, &random, (uint32_t)host_random_below(&random, model->count));
		model_look(model, &world.table, &random);
		if (round % 256 == 0) {
			uint32_t live = 0;

			assert_true(cap_table_is_valid(&world.table));
			for (uint32_t i = 0; i < model->count; i++)
				live += model->state[i] == CAP_SLOT_LIVE;
			assert_int_equal(count_live(&world.table), live);
		}
	}
	free(model);
	world_end(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_empty),       cmocka_unit_test(test_first_handle),
		cmocka_unit_test(test_states),      cmocka_unit_test(test_move),
		cmocka_unit_test(test_growth),      cmocka_unit_test(test_lowest_first),
		cmocka_unit_test(test_retire),      cmocka_unit_test(test_is_valid_sees),
		cmocka_unit_test(test_misuse_ends), cmocka_unit_test(test_model),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
