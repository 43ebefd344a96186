#include "tests/host/host_support.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/check.h"

/* lib/ leaves this to the program: a broken promise ends the test. */
void check_failed(const char *expression, const char *file, int line)
{
	(void)fprintf(stderr, "%s:%d: check failed: %s\n", file, line, expression);
	abort();
}

static uint64_t environment_number(const char *name, uint64_t otherwise)
{
	const char *text = getenv(name);
	uint64_t value;
	char *end;

	if (text == NULL || *text == '\0')
		return otherwise;
	errno = 0;
	value = strtoull(text, &end, 0);
	if (errno != 0 || *end != '\0' || *text == '-') {
		(void)fprintf(stderr, "%s is a number, not %s\n", name, text);
		exit(2);
	}
	return value;
}

void host_random_init(struct host_random *random, const char *test, uint64_t otherwise)
{
	*random = (struct host_random){ .state = environment_number("CAPOS_TEST_SEED", otherwise) };
	(void)printf("%s: CAPOS_TEST_SEED=%llu\n", test, (unsigned long long)random->state);
}

void host_random_from_bytes(struct host_random *random, const uint8_t *bytes, size_t count)
{
	static const uint8_t nothing;

	*random = (struct host_random){ .bytes = bytes != NULL ? bytes : &nothing, .left = bytes != NULL ? count : 0 };
}

bool host_random_is_spent(const struct host_random *random)
{
	return random->left == 0;
}

/* A number of the next `count` bytes, the first of them the lowest. */
static uint64_t take_bytes(struct host_random *random, uint32_t count)
{
	uint64_t number = 0;

	for (uint32_t i = 0; i < count && random->left != 0; i++, random->left--)
		number |= (uint64_t)*random->bytes++ << 8 * i;
	return number;
}

/* splitmix64: good enough for any seed, 0 too. */
uint64_t host_random_u64(struct host_random *random)
{
	uint64_t z;

	if (random->bytes != NULL)
		return take_bytes(random, sizeof(z));
	z = random->state += UINT64_C(0x9e3779b97f4a7c15);
	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

uint64_t host_random_below(struct host_random *random, uint64_t limit)
{
	uint32_t bytes = 0;

	if (random->bytes == NULL)
		return host_random_u64(random) % limit;
	while (bytes < sizeof(limit) && (limit - 1) >> 8 * bytes != 0)
		bytes++;
	return take_bytes(random, bytes) % limit;
}

bool host_random_once_in(struct host_random *random, uint64_t times)
{
	return host_random_below(random, times) == 0;
}

uint64_t host_rounds(uint64_t rounds)
{
	const uint64_t scale = environment_number("CAPOS_TEST_SCALE", 1);
	const uint64_t scaled = scale == 0 ? rounds : rounds / scale;

	return scaled == 0 ? 1 : scaled;
}
