#include "user/demos/hostile/attack.h"

#include <stddef.h>

#include "lib/check.h"
#include "lib/format.h"
#include "user/runtime/capset_client.h"
#include "user/runtime/user_thread.h"

#define THREADS_MAX 16u
#define ENOUGH_NS TRIAL_MS(250)
#define ENOUGH_ROUNDS 4u

struct attack attack_list[ATTACK_MAX];
uint32_t attack_count;

struct attack *attack_add(const char *subject, const char *object, void (*run)(const struct attack *attack),
			  uint32_t ends)
{
	struct attack *attack = &attack_list[attack_count++];

	CHECK(attack_count <= ATTACK_MAX);
	CHECK(format(attack->name, sizeof(attack->name), "%s%s", subject, object) < sizeof(attack->name));
	attack->run = run;
	attack->ends = ends;
	return attack;
}

/* xorshift64 */
uint64_t attack_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

bool attack_is_long_enough(uint32_t round)
{
	static uint64_t end;

	if (round == 0)
		end = trial_now() + ENOUGH_NS;
	return round >= ENOUGH_ROUNDS && trial_now() >= end;
}

void attack_in_threads(uint32_t count, int64_t (*function)(void *))
{
	struct user_thread thread[THREADS_MAX];

	CHECK(count <= THREADS_MAX);
	for (uint64_t i = 0; i < count; i++)
		trial_thread(&thread[i], function, (void *)i);
	for (uint64_t i = 0; i < count; i++)
		trial_join(&thread[i], 0);
}

void attack_beside(int64_t (*function)(void *), void *argument)
{
	struct user_thread thread;

	trial_thread(&thread, function, argument);
}

void attack_build(struct process_builder *builder, const char *role, uint64_t argument)
{
	trial_child_build(builder, role);
	trial_child_argument(builder, argument);
	trial_child_copy(builder, "spawner", trial.spawner.handle);
	trial_child_copy(builder, "frames", trial.frames.handle);
	trial_child_copy(builder, "endpoints", trial.endpoints.handle);
}

handle_t attack_granted(const char *name, enum interface_id interface)
{
	handle_t capability = HANDLE_NONE;

	if (capset_client_find(name, interface, &capability) != STATUS_OK)
		trial_break("nothing named %s was granted", name);
	return capability;
}
