#include "kernel/arch/x86_64/random.h"

#include "kernel/arch/x86_64/features.h"
#include "kernel/arch/x86_64/instructions.h"
#include "kernel/arch/x86_64/port.h"

#define TRIES 10u        /* of RDRAND, as SDM vol. 1, 7.3.17 advises */
#define TIMER_READS 32u  /* a word's; what one of them gives may be less than a bit */
#define QUIET_PORT 0x61u /* system control port B: reading it has no effect */

static bool read_rdseed(uint64_t *word)
{
	for (unsigned i = 0; i < TRIES; i++) {
		bool valid;

		__asm__ volatile("rdseed %0" : "=r"(*word), "=@ccc"(valid));
		if (valid)
			return true;
	}
	return false;
}

static bool read_rdrand(uint64_t *word)
{
	for (unsigned i = 0; i < TRIES; i++) {
		bool valid;

		__asm__ volatile("rdrand %0" : "=r"(*word), "=@ccc"(valid));
		if (valid)
			return true;
	}
	return false;
}

bool random_hardware(uint64_t *word)
{
	return (features_get()->rdseed && read_rdseed(word)) || (features_get()->rdrand && read_rdrand(word));
}

/* The finaliser of SplitMix64: every input bit reaches every output bit. */
static uint64_t mix(uint64_t word)
{
	word = (word ^ word >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	word = (word ^ word >> 27) * UINT64_C(0x94d049bb133111eb);
	return word ^ word >> 31;
}

uint64_t random_timer(void)
{
	uint64_t word = 0;

	for (unsigned i = 0; i < TIMER_READS; i++) {
		(void)inb(QUIET_PORT);
		word = mix(word + UINT64_C(0x9e3779b97f4a7c15) + rdtsc());
	}
	return word;
}
