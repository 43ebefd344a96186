#include "user/demos/spawn-contract/endpoint_queues.h"

#include "user/testing/trial.h"

void endpoint_queues_expect(struct endpoint_client endpoint, uint32_t calls, uint32_t receivers, uint32_t served)
{
	struct endpoint_statistics statistics;

	EXPECT_OK(endpoint_client_statistics(endpoint, &statistics));
	EXPECT_EQUAL(statistics.waiting_calls, calls);
	EXPECT_EQUAL(statistics.waiting_receivers, receivers);
	EXPECT_EQUAL(statistics.served_calls, served);
	EXPECT_EQUAL(statistics.owners, 1);
	EXPECT_EQUAL(statistics.clients, 1);
}
