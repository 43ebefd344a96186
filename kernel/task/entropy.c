#include "kernel/task/entropy.h"

#include <stdbool.h>

#include "kernel/arch/x86_64/instructions.h"
#include "kernel/arch/x86_64/log.h"
#include "kernel/arch/x86_64/random.h"
#include "kernel/arch/x86_64/spinlock.h"
#include "lib/string.h"

#define WORDS 16u /* of each source at the start: four times what the key has */

static struct {
	struct spinlock lock;
	struct random_stream stream; /* lock */
	bool is_seeded;              /* fixed at the start */
} source = { .lock = SPINLOCK_INIT(LOCK_ENTROPY) };

void entropy_start(const uint64_t *loader, uint32_t words)
{
	static const uint8_t nothing[RANDOM_STREAM_SEED_BYTES];
	uint64_t word;
	uint32_t hardware = 0;

	source.is_seeded = false;
	random_stream_init(&source.stream, nothing);
	random_stream_mix(&source.stream, loader, words * sizeof(*loader));
	for (uint32_t i = 0; i < WORDS; i++) {
		word = random_timer();
		random_stream_mix(&source.stream, &word, sizeof(word));
		if (!random_hardware(&word))
			continue;
		random_stream_mix(&source.stream, &word, sizeof(word));
		hardware++;
	}
	log_line("entropy: %u words of the loader's, %u of the CPU's, %u of timers", words, hardware, WORDS);
}

void entropy_start_seeded(uint64_t seed)
{
	source.is_seeded = true;
	random_stream_init_number(&source.stream, seed);
	log_line("entropy: seed=%llu: nothing is random, all of it can be foretold", (unsigned long long)seed);
}

/* What the time and the CPU say now. Locked. */
static void stir(void)
{
	uint64_t words[2] = { rdtsc(), 0 };

	if (source.is_seeded)
		return;
	(void)random_hardware(&words[1]);
	random_stream_mix(&source.stream, words, sizeof(words));
}

void entropy_bytes(void *to, size_t count)
{
	spinlock_acquire(&source.lock);
	stir();
	random_stream_bytes(&source.stream, to, count);
	spinlock_release(&source.lock);
}

struct layout_offsets entropy_draw(void)
{
	struct layout_offsets words;

	spinlock_acquire(&source.lock);
	stir();
	words = layout_draw(&source.stream);
	spinlock_release(&source.lock);
	return words;
}
