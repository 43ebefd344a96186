/* links: HOST_TASK_KERNEL */
/*
 * Whatever of a program's memory the kernel reads or writes, it does so under the lock of that address space: two pages
 * of the program are shut while an operation runs and its result is handed out, and each touch of one of them looks at
 * the lock before it opens it.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <sys/mman.h>

#include "abi/endpoint_abi.h"
#include "abi/process_abi.h"
#include "abi/thread_control_abi.h"
#include "abi/transfer_abi.h"
#include "abi/virtual_memory_abi.h"
#include "kernel/mem/user_access.h"
#include "kernel/task/endpoint.h"
#include "tests/host/call_scene.h"
#include "tests/host/page_watch.h"

#define PAGES 2u
#define ACROSS (SCENE_WRITABLE + PAGE_SIZE - 24) /* a buffer there is in both pages */
#define FOREVER UINT64_MAX

static void *page[PAGES]; /* as the kernel sees them */
static volatile sig_atomic_t touches, unlocked;
static struct endpoint *endpoint;         /* the scene's */
static volatile sig_atomic_t handing_out; /* what has come, to the thread's own memory: under no other lock */
static volatile sig_atomic_t locked_more;
static struct process *watched; /* another one that is waited for; NULL: none */

static bool other_lock_is_held(void)
{
	return spinlock_is_held(&endpoint->lock) || spinlock_is_held(&scene.process->lock) ||
	       spinlock_is_held(&scene.process->cap_lock) || (watched != NULL && spinlock_is_held(&watched->lock));
}

static void touched(int number, siginfo_t *info, void *context)
{
	(void)context;
	for (uint32_t i = 0; i < PAGES; i++) {
		if ((uintptr_t)info->si_addr - (uintptr_t)page[i] >= PAGE_SIZE)
			continue;
		touches++;
		if (!spinlock_is_held(&scene.process->space.lock))
			unlocked++;
		if (handing_out != 0 && other_lock_is_held())
			locked_more++;
		(void)mprotect(page[i], PAGE_SIZE, PROT_READ | PROT_WRITE);
		return;
	}
	(void)signal(number, SIG_DFL); /* a fault of another kind: once more, without us */
}

static void protect(int protection)
{
	for (uint32_t i = 0; i < PAGES; i++)
		assert_int_equal(mprotect(page[i], PAGE_SIZE, protection), 0);
}

static void shut(void)
{
	touches = 0;
	unlocked = 0;
	locked_more = 0;
	protect(PROT_NONE);
}

/* The operation touched so many of the pages, and each time the space was locked. */
static void assert_locked(int pages)
{
	assert_int_equal(touches, pages);
	assert_int_equal(unlocked, 0);
	assert_int_equal(locked_more, 0);
	protect(PROT_READ | PROT_WRITE);
}

static void begin(void)
{
	if (!page_watch_works())
		skip();
	call_scene_begin();
	watched = NULL;
	endpoint = actor_object(&scene.actor, scene.endpoint);
	for (uint32_t i = 0; i < PAGES; i++) {
		unsigned level;
		pte_t entry = address_space_entry(&scene.process->space, SCENE_WRITABLE + i * PAGE_SIZE, &level);

		page[i] = direct_map_of_frame(pte_frame(entry));
	}
	page_watch_handle(SIGSEGV, touched);
}

static struct ring_completion take(void)
{
	struct ring_completion completion;

	handing_out = 1;
	assert_int_equal(actor_take(scene.thread, &completion), STATUS_OK);
	handing_out = 0;
	return completion;
}

/* What is complete has touched nothing yet: that is its thread's to do. */
static void assert_untouched(void)
{
	assert_int_equal(touches, 0);
}

/* ---- bytes ---- */

static void test_copies(void **state)
{
	struct address_space *space;
	uint8_t bytes[100];

	(void)state;
	begin();
	space = &scene.process->space;
	shut();
	assert_int_equal(user_access_read(space, SCENE_WRITABLE + 8, sizeof(bytes), bytes), STATUS_OK);
	assert_locked(1);
	shut();
	assert_int_equal(user_access_write(space, SCENE_WRITABLE + 8, sizeof(bytes), bytes), STATUS_OK);
	assert_locked(1);
	shut();
	assert_int_equal(user_access_read(space, ACROSS, 48, bytes), STATUS_OK);
	assert_locked(2);
	shut();
	assert_int_equal(user_access_write(space, ACROSS, 48, bytes), STATUS_OK);
	assert_locked(2);
	call_scene_end();
}

/* The result of a call. */
static void test_results(void **state)
{
	(void)state;
	begin();
	shut();
	assert_int_equal(STATUS_OF(scene.memory, VIRTUAL_MEMORY_QUERY, SCENE_IMAGE, ACROSS + 8,
				   sizeof(struct virtual_memory_region)),
			 STATUS_OK);
	assert_locked(2);
	call_scene_end();
}

/* ---- words to park on ---- */

static void test_parked_word(void **state)
{
	struct ring_completion completion;

	(void)state;
	begin();
	actor_write_word(&scene.actor, SCENE_WRITABLE, 5);
	shut();
	completion = ACTOR_CALL(scene.thread, RING_PARK, 0, scene.park, SCENE_WRITABLE, 6, FOREVER);
	assert_int_equal(actor_status(&completion), STATUS_WOULD_BLOCK);
	assert_locked(1);
	shut();
	(void)ACTOR_SUBMIT(scene.thread, RING_PARK, 0, scene.park, SCENE_WRITABLE, 5, FOREVER);
	assert_locked(1);
	completion = ACTOR_CALL(scene.thread, RING_CANCEL, 0, HANDLE_NONE, 0);
	assert_int_equal(actor_status(&completion), STATUS_NOT_FOUND);
	call_scene_end(); /* it ends with its thread */
}

/* ---- messages ---- */

/* A call of `bytes` at ACROSS with one descriptor behind them, which is received there. Its id. */
static uint64_t pass_call(void)
{
	const struct transfer_descriptor descriptor = { scene.timer, TRANSFER_KIND_COPY };
	const uint64_t descriptors = ACROSS + 20; /* over the edge, too */
	uint64_t id;

	actor_write(&scene.actor, descriptors, &descriptor, sizeof(descriptor));
	shut();
	(void)ACTOR_SUBMIT(scene.thread, RING_CALL, 3, scene.client, SCENE_WRITABLE, 16, ACROSS,
			   sizeof(struct endpoint_message), descriptors, 1);
	assert_locked(2);
	shut();
	(void)ACTOR_SUBMIT(scene.thread, RING_RECEIVE, 0, scene.endpoint, ACROSS, sizeof(struct endpoint_message) + 16,
			   TRANSFER_MAX);
	assert_locked(2); /* a call goes to who receives it at once */
	id = take().value;
	return id;
}

static void test_messages(void **state)
{
	const uint8_t bytes[16] = { 1, 2, 3 };
	uint64_t id;

	(void)state;
	begin();
	actor_write(&scene.actor, SCENE_WRITABLE, bytes, sizeof(bytes));
	id = pass_call();
	/* the answer: nothing is read, and the header is written to the caller's buffer */
	shut();
	(void)ACTOR_SUBMIT(scene.thread, RING_RETURN, 0, scene.endpoint, id, 7);
	assert_untouched();
	assert_int_equal(take().result, 0);
	assert_int_equal(take().result, 0);
	assert_locked(2);
	call_scene_end();
}

/* ---- ends ---- */

static void test_end_of_a_thread(void **state)
{
	struct ring_completion completion;
	struct thread *thread;

	(void)state;
	begin();
	thread = actor_add_thread(&scene.actor);
	(void)ACTOR_SUBMIT(scene.thread, RING_CALL, THREAD_CONTROL_WAIT, scene.threads,
			   process_thread_id(scene.process, thread), ACROSS + 8, sizeof(struct thread_exit));
	shut();
	actor_end_thread(thread, 9);
	assert_untouched();
	completion = take();
	assert_locked(2);
	assert_int_equal(actor_status(&completion), STATUS_OK);
	assert_int_equal(completion.value, 9);
	call_scene_end();
}

static void test_end_of_a_process(void **state)
{
	struct ring_completion completion;
	struct actor other;
	handle_t handle;

	(void)state;
	begin();
	actor_begin(&other, "other");
	watched = other.process;
	process_add_hold(watched);
	handle = actor_grant(&scene.actor, INTERFACE_PROCESS_HANDLE, TRANSFER_NONE, watched);
	(void)ACTOR_SUBMIT(scene.thread, RING_CALL, PROCESS_HANDLE_WAIT, handle, ACROSS, sizeof(struct process_exit));
	shut();
	actor_end(&other);
	assert_untouched();
	completion = take();
	assert_locked(2);
	assert_int_equal(actor_status(&completion), STATUS_OK);
	/* and when it has ended already */
	shut();
	(void)ACTOR_SUBMIT(scene.thread, RING_CALL, PROCESS_HANDLE_WAIT, handle, ACROSS, sizeof(struct process_exit));
	assert_untouched();
	completion = take();
	assert_locked(2);
	assert_int_equal(actor_status(&completion), STATUS_OK);
	assert_int_equal(call_scene_release(handle), STATUS_OK);
	call_scene_end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_copies),          cmocka_unit_test(test_results),
		cmocka_unit_test(test_parked_word),     cmocka_unit_test(test_messages),
		cmocka_unit_test(test_end_of_a_thread), cmocka_unit_test(test_end_of_a_process),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
