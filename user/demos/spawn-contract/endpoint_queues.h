/* What stands in the queues of an endpoint that has one owner and one client facet. */
#ifndef CAPOS_USER_DEMOS_SPAWN_CONTRACT_ENDPOINT_QUEUES_H
#define CAPOS_USER_DEMOS_SPAWN_CONTRACT_ENDPOINT_QUEUES_H

#include <stdint.h>

#include "user/runtime/endpoint_client.h"

/* A trial's expectation: anything else ends it. */
void endpoint_queues_expect(struct endpoint_client endpoint, uint32_t calls, uint32_t receivers, uint32_t served);

#endif
