/* links: HOST_TASK_KERNEL */
#include "tests/host/endpoint_steps.h"

#define STEPS 400u /* that one input decides at most */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/*
 * The bytes choose what programs do (tests/host/endpoint_steps.c): capabilities go from one to another in calls,
 * answers and transfers that stop halfway. After each step each capability is where the plain model has it, in one
 * table and paid for by one ledger.
 */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct host_random choices;

	host_random_from_bytes(&choices, data, size);
	endpoint_steps_begin(&choices);
	for (uint32_t i = 0; i < STEPS && !host_random_is_spent(&choices); i++) {
		endpoint_steps_take();
		endpoint_steps_check();
	}
	endpoint_steps_end();
	return 0;
}
