/*
 * What kv was given, and what it reads off to see that all of it came back.
 */
#ifndef CAPOS_USER_DEMOS_KV_KV_WORLD_H
#define CAPOS_USER_DEMOS_KV_KV_WORLD_H

#include <stdint.h>

#include "abi/handle.h"
#include "abi/status.h"
#include "abi/thread_control_abi.h"
#include "user/runtime/endpoint_client.h"
#include "user/runtime/frame_allocator_client.h"
#include "user/runtime/inspector_client.h"
#include "user/runtime/process_client.h"
#include "user/runtime/timer_client.h"
#include "user/runtime/virtual_memory_client.h"

/* Of service and clients: below kv's own, so that it may kill a client at any instruction, on one CPU, too. */
#define KV_WORLD_PRIORITY (THREAD_PRIORITY_DEFAULT - 1)

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
 * How many units `after` differs from `before`; 0: all came back. What differs is a line on the console: "kv: LEAKED:
 * ...".
 */

/* Over what all ledgers have in use. */
uint64_t kv_world_compare_ledgers(const struct memory_statistics *before, const struct memory_statistics *after,
				  const char *whose);

/*
 * Over the frames that programs and their page tables have, of the whole machine. Not its free frames: the kernel keeps
 * some stacks of threads that have ended for those that come. When kv is init, the kernel gives these up at its end and
 * compares free frames itself.
 */
uint64_t kv_world_compare_frames(const struct inspector_memory *before, const struct inspector_memory *after);

/* How many of the kernel's invariants are broken, with a line on the console. */
enum status kv_world_check(const struct kv_world *world, uint64_t *broken);

#endif
