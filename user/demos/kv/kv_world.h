/*
 * What kv was given, and what it reads off to see that all of it came back.
 */
#ifndef CAPOS_USER_DEMOS_KV_KV_WORLD_H
#define CAPOS_USER_DEMOS_KV_KV_WORLD_H

#include <stdint.h>

#include "abi/handle.h"
#include "abi/status.h"
#include "user/runtime/endpoint_client.h"
#include "user/runtime/frame_allocator_client.h"
#include "user/runtime/inspector_client.h"
#include "user/runtime/process_client.h"
#include "user/runtime/timer_client.h"
#include "user/runtime/virtual_memory_client.h"

struct kv_world {
	handle_t console;
	struct timer_client timer;
	struct inspector_client inspector;
	struct process_spawner_client spawner;
	struct endpoint_factory_client endpoints;
	struct frame_allocator_client frames;
	struct virtual_memory_client memory;
};

/* NOT_FOUND, WRONG_INTERFACE: one of them is missing. */
enum status kv_world_find(struct kv_world *world);

/*
 * How many units `after` differs from `before`, over what all ledgers have in use and, with `frames`, the machine's free
 * frames; 0: all came back. What differs is a line on the console: "kv: LEAKED: WHOSE ...".
 */
uint64_t kv_world_compare(const struct memory_statistics *before, const struct memory_statistics *after,
			  const char *whose, bool frames);

/* How many of the kernel's invariants are broken, with a line on the console. */
enum status kv_world_check(const struct kv_world *world, uint64_t *broken);

#endif
