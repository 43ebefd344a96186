/* links: HOST_TASK_KERNEL */
/*
 * Between a call and the receiver that is woken for it: the receiver's thread fetches the call, so anything may happen
 * before it comes. No call is lost, none is received twice, and nobody else waits for the receiver's address space.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "kernel/mem/anonymous.h"
#include "lib/check.h"
#include "tests/host/endpoint_scene.h"
#include "tests/host/task_scheduler.h"

#define RECEIVERS 3u

static const struct parcel nothing = { .count = 0 };

static struct thread *receiver[RECEIVERS];
static uint64_t receive[RECEIVERS]; /* user data */

static void begin(void)
{
	endpoint_scene_begin();
	for (uint32_t i = 0; i < RECEIVERS; i++) {
		receiver[i] = actor_add_thread(&ends.owner);
		receive[i] = endpoint_scene_receive(receiver[i], ends.owned, SCENE_ROOM);
	}
	endpoint_scene_assert_queues(0, RECEIVERS, 0);
	task_scheduler_log.wakes = 0;
}

static uint64_t call(uint16_t method)
{
	return endpoint_scene_call(ends.client.thread, ends.facet, method, &nothing, 0);
}

/* So many receivers were woken since begin, this one last. */
static void assert_woken(uint64_t wakes, const struct thread *thread)
{
	assert_int_equal(task_scheduler_log.wakes, wakes);
	assert_ptr_equal(task_scheduler_log.woken[wakes - 1], thread);
	assert_true(endpoint_all_are_valid());
}

static void assert_receives(struct thread *thread, uint16_t method)
{
	assert_int_equal(endpoint_scene_completion(thread).result, 0);
	assert_int_equal(endpoint_scene_read(&ends.owner, SCENE_RECEIVE).header.method, method);
}

static void cancel(struct thread *thread, uint64_t user_data)
{
	struct ring_completion completion;

	(void)ACTOR_SUBMIT(thread, RING_CANCEL, 0, HANDLE_NONE, user_data);
	assert_int_equal(actor_take(thread, &completion), STATUS_OK);
	assert_int_equal(completion.user_data, user_data);
	assert_int_equal(actor_status(&completion), STATUS_CANCELLED);
	assert_int_equal(actor_take(thread, &completion), STATUS_OK);
	assert_int_equal(completion.result, 0); /* of the CANCEL itself */
}

/* ---- who waits for whose memory ---- */

/* The receiver's space is kept busy: a lock that is taken here would never be had. */
static void test_nobody_waits(void **state)
{
	struct spinlock *space;

	(void)state;
	begin();
	space = &ends.owner.process->space.lock;
	spinlock_acquire(space);
	cancel(ends.client.thread, call(1));
	(void)call(2);
	endpoint_scene_assert_queues(1, RECEIVERS, 0);
	spinlock_release(space);
	assert_woken(1, receiver[0]); /* it has not come yet, so it comes for the second one */
	assert_receives(receiver[0], 2);
	endpoint_scene_assert_waits(receiver[1]);
	endpoint_scene_assert_queues(0, RECEIVERS - 1, 1);
	endpoint_scene_end();
}

/* ---- one receiver for each call ---- */

static void test_each_call_wakes_one(void **state)
{
	(void)state;
	begin();
	for (uint16_t i = 0; i < RECEIVERS; i++) {
		(void)call(i);
		assert_woken(i + 1, receiver[i]);
	}
	(void)call(RECEIVERS); /* nobody is left to be woken */
	assert_woken(RECEIVERS, receiver[RECEIVERS - 1]);
	endpoint_scene_assert_queues(RECEIVERS + 1, RECEIVERS, 0);
	for (uint32_t i = RECEIVERS; i-- > 0;) /* in whatever order they come, calls are taken in theirs */
		assert_receives(receiver[i], (uint16_t)(RECEIVERS - 1 - i));
	assert_int_equal(endpoint_scene_serve(), RECEIVERS + 1);
	endpoint_scene_assert_queues(0, 0, RECEIVERS + 1);
	endpoint_scene_end();
}

/* Another thread receives before the one that was called comes: that one waits on, first in the queue. */
static void test_overtaken(void **state)
{
	(void)state;
	begin();
	(void)call(1);
	assert_int_equal(endpoint_scene_serve(), 1);
	endpoint_scene_assert_queues(0, RECEIVERS, 1);
	endpoint_scene_assert_waits(receiver[0]);
	endpoint_scene_assert_queues(0, RECEIVERS, 1);
	(void)call(2);
	assert_ptr_equal(task_scheduler_log.handed_over, receiver[0]);
	assert_receives(receiver[0], 2);
	endpoint_scene_end();
}

/* ---- the one that was called does not come ---- */

static void test_cancelled(void **state)
{
	(void)state;
	begin();
	(void)call(1);
	cancel(receiver[0], receive[0]);
	assert_woken(2, receiver[1]);
	assert_receives(receiver[1], 1);
	endpoint_scene_assert_waits(receiver[0]);
	endpoint_scene_assert_queues(0, RECEIVERS - 2, 1);
	endpoint_scene_end();
}

static void test_thread_ends(void **state)
{
	(void)state;
	begin();
	(void)call(1);
	actor_end_thread(receiver[0], 0);
	assert_ptr_equal(task_scheduler_log.woken[task_scheduler_log.wakes - 1], receiver[1]);
	assert_receives(receiver[1], 1);
	endpoint_scene_assert_queues(0, RECEIVERS - 2, 1);
	endpoint_scene_end();
}

/* Its buffer has gone bad meanwhile: it is told so, and the next one gets the call. */
static void test_refused(void **state)
{
	const struct uaddr_range page = { uaddr_from_u64(SCENE_RECEIVE), uaddr_from_u64(SCENE_RECEIVE + PAGE_SIZE) };

	(void)state;
	begin();
	(void)ACTOR_SUBMIT(ends.owner.thread, RING_RECEIVE, 0, ends.owned, SCENE_RESULT, SCENE_ROOM, 0);
	(void)call(1);
	assert_int_equal(anonymous_protect(&ends.owner.process->space, page, PROTECTION_READ), STATUS_OK);
	for (uint32_t i = 0; i < RECEIVERS; i++) {
		assert_int_equal(endpoint_scene_status(receiver[i]), STATUS_BUFFER_FAULT);
		endpoint_scene_assert_queues(1, RECEIVERS - i, 0);
	}
	assert_int_equal(endpoint_scene_completion(ends.owner.thread).value, 1); /* no id was used up */
	assert_int_equal(endpoint_scene_read(&ends.owner, SCENE_RESULT).header.method, 1);
	endpoint_scene_end();
}

/* Its buffer has no frame yet: it gets one with the call; if none is left, it is told so, and the next one comes. */
static void test_lazy_buffer(void **state)
{
	const struct uaddr_range page = { uaddr_from_u64(SCENE_RECEIVE), uaddr_from_u64(SCENE_RECEIVE + PAGE_SIZE) };
	struct address_space *space;
	uint64_t frames;

	(void)state;
	begin();
	space = &ends.owner.process->space;
	assert_int_equal(anonymous_decommit(space, page), STATUS_OK);
	assert_int_equal(anonymous_commit_lazy(space, page, PROTECTION_READ | PROTECTION_WRITE), STATUS_OK);
	frames = frame_free_count();
	(void)call(1);
	(void)machine_refuse_promise(0);
	assert_int_equal(endpoint_scene_status(receiver[0]), STATUS_OUT_OF_MEMORY);
	endpoint_scene_assert_queues(1, RECEIVERS - 1, 0);
	assert_int_equal(frame_free_count(), frames);
	assert_receives(receiver[1], 1);
	assert_int_equal(frame_free_count(), frames - 1);
	endpoint_scene_assert_queues(0, RECEIVERS - 2, 1);
	endpoint_scene_end();
}

/* With the owner's capability the call goes, and the receives, called or not. */
static void test_owner_goes(void **state)
{
	struct ring_completion completion;

	(void)state;
	begin();
	(void)call(1);
	completion = ACTOR_CALL(ends.owner.thread, RING_RELEASE, 0, ends.owned, 0);
	assert_int_equal(actor_status(&completion), STATUS_OK);
	for (uint32_t i = 0; i < RECEIVERS; i++)
		assert_int_equal(endpoint_scene_status(receiver[i]), STATUS_GONE);
	assert_int_equal(endpoint_scene_status(ends.client.thread), STATUS_GONE);
	endpoint_scene_end();
}

static void test_owner_ends(void **state)
{
	(void)state;
	begin();
	(void)call(1);
	actor_end(&ends.owner);
	assert_int_equal(endpoint_scene_status(ends.client.thread), STATUS_GONE);
	endpoint_scene_end();
}

/* ---- the call that it was woken for goes ---- */

static void test_caller_goes(void **state)
{
	(void)state;
	for (uint32_t ends_whole = 0; ends_whole < 2; ends_whole++) {
		begin();
		const uint64_t user_data = call(1);

		if (ends_whole == 0)
			cancel(ends.client.thread, user_data);
		else
			actor_end(&ends.client);
		endpoint_scene_assert_queues(0, RECEIVERS, 0);
		endpoint_scene_assert_waits(receiver[0]);
		endpoint_scene_assert_queues(0, RECEIVERS, 0);
		endpoint_scene_end();
	}
}

/* A place that was called and has another receive by now: that one looks in vain, and waits on. */
static void test_place_is_used_again(void **state)
{
	(void)state;
	begin();
	(void)call(1);
	cancel(receiver[0], receive[0]);
	assert_receives(receiver[1], 1);
	(void)call(2);
	receiver[0]->called |= 1; /* as if it had been called and not come by since */
	(void)endpoint_scene_receive(receiver[0], ends.owned, SCENE_ROOM);
	assert_receives(receiver[0], 2);
	receiver[0]->called |= 1;
	endpoint_scene_assert_waits(receiver[2]);
	(void)endpoint_scene_receive(receiver[0], ends.owned, SCENE_ROOM);
	endpoint_scene_assert_waits(receiver[0]);
	endpoint_scene_assert_queues(0, 2, 2);
	endpoint_scene_end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nobody_waits), cmocka_unit_test(test_each_call_wakes_one),
		cmocka_unit_test(test_overtaken),    cmocka_unit_test(test_cancelled),
		cmocka_unit_test(test_thread_ends),  cmocka_unit_test(test_refused),
		cmocka_unit_test(test_owner_goes),   cmocka_unit_test(test_owner_ends),
		cmocka_unit_test(test_caller_goes),  cmocka_unit_test(test_place_is_used_again),
		cmocka_unit_test(test_lazy_buffer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
