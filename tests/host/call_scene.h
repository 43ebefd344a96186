/*
 * A process with a ring, a few capabilities and pages of each kind, and calls on them as a program makes them: through
 * its ring page and dispatch_queue.
 */
#ifndef CAPOS_TESTS_HOST_CALL_SCENE_H
#define CAPOS_TESTS_HOST_CALL_SCENE_H

#include <stdbool.h>
#include <stdint.h>

#include "abi/ring_abi.h"
#include "abi/status.h"
#include "kernel/task/process.h"
#include "lib/ring.h"
#include "tests/host/actor.h"
#include "tests/host/task_snapshot.h"

#define SCENE_FRAMES 4096u
#define SCENE_OBJECT_PAGES 700u /* two index levels */
#define SCENE_OTHER_PAGES 5u

/* Pages side by side, from SCENE_WRITABLE on; nothing before them and behind them. */
#define SCENE_WRITABLE UINT64_C(0x500000) /* two pages of junk */
#define SCENE_READABLE UINT64_C(0x502000)
#define SCENE_RESERVED UINT64_C(0x503000)
#define SCENE_NO_ACCESS UINT64_C(0x504000)
#define SCENE_EXECUTABLE UINT64_C(0x505000)
#define SCENE_END UINT64_C(0x506000)
#define SCENE_IMAGE UINT64_C(0x600000) /* one page of an image, and a guard page behind it */
#define SCENE_GUARD UINT64_C(0x601000)

/* Where pages 3 .. 22 of the object are mapped, over a 1 GiB boundary. */
#define SCENE_MAPPED ((UINT64_C(64) << 30) - 7 * PAGE_SIZE)
#define SCENE_MAPPED_PAGES 20u

struct call_scene {
	struct actor actor;
	struct process *process; /* the actor's */
	struct thread *thread;
	struct ring_page *ring;
	handle_t memory, frames, timer, console, threads, park, endpoints, spawner, package;
	handle_t endpoint, client; /* its own, and a client facet for it */
	handle_t object, other;    /* memory objects */
};

extern struct call_scene scene;

void call_scene_begin(void);

/* Everything valid, and gone without a trace. */
void call_scene_end(void);

/* One submission, carried out and completed at once. */
struct ring_completion call_scene_submit(uint64_t first, const uint64_t argument[6]);

/* The completion of a call, and the status in it. */
#define COMPLETION_OF(capability, operation, ...) \
	call_scene_submit(actor_first(RING_CALL, operation, capability), (uint64_t[6]){ __VA_ARGS__ })
#define STATUS_OF(capability, operation, ...) call_scene_status(COMPLETION_OF(capability, operation, __VA_ARGS__))

/* The status of a completion; one that refuses gives no capability. */
enum status call_scene_status(struct ring_completion completion);

enum status call_scene_release(handle_t capability);

/* Fill the capability table up to `slots` used slots. */
void call_scene_fill_table(uint32_t slots);

#endif
