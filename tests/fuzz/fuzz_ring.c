/* links: HOST_TASK_KERNEL */
#include <stddef.h>
#include <string.h>

#include "abi/syscall_abi.h"
#include "kernel/arch/x86_64/user_mode.h"
#include "kernel/mem/user_access.h"
#include "lib/check.h"
#include "lib/status.h"
#include "tests/host/call_scene.h"
#include "tests/host/host_support.h"
#include "tests/host/task_scheduler.h"

#define STEPS 200u /* that one input decides at most */
#define THREADS 2u
#define LONGEST_WAIT_NS 20000000u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* One thread at its ring, before and after it enters the kernel. */
struct entrant {
	struct thread *thread;
	struct ring_page *ring;
	uint64_t min_complete, timeout, answer;
	struct ring_look look;
	struct ring_kernel state;
	uint64_t open;
};

static struct host_random choices;
static struct entrant entrant[THREADS];

static uint64_t below(uint64_t limit)
{
	return host_random_below(&choices, limit);
}

/* ---- what a program asks for ---- */

static handle_t any_handle(void)
{
	const uint32_t known = scene.process->caps.used + 2; /* some of them released, perhaps */
	const uint32_t generation = below(8) == 0 ? (uint32_t)below(4) : 1;

	return below(16) == 0 ? (handle_t)host_random_u64(&choices)
			      : generation << HANDLE_GENERATION_SHIFT | (uint32_t)below(known);
}

static uint64_t any_address(void)
{
	static const uint64_t places[] = { SCENE_WRITABLE,
					   SCENE_READABLE,
					   SCENE_RESERVED,
					   SCENE_NO_ACCESS,
					   SCENE_EXECUTABLE,
					   SCENE_END,
					   SCENE_IMAGE,
					   SCENE_GUARD,
					   SCENE_MAPPED,
					   CAPSET_ADDRESS,
					   RING_ADDRESS,
					   USER_LIMIT,
					   0 };
	const uint64_t place = places[below(COUNT_OF(places))];

	return below(2) == 0 ? place : place + below(PAGE_SIZE) * 8 - PAGE_SIZE;
}

static uint64_t any_argument(void)
{
	switch (below(8)) {
	case 0:
	case 1:
		return any_address();
	case 2:
		return below(32) * PAGE_SIZE;
	case 3:
		return UINT64_C(1) << below(64);
	case 4:
		return any_handle();
	case 5:
		return host_random_u64(&choices);
	default:
		return below(256);
	}
}

/* As a program does it; a queue that it thinks full is left alone. */
static void submit(struct entrant *one)
{
	static const enum ring_opcode others[] = { RING_NOP,  RING_RECEIVE, RING_RETURN, RING_RELEASE,
						   RING_PARK, RING_UNPARK,  RING_CANCEL };
	const enum ring_opcode opcode = below(2) == 0 ? RING_CALL : others[below(COUNT_OF(others))];
	struct ring_submission *slot;

	if (ring_submit_slot(one->ring, &slot) != STATUS_OK)
		return;
	ring_fill(slot, opcode, (uint16_t)below(12), any_handle(), below(8));
	for (uint32_t i = 0; i < COUNT_OF(slot->argument); i++)
		slot->argument[i] = any_argument();
	ring_publish(one->ring);
}

/* Any word of the page, or an index. */
static void scribble(struct entrant *one)
{
	uint8_t *const page = (uint8_t *)one->ring;
	const uint64_t word = host_random_u64(&choices);

	switch (below(4)) {
	case 0:
		one->ring->header.sq_tail = one->ring->header.sq_head + (uint32_t)below(24);
		break;
	case 1:
		one->ring->header.cq_head = one->ring->header.cq_tail - (uint32_t)below(40);
		break;
	default:
		memcpy(page + below(PAGE_SIZE / sizeof(word)) * sizeof(word), &word, sizeof(word));
		break;
	}
}

/* Words of descriptors, requests and names, if the pages are there still. */
static void write_memory(void)
{
	const uint64_t at = SCENE_WRITABLE + below(32) * 8;

	for (uint64_t i = 0, count = below(8); i < count; i++) {
		const uint64_t word = any_argument();

		if (user_access_write(&scene.process->space, at + i * sizeof(word), sizeof(word), &word) != STATUS_OK)
			return;
	}
}

/* ---- what must be so afterwards ---- */

static struct ring_completion completion_at(const struct entrant *one, uint64_t index)
{
	struct ring_completion completion;

	memcpy(&completion, &one->ring->completion[index % RING_CQ_ENTRIES], sizeof(completion));
	return completion;
}

static void check_completion(const struct ring_completion *completion)
{
	const bool has_capability = completion->capability != HANDLE_NONE;

	CHECK(completion->flags == (has_capability ? COMPLETION_HAS_CAPABILITY : 0));
	CHECK(has_capability == (completion->interface != INTERFACE_NONE) && completion->interface < INTERFACE_COUNT);
	CHECK(completion->result >= 0 ||
	      strcmp(status_name((enum status) - completion->result), "unknown status") != 0);
	CHECK(completion->result >= 0 || !has_capability);
}

/*
 * Nothing is taken by impossible indices. Each submission that was taken is answered once: by a completion, or by an
 * operation that is open now; and each operation that was open is so still, or was answered.
 */
static void check_entered(const struct entrant *one)
{
	const struct ring_kernel *state = &one->thread->ring_state;
	const uint64_t taken = state->sq_head - one->state.sq_head;
	const uint64_t written = state->cq_tail - one->state.cq_tail;

	if (!ring_look_is_possible(one->look) || one->min_complete > RING_CQ_ENTRIES) {
		CHECK(one->answer == (uint64_t) - (int64_t)STATUS_BAD_ARGUMENT);
		CHECK(taken == 0 && written == 0 && one->open == one->thread->open_count);
		return;
	}
	CHECK(taken <= one->look.pending);
	CHECK(written + one->thread->open_count == taken + one->open);
	CHECK(one->answer == one->look.waiting + written);
	CHECK(taken == 0 || one->answer + one->thread->open_count <= RING_CQ_ENTRIES);
	CHECK((uint32_t)state->sq_head == one->ring->header.sq_head);
	CHECK((uint32_t)state->cq_tail == one->ring->header.cq_tail);
	for (uint64_t i = 0; i < written && i < RING_CQ_ENTRIES; i++) {
		const struct ring_completion completion = completion_at(one, one->state.cq_tail + i);

		check_completion(&completion);
	}
}

/* ---- into the kernel ---- */

static void let_time_pass(void *argument)
{
	(void)argument;
	CHECK(task_scheduler_log.deadline != UINT64_MAX);
	task_machine_set_clock(task_scheduler_log.deadline);
}

static void enter(void *argument)
{
	struct entrant *one = argument;

	one->answer = syscall_cap_enter(one->min_complete, one->timeout);
}

/* False: the thread has ended. */
static bool enter_kernel(struct entrant *one)
{
	one->min_complete = below(4) == 0 ? below(2 * RING_CQ_ENTRIES) : 0;
	one->timeout = one->min_complete == 0 ? CAP_ENTER_FOREVER : below(LONGEST_WAIT_NS);
	one->state = one->thread->ring_state;
	one->open = one->thread->open_count;
	one->look = ring_kernel_look(&one->state, one->ring);
	if (task_scheduler_run(one->thread, enter, one))
		return false;
	check_entered(one);
	actor_assert_valid(&scene.actor);
	return true;
}

static bool step(void)
{
	struct entrant *one = &entrant[below(8) == 0];
	struct ring_completion completion;

	switch (below(8)) {
	case 0:
		scribble(one);
		return true;
	case 1:
		write_memory();
		return true;
	case 2:
	case 3:
		while (ring_take(one->ring, &completion) == STATUS_OK && ring_completed(one->ring) <= RING_CQ_ENTRIES)
			continue;
		return enter_kernel(one);
	default:
		submit(one);
		return true;
	}
}

/*
 * The bytes choose what two threads of a program put into their rings and memory, and when they enter the kernel (the
 * scene of tests/host/call_scene.h): its answer, its indices and all that it keeps must be right after each time.
 */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	bool lives = true;

	host_random_from_bytes(&choices, data, size);
	call_scene_begin();
	entrant[0].thread = scene.thread;
	entrant[1].thread = actor_add_thread(&scene.actor);
	for (uint32_t i = 0; i < THREADS; i++)
		entrant[i].ring = entrant[i].thread->ring;
	task_scheduler_on_block(let_time_pass, NULL);
	for (uint32_t i = 0; i < STEPS && lives && !host_random_is_spent(&choices); i++)
		lives = step();
	call_scene_end();
	return 0;
}
