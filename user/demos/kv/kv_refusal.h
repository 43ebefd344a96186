/*
 * What the service must refuse, and with which answer: a session of kv's own that asks for what no client should.
 */
#ifndef CAPOS_USER_DEMOS_KV_KV_REFUSAL_H
#define CAPOS_USER_DEMOS_KV_KV_REFUSAL_H

#include <stdint.h>

#include "abi/status.h"
#include "user/demos/kv/kv_master.h"
#include "user/demos/kv/kv_world.h"

/* *wrong: how many calls got another answer; each is a line on the console. Leaves nothing behind, on neither side. */
enum status kv_refusal_check(const struct kv_master *master, const struct kv_world *world, uint64_t *wrong);

#endif
