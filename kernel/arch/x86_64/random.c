#include "kernel/arch/x86_64/random.h"

#include <stdbool.h>

#include "kernel/arch/x86_64/features.h"
#include "kernel/arch/x86_64/instructions.h"

static uint64_t pool; /* mixed into every word; races only add to it */

/* Ten tries, as SDM vol. 1, 7.3.17 advises. */
static bool read_rdrand(uint64_t *value)
{
	for (unsigned i = 0; i < 10; i++) {
		bool valid;

		__asm__ volatile("rdrand %0" : "=r"(*value), "=@ccc"(valid));
		if (valid)
			return true;
	}
	return false;
}

/* The finaliser of SplitMix64: every input bit reaches every output bit. */
static uint64_t mix(uint64_t word)
{
	word = (word ^ word >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	word = (word ^ word >> 27) * UINT64_C(0x94d049bb133111eb);
	return word ^ word >> 31;
}

uint64_t random_u64(void)
{
	uint64_t hardware = 0;

	if (features_get()->rdrand)
		(void)read_rdrand(&hardware);
	pool = mix(pool + UINT64_C(0x9e3779b97f4a7c15) + rdtsc()) ^ hardware;
	return pool;
}
