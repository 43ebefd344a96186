/* An id of another generation than its slot's names nothing, whatever is asked of it: lib/cap_table.h. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "lib/cap_table.h"
#include "lib/check.h"

static struct cap_slot *directory[CAP_TABLE_PAGES], page[CAP_SLOTS_PER_PAGE];

static void test_other_generations(void **state)
{
	const struct cap_hold hold = { .interface = INTERFACE_TIMER, .mode = TRANSFER_COPY };
	const struct cap_hold *found;
	struct cap_table table;
	struct cap_hold out;
	handle_t live;

	(void)state;
	cap_table_init(&table, directory);
	assert_int_equal(cap_table_add_page(&table, page), STATUS_OK);
	CHECK(cap_table_reserve(&table, &live) == STATUS_OK);
	cap_table_publish(&table, live, &hold);
	for (handle_t generation = 0; generation <= UINT16_MAX; generation++) {
		handle_t handle = generation << HANDLE_GENERATION_SHIFT | (live & HANDLE_INDEX_MASK);

		if (handle == live)
			continue;
		assert_int_equal(cap_table_find(&table, handle, &found), STATUS_NO_SUCH_CAPABILITY);
		assert_int_equal(cap_table_remove(&table, handle, &out), STATUS_NO_SUCH_CAPABILITY);
		assert_int_equal(cap_table_move_begin(&table, handle, &out), STATUS_NO_SUCH_CAPABILITY);
	}
	assert_true(cap_table_is_valid(&table));
	assert_int_equal(cap_table_remove(&table, live, &out), STATUS_OK);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_other_generations) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
