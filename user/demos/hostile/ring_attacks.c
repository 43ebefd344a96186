#include "user/demos/hostile/ring_attacks.h"

#include <stddef.h>

#include "lib/check.h"
#include "lib/string.h"
#include "user/demos/hostile/attack.h"
#include "user/runtime/system_call.h"
#include "user/runtime/user_thread.h"

#define ROUNDS 3000u
#define SLEEP_ROUNDS 150u
#define SUBMISSION_WORDS (RING_SQ_ENTRIES * sizeof(struct ring_submission) / 8)
#define COMPLETION_WORDS (RING_CQ_ENTRIES * sizeof(struct ring_completion) / 8)

static struct {
	struct ring_page *ring; /* of the victim */
	uint32_t go;            /* from now on the runtime does not touch it */
	uint64_t seed;
	struct memory_object_client object;
} scene;

static uint32_t random_word(void)
{
	return (uint32_t)attack_random(&scene.seed);
}

/* ---- what is written ---- */

static void write_tail(void)
{
	scene.ring->header.sq_tail =
		random_word() % 3 == 0 ? random_word() : scene.ring->header.sq_head + random_word() % 18;
}

static void write_head(void)
{
	scene.ring->header.cq_head =
		random_word() % 3 == 0 ? random_word() : scene.ring->header.cq_tail - random_word() % 34;
}

static void write_kernel_words(void)
{
	scene.ring->header.sq_head = random_word();
	scene.ring->header.cq_tail = random_word();
}

static void write_layout(void)
{
	uint32_t *word = (uint32_t *)scene.ring;

	word[random_word() % 16] = random_word();
}

static void write_entries(void)
{
	uint64_t *word = (uint64_t *)scene.ring->submission;

	word[random_word() % SUBMISSION_WORDS] = attack_random(&scene.seed);
}

/* From one good operation to another, so that the kernel sees the first half of one and the second of the other. */
static void swap_entries(void)
{
	struct ring_submission *slot = &scene.ring->submission[random_word() % RING_SQ_ENTRIES];
	const struct ring_submission object = { .opcode = RING_CALL,
						.operation = MEMORY_OBJECT_MAP,
						.capability = scene.object.handle,
						.argument = { 0, 0, PAGE_SIZE, PROTECTION_READ } };
	const struct ring_submission own = { .opcode = RING_CALL,
					     .operation = VIRTUAL_MEMORY_RESERVE,
					     .capability = trial.memory.handle,
					     .argument = { 0, PAGE_SIZE } };
	const struct ring_submission release = { .opcode = RING_RELEASE, .capability = scene.object.handle + 1 };
	const struct ring_submission *from[] = { &object, &own, &release };

	*slot = *from[random_word() % COUNT_OF(from)];
}

static void write_completions(void)
{
	uint64_t *word = (uint64_t *)scene.ring->completion;

	word[random_word() % COMPLETION_WORDS] = attack_random(&scene.seed);
}

static void write_everything(void)
{
	uint64_t *word = (uint64_t *)scene.ring;

	word[random_word() % (PAGE_SIZE / sizeof(*word))] = attack_random(&scene.seed);
}

static const struct {
	const char *name;
	void (*write)(void);
} writers[] = {
	{ "tail rewritten", write_tail },
	{ "head rewritten", write_head },
	{ "kernel's words rewritten", write_kernel_words },
	{ "layout rewritten", write_layout },
	{ "entries rewritten", write_entries },
	{ "entries swapped", swap_entries },
	{ "completions rewritten", write_completions },
	{ "everything rewritten", write_everything },
};

static int64_t rewrite(void *index)
{
	while (__atomic_load_n(&scene.go, __ATOMIC_ACQUIRE) == 0)
		CHECK(thread_client_yield(trial.threads) == STATUS_OK);
	for (;;) {
		writers[(uint64_t)index].write();
		__atomic_signal_fence(__ATOMIC_SEQ_CST); /* each write happens */
	}
	return 0;
}

/* ---- what the victim does ---- */

static void fill_nulls(struct ring_submission *slot)
{
	slot->opcode = RING_NOP;
}

static void fill_calls(struct ring_submission *slot)
{
	*slot = (struct ring_submission){
		.opcode = RING_CALL,
		.operation = random_word() % 2 == 0 ? VIRTUAL_MEMORY_RESERVE : VIRTUAL_MEMORY_UNMAP,
		.capability = trial.memory.handle,
		.argument = { UINT64_C(0x100000000) + (uint64_t)(random_word() % 8) * PAGE_SIZE, PAGE_SIZE,
			      VIRTUAL_MEMORY_FIXED }
	};
}

static void fill_sleeps(struct ring_submission *slot)
{
	*slot = (struct ring_submission){ .opcode = RING_CALL,
					  .operation = TIMER_SLEEP,
					  .capability = trial.timer.handle,
					  .argument = { random_word() % 100000 } };
}

static const struct {
	const char *name;
	void (*fill)(struct ring_submission *slot);
	uint32_t min_complete, rounds;
} victims[] = {
	{ " during null operations", fill_nulls, 0, ROUNDS },
	{ " during calls", fill_calls, 0, ROUNDS },
	{ " during sleeps", fill_sleeps, 3, SLEEP_ROUNDS },
};

/*
 * The runtime is of no use with such a ring: it is filled by hand, and the process ends by exit alone. Each entry must
 * come back, with a count that a queue can have, or a refusal.
 */
static void be_rewritten(const struct attack *attack)
{
	struct ring_page *ring = ring_client_current.page;

	EXPECT_OK(trial_object(1, &scene.object));
	scene.ring = ring;
	scene.seed = UINT64_C(88172645463325252) + attack->first * UINT64_C(7) + attack->second;
	attack_beside(rewrite, (void *)(uint64_t)attack->first);
	__atomic_store_n(&scene.go, 1, __ATOMIC_RELEASE);
	for (uint32_t round = 0; round < victims[attack->second].rounds; round++) {
		for (uint32_t i = 0; i < RING_SQ_ENTRIES; i++)
			victims[attack->second].fill(&ring->submission[i]);
		ring->header.sq_tail += (uint32_t)RING_SQ_ENTRIES / 2;
		const int64_t result = system_call_cap_enter(victims[attack->second].min_complete, TRIAL_MS(1));

		if (result > (int64_t)RING_CQ_ENTRIES || (result < 0 && result != -(int64_t)STATUS_BAD_ARGUMENT))
			system_call_exit(2);
		ring->header.cq_head += (uint32_t)(result > 0 ? result : 0);
	}
	system_call_exit(0);
}

void ring_attacks_add(void)
{
	for (uint32_t i = 0; i < COUNT_OF(writers); i++) {
		for (uint32_t j = 0; j < COUNT_OF(victims); j++) {
			struct attack *attack =
				attack_add(writers[i].name, victims[j].name, be_rewritten, ATTACK_EXITS);

			attack->first = i;
			attack->second = j;
		}
	}
}
