/* links: HOST_TASK_KERNEL */
/*
 * The kernel reads each word of a submission once: what it has checked and what it uses are the same value, whatever
 * the program writes meanwhile. The ring's page is shut while submissions are carried out; each access opens it for one
 * instruction, and is counted by its address.
 */
#define _GNU_SOURCE /* the registers of a signal's context */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <sys/mman.h>
#include <ucontext.h>

#include "abi/memory_object_abi.h"
#include "abi/timer_abi.h"
#include "abi/virtual_memory_abi.h"
#include "kernel/cap/dispatch.h"
#include "lib/check.h"
#include "tests/host/call_scene.h"
#include "tests/host/page_watch.h"
#include "tests/host/task_scheduler.h"

#define HALVES (PAGE_SIZE / sizeof(uint32_t)) /* the indices are half a word each */
#define FLAG_TRAP 0x100
#define ERROR_WRITE 2

static volatile uint32_t reads[HALVES]; /* of the ring's page, by where they begin */

static void touched(int number, siginfo_t *info, void *context)
{
	ucontext_t *registers = context;
	uint64_t offset = (uintptr_t)info->si_addr - (uintptr_t)scene.ring;

	if (offset >= PAGE_SIZE) {
		(void)signal(number, SIG_DFL); /* a fault of another kind: once more, without us */
		return;
	}
	if ((registers->uc_mcontext.gregs[REG_ERR] & ERROR_WRITE) == 0)
		reads[offset / sizeof(uint32_t)]++;
	(void)mprotect(scene.ring, PAGE_SIZE, PROT_READ | PROT_WRITE);
	registers->uc_mcontext.gregs[REG_EFL] |= FLAG_TRAP;
}

static void stepped(int number, siginfo_t *info, void *context)
{
	ucontext_t *registers = context;

	(void)number;
	(void)info;
	(void)mprotect(scene.ring, PAGE_SIZE, PROT_NONE);
	registers->uc_mcontext.gregs[REG_EFL] &= ~(greg_t)FLAG_TRAP;
}

static void submit(uint64_t first, const uint64_t argument[6])
{
	struct ring_submission *slot;

	CHECK(ring_submit_slot(scene.ring, &slot) == STATUS_OK);
	*(ring_word_t *)slot = first;
	slot->user_data = 1;
	for (uint32_t i = 0; i < COUNT_OF(slot->argument); i++)
		slot->argument[i] = argument[i];
	ring_publish(scene.ring);
}

#define SUBMIT(opcode, operation, capability, ...) \
	submit(actor_first(opcode, operation, capability), (uint64_t[6]){ __VA_ARGS__ })

/* Carry out all that was submitted, and take the completions. */
static void carry_out(uint32_t count)
{
	struct ring_completion completion;
	struct ring_look look;

	task_scheduler_run_as(scene.thread);
	assert_int_equal(mprotect(scene.ring, PAGE_SIZE, PROT_NONE), 0);
	look = ring_kernel_look(&scene.thread->ring_state, scene.ring);
	(void)dispatch_queue(scene.thread, look.pending, look.waiting);
	assert_int_equal(mprotect(scene.ring, PAGE_SIZE, PROT_READ | PROT_WRITE), 0);
	assert_int_equal(look.pending, count);
	for (uint32_t i = 0; i < count; i++)
		assert_int_equal(ring_take(scene.ring, &completion), STATUS_OK);
}

static void assert_read_once(uint64_t offset)
{
	assert_int_equal(reads[offset / sizeof(uint32_t)], 1);
}

static void assert_submission_read_once(uint64_t place)
{
	for (uint64_t word = 0; word < sizeof(struct ring_submission); word += sizeof(uint64_t))
		assert_read_once(offsetof(struct ring_page, submission) + place + word);
}

static void test_dispatch(void **state)
{
	const uint32_t count = 10;
	uint64_t place;

	(void)state;
	if (!page_watch_works())
		skip();
	call_scene_begin();
	page_watch_handle(SIGSEGV, touched);
	page_watch_handle(SIGTRAP, stepped);
	place = ring_submit_first(scene.ring);
	/* as many as `count` */
	SUBMIT(RING_NOP, 0, HANDLE_NONE, 0);
	SUBMIT(RING_CALL, TIMER_NOW, scene.timer, 0);
	SUBMIT(RING_CALL, VIRTUAL_MEMORY_QUERY, scene.memory, SCENE_IMAGE, SCENE_WRITABLE, 40);
	SUBMIT(RING_CALL, MEMORY_OBJECT_MAP, scene.object, 0, 0, PAGE_SIZE, PROTECTION_READ, 0);
	SUBMIT(RING_CALL, 12345, scene.memory, 0);
	SUBMIT(RING_RELEASE, 0, scene.other, 0);
	SUBMIT(RING_PARK, 0, scene.park, SCENE_WRITABLE + 1, 0, 0);
	SUBMIT(RING_RETURN, 0, scene.endpoint, 99, 0, 0, 0, 0, 0);
	SUBMIT(RING_CANCEL, 0, HANDLE_NONE, 99);
	SUBMIT((enum ring_opcode)200, 0, HANDLE_NONE, 0);
	carry_out(count);
	for (uint32_t i = 0; i < count; i++, place = ring_submission_next(place))
		assert_submission_read_once(place);
	assert_read_once(offsetof(struct ring_page, header.sq_tail));
	assert_read_once(offsetof(struct ring_page, header.cq_head));
	call_scene_end();
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_dispatch) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
