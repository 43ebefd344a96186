/*
 * The protocol of the capability ring (abi/ring_abi.h), both sides of it.
 *
 * Two single-producer, single-consumer queues in one page that both sides may write at any time. Each index has one
 * writer. What is handed over by an index is written before the index is stored with release, and read after it was
 * loaded with acquire; on x86-64 both are plain moves, so the order costs nothing there but binds the compiler.
 *
 * Program side: the thread that owns the ring, no other. It trusts the kernel.
 * Kernel side: whoever serialises the thread's system calls. It trusts nothing in the page: it keeps its own indices in
 * struct ring_kernel, never reads back what it wrote, and reads each word of the program once.
 *
 * The functions are inline because each is a handful of instructions on the path of every system call.
 */
#ifndef CAPOS_LIB_RING_H
#define CAPOS_LIB_RING_H

#include <stdint.h>

#include "abi/ring_abi.h"
#include "abi/status.h"
#include "lib/check.h"

_Static_assert((RING_SQ_ENTRIES & (RING_SQ_ENTRIES - 1)) == 0, "free-running indices wrap at 2^32");
_Static_assert((RING_CQ_ENTRIES & (RING_CQ_ENTRIES - 1)) == 0, "free-running indices wrap at 2^32");

/* The header filled in, all else 0. Both indices of each queue start at 0. */
void ring_init(struct ring_page *ring);

/* Whether the header says what this library knows: UNSUPPORTED if not. A program asks once, at its start. */
enum status ring_check(const struct ring_page *ring);

/* Entries are moved between shared memory and elsewhere as words, whatever their fields are. */
typedef uint64_t ring_word_t __attribute__((may_alias));

static inline uint32_t ring_load_acquire(const uint32_t *index)
{
	return __atomic_load_n(index, __ATOMIC_ACQUIRE);
}

static inline void ring_store_release(uint32_t *index, uint32_t value)
{
	__atomic_store_n(index, value, __ATOMIC_RELEASE);
}

/* Relaxed: atomic so that the compiler makes one access of it, no more and no less; indices give the order. */
static inline uint64_t ring_load_word(const void *entry, uint32_t word)
{
	return __atomic_load_n((const ring_word_t *)entry + word, __ATOMIC_RELAXED);
}

static inline void ring_store_word(void *entry, uint32_t word, uint64_t value)
{
	__atomic_store_n((ring_word_t *)entry + word, value, __ATOMIC_RELAXED);
}

/* ---- program side ---- */

/* The slot of the next submission, to be filled and then published. WOULD_BLOCK: the queue is full. */
static inline enum status ring_submit_slot(struct ring_page *ring, struct ring_submission **slot)
{
	const uint32_t tail = ring->header.sq_tail;

	/* Acquire: the kernel has read what was in the slot before it moved sq_head past it; our writes come after. */
	GUARD(tail - ring_load_acquire(&ring->header.sq_head) < RING_SQ_ENTRIES, STATUS_WOULD_BLOCK);
	*slot = &ring->submission[tail % RING_SQ_ENTRIES];
	return STATUS_OK;
}

/* All of a submission but its arguments, of which an operation needs only its own set. One store for the first word. */
static inline void ring_fill(struct ring_submission *slot, enum ring_opcode opcode, uint16_t operation,
			     handle_t capability, uint64_t user_data)
{
	*(ring_word_t *)slot = (uint64_t)capability << 32 | (uint64_t)operation << 16 | (uint8_t)opcode;
	slot->user_data = user_data;
}

/* Hand the filled slot over. */
static inline void ring_publish(struct ring_page *ring)
{
	/* Release: whoever sees the new tail sees the filled slot. */
	ring_store_release(&ring->header.sq_tail, ring->header.sq_tail + 1);
}

/* Submissions that the kernel has not taken yet. */
static inline uint32_t ring_submitted(const struct ring_page *ring)
{
	return ring->header.sq_tail - ring_load_acquire(&ring->header.sq_head);
}

/* Completions that wait to be taken. */
static inline uint32_t ring_completed(const struct ring_page *ring)
{
	return ring_load_acquire(&ring->header.cq_tail) - ring->header.cq_head;
}

/* The oldest completion, taken out of the queue. WOULD_BLOCK: there is none. */
static inline enum status ring_take(struct ring_page *ring, struct ring_completion *completion)
{
	const uint32_t head = ring->header.cq_head;

	/* Acquire: the completion was written before the tail that covers it; we read it after. */
	GUARD(ring_load_acquire(&ring->header.cq_tail) != head, STATUS_WOULD_BLOCK);
	*completion = ring->completion[head % RING_CQ_ENTRIES];
	/* Release: our reads are done before the kernel sees the slot as free and writes it anew. */
	ring_store_release(&ring->header.cq_head, head + 1);
	return STATUS_OK;
}

/*
 * Batches: one look at the other side's index and one publication for many entries. `index` counts from the oldest
 * entry, below what ring_submit_space or ring_completed answered.
 */

/* How many slots can be filled now. */
static inline uint32_t ring_submit_space(const struct ring_page *ring)
{
	return RING_SQ_ENTRIES - ring_submitted(ring);
}

static inline struct ring_submission *ring_submit_slot_at(struct ring_page *ring, uint32_t index)
{
	return &ring->submission[(ring->header.sq_tail + index) % RING_SQ_ENTRIES];
}

/* Hand the first `count` filled slots over. Release: as ring_publish. */
static inline void ring_publish_batch(struct ring_page *ring, uint32_t count)
{
	ring_store_release(&ring->header.sq_tail, ring->header.sq_tail + count);
}

static inline const struct ring_completion *ring_completion_at(const struct ring_page *ring, uint32_t index)
{
	return &ring->completion[(ring->header.cq_head + index) % RING_CQ_ENTRIES];
}

/* The oldest `count` completions have been read. Release: as ring_take. */
static inline void ring_take_batch(struct ring_page *ring, uint32_t count)
{
	ring_store_release(&ring->header.cq_head, ring->header.cq_head + count);
}

/* ---- kernel side ---- */

/* The kernel's own indices, in its own memory. All 0 for a ring just made. */
struct ring_kernel {
	uint32_t sq_head, cq_tail;
};

/*
 * How many submissions wait, 0 .. RING_SQ_ENTRIES. BAD_ARGUMENT, and 0, if the program's tail is none that this queue
 * can have.
 */
static inline enum status ring_kernel_pending(const struct ring_kernel *kernel, const struct ring_page *ring,
					      uint32_t *pending)
{
	/* Acquire: the program filled the slots before it moved the tail; we read them after. The only read of it. */
	const uint32_t count = ring_load_acquire(&ring->header.sq_tail) - kernel->sq_head;

	*pending = 0;
	GUARD(count <= RING_SQ_ENTRIES, STATUS_BAD_ARGUMENT);
	*pending = count;
	return STATUS_OK;
}

/* How many completions fit, 0 .. RING_CQ_ENTRIES. BAD_ARGUMENT, and 0, as above. */
static inline enum status ring_kernel_space(const struct ring_kernel *kernel, const struct ring_page *ring,
					    uint32_t *space)
{
	/* Acquire: the program has read the completions before its head; we overwrite them after. */
	const uint32_t waiting = kernel->cq_tail - ring_load_acquire(&ring->header.cq_head);

	*space = 0;
	GUARD(waiting <= RING_CQ_ENTRIES, STATUS_BAD_ARGUMENT);
	*space = RING_CQ_ENTRIES - waiting;
	return STATUS_OK;
}

/*
 * The oldest submission, in two parts, so that an operation without arguments does not pay for them. Each part is read
 * at most once, before ring_kernel_advance, and only if ring_kernel_pending counted the submission.
 */

/* opcode, flags, operation, capability (one word, the first byte lowest) and user_data. */
static inline void ring_kernel_read_head(const struct ring_kernel *kernel, const struct ring_page *ring,
					 struct ring_submission *submission)
{
	const struct ring_submission *slot = &ring->submission[kernel->sq_head % RING_SQ_ENTRIES];
	const uint64_t first = ring_load_word(slot, 0);

	submission->opcode = (uint8_t)first;
	submission->flags = (uint8_t)(first >> 8);
	submission->operation = (uint16_t)(first >> 16);
	submission->capability = (handle_t)(first >> 32);
	submission->user_data = ring_load_word(slot, 1);
}

/* argument[0 .. 5] */
static inline void ring_kernel_read_arguments(const struct ring_kernel *kernel, const struct ring_page *ring,
					      struct ring_submission *submission)
{
	const struct ring_submission *slot = &ring->submission[kernel->sq_head % RING_SQ_ENTRIES];

	submission->argument[0] = ring_load_word(slot, 2);
	submission->argument[1] = ring_load_word(slot, 3);
	submission->argument[2] = ring_load_word(slot, 4);
	submission->argument[3] = ring_load_word(slot, 5);
	submission->argument[4] = ring_load_word(slot, 6);
	submission->argument[5] = ring_load_word(slot, 7);
}

/* Go on to the next submission. The program sees the slot as free at the next ring_kernel_publish. */
static inline void ring_kernel_advance(struct ring_kernel *kernel)
{
	kernel->sq_head++;
}

/* Write one completion, to be handed over by ring_kernel_publish. Precondition: ring_kernel_space counted its slot. */
static inline void ring_kernel_write(struct ring_kernel *kernel, struct ring_page *ring,
				     const struct ring_completion *completion)
{
	struct ring_completion *slot = &ring->completion[kernel->cq_tail % RING_CQ_ENTRIES];

	kernel->cq_tail++;
	/* Two fields a store; the first is the low half, x86 being little-endian. */
	ring_store_word(slot, 0, completion->user_data);
	ring_store_word(slot, 1, (uint64_t)completion->flags << 32 | (uint32_t)completion->result);
	ring_store_word(slot, 2, completion->value);
	ring_store_word(slot, 3, (uint64_t)completion->interface << 32 | completion->capability);
}

/* Show the program how far the kernel has come: once for a whole batch, and before its thread sleeps. */
static inline void ring_kernel_publish(const struct ring_kernel *kernel, struct ring_page *ring)
{
	/* Release: our reads of the slots are done before the program sees them as free and fills them anew. */
	ring_store_release(&ring->header.sq_head, kernel->sq_head);
	/* Release: whoever sees the new tail sees the whole of each completion before it. */
	ring_store_release(&ring->header.cq_tail, kernel->cq_tail);
}

/* The oldest submission, copied out whole and taken. Precondition: ring_kernel_pending counted it. */
static inline void ring_kernel_take(struct ring_kernel *kernel, struct ring_page *ring,
				    struct ring_submission *submission)
{
	ring_kernel_read_head(kernel, ring, submission);
	ring_kernel_read_arguments(kernel, ring, submission);
	ring_kernel_advance(kernel);
	ring_kernel_publish(kernel, ring);
}

/* Write one completion and hand it over. Precondition: ring_kernel_space counted its slot. */
static inline void ring_kernel_complete(struct ring_kernel *kernel, struct ring_page *ring,
					const struct ring_completion *completion)
{
	ring_kernel_write(kernel, ring, completion);
	ring_kernel_publish(kernel, ring);
}

#endif
