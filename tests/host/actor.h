/*
 * Programs as the tests play them: processes with threads, memory and rings, which make calls as programs do: through
 * the ring page, dispatch_queue and operation_post_done. One thread runs at a time, the one that makes a call.
 */
#ifndef CAPOS_TESTS_HOST_ACTOR_H
#define CAPOS_TESTS_HOST_ACTOR_H

#include <stdbool.h>
#include <stdint.h>

#include "abi/ring_abi.h"
#include "abi/status.h"
#include "kernel/task/process_capability.h"
#include "kernel/task/process_thread.h"
#include "lib/ring.h"
#include "tests/host/task_machine.h"

/* Memory of each: pages to read and write, one page to read, and nothing around them. */
#define ACTOR_MEMORY UINT64_C(0x500000)
#define ACTOR_MEMORY_PAGES 4u
#define ACTOR_READABLE (ACTOR_MEMORY + ACTOR_MEMORY_PAGES * PAGE_SIZE)
#define ACTOR_NOTHING UINT64_C(0x700000)

struct actor {
	struct process *process;
	struct thread *thread; /* the first */
};

/* A process in the tree with one thread, without capabilities; with plenty of everything, out of nobody's limits. */
void actor_begin(struct actor *actor, const char *name);

/* One with these limits, as a child of `parent` (may be NULL). It must fit. */
void actor_begin_limited(struct actor *actor, const char *name, struct process *parent,
			 const uint64_t limits[LEDGER_COUNT]);

/* One more thread of it. */
struct thread *actor_add_thread(struct actor *actor);

/* A thread ends by itself; the process with all its threads ends (exit), and everything was valid before. */
void actor_end_thread(struct thread *thread, int64_t code);
void actor_end(struct actor *actor);

/* A capability of an object that the kernel counts or not; the count of it is the caller's. */
handle_t actor_grant(struct actor *actor, enum interface_id interface, enum transfer_mode mode, void *object);

/* An endpoint of its own; a client facet for another; a memory object. */
handle_t actor_make_endpoint(struct actor *owner);
handle_t actor_make_client(struct actor *owner, handle_t endpoint, uint64_t badge, struct actor *client);
handle_t actor_make_object(struct actor *actor, uint64_t pages);

/* What stands behind one of its capabilities. */
void *actor_object(struct actor *actor, handle_t handle);

/* Whether the id names something. */
bool actor_has(struct actor *actor, handle_t handle);

/* Memory of the program. */
void actor_write(struct actor *actor, uint64_t address, const void *bytes, uint64_t count);
void actor_read(struct actor *actor, uint64_t address, void *bytes, uint64_t count);
void actor_write_word(struct actor *actor, uint64_t address, uint32_t word);

/* ---- calls ---- */

static inline uint64_t actor_first(enum ring_opcode opcode, uint16_t operation, handle_t capability)
{
	return (uint64_t)capability << 32 | (uint64_t)operation << 16 | (uint8_t)opcode;
}

/* A CALL of a client facet whose answer may bring so many capabilities. */
static inline uint64_t actor_first_of_call(uint16_t method, handle_t facet, uint8_t accepts)
{
	return actor_first(RING_CALL, method, facet) | (uint64_t)accepts << 8;
}

/* One submission, carried out; its user data. */
uint64_t actor_submit(struct thread *thread, uint64_t first, const uint64_t argument[6]);

/* The thread comes by, as in cap_enter: it looks at what it was called for, and what was done meanwhile is posted. */
void actor_come(struct thread *thread);

/* The oldest completion; what was done meanwhile is posted before. WOULD_BLOCK: there is none. */
enum status actor_take(struct thread *thread, struct ring_completion *completion);

/* Submit, and take its completion, which is the only one. */
struct ring_completion actor_call(struct thread *thread, uint64_t first, const uint64_t argument[6]);

/* The status in a completion; one that refuses gives no capability. */
enum status actor_status(const struct ring_completion *completion);

#define ACTOR_SUBMIT(thread, opcode, operation, capability, ...) \
	actor_submit(thread, actor_first(opcode, operation, capability), (uint64_t[6]){ __VA_ARGS__ })
#define ACTOR_CALL(thread, opcode, operation, capability, ...) \
	actor_call(thread, actor_first(opcode, operation, capability), (uint64_t[6]){ __VA_ARGS__ })

/* Ledgers, tables, queues and the space agree. */
void actor_assert_valid(struct actor *actor);

uint64_t actor_used(struct actor *actor, enum ledger_kind kind);

#endif
