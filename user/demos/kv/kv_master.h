/*
 * The service's process, and the master's side of what is said to it (user/protocol/kv_protocol.h).
 *
 * Each call answers OK when the service said KV_OK; NOT_FOUND, BUSY or BAD_ARGUMENT for its other answers; GONE: it has
 * ended.
 */
#ifndef CAPOS_USER_DEMOS_KV_KV_MASTER_H
#define CAPOS_USER_DEMOS_KV_KV_MASTER_H

#include <stdint.h>

#include "abi/status.h"
#include "user/demos/kv/kv_world.h"
#include "user/protocol/kv_protocol.h"
#include "user/runtime/endpoint_client.h"
#include "user/runtime/process_client.h"

struct kv_master {
	struct process_client service;
	struct endpoint_facet facet; /* with KV_MASTER_BADGE */
};

/* Also the refusals of SPAWN. */
enum status kv_master_start(struct kv_master *master, const struct kv_world *world);

enum status kv_master_open(const struct kv_master *master, uint64_t space, struct endpoint_facet *session,
			   uint64_t *badge);

enum status kv_master_close(const struct kv_master *master, uint64_t badge);

enum status kv_master_statistics(const struct kv_master *master, struct kv_statistics *statistics);

/* Let it end, wait for that, and give up handle and facet. GONE: it ended otherwise than with code 0. */
enum status kv_master_stop(const struct kv_master *master);

/* For a run that has failed: the service does not go on, if it was started. */
void kv_master_kill(const struct kv_master *master);

#endif
