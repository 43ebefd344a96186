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

#include <stdbool.h>
#include <stdint.h>

#include "abi/ring_abi.h"
#include "abi/status.h"
#include "lib/check.h"

_Static_assert((RING_SQ_ENTRIES & (RING_SQ_ENTRIES - 1)) == 0, "free-running indices wrap at 2^32");
_Static_assert((RING_CQ_ENTRIES & (RING_CQ_ENTRIES - 1)) == 0, "free-running indices wrap at 2^32");

/* The header filled in, all else 0. Both indices of each queue start at 0. */
void ring_init(struct ring_page *ring);

/* The same for a page that is all zero. */
void ring_init_zeroed(struct ring_page *ring);

/* Whether the header says what this library knows: UNSUPPORTED if not. A program asks once, at its start. */
enum status ring_check(const struct ring_page *ring);

static inline uint32_t ring_load_acquire(const uint32_t *index)
{
	return __atomic_load_n(index, __ATOMIC_ACQUIRE);
}

static inline void ring_store_release(uint32_t *index, uint32_t value)
{
	__atomic_store_n(index, value, __ATOMIC_RELEASE);
}

/*
 * Places: the byte offset of an entry in its array. A loop goes from one to the next by an addition and a mask, without
 * an index. Indices wrap at 2^32, a multiple of both numbers of entries.
 */
#define RING_SQ_BYTES (RING_SQ_ENTRIES * sizeof(struct ring_submission))
#define RING_CQ_BYTES (RING_CQ_ENTRIES * sizeof(struct ring_completion))

static inline uint64_t ring_submission_place(uint32_t index)
{
	return index * sizeof(struct ring_submission) % RING_SQ_BYTES;
}

static inline uint64_t ring_submission_next(uint64_t place)
{
	return (place + sizeof(struct ring_submission)) % RING_SQ_BYTES;
}

static inline uint64_t ring_completion_place(uint32_t index)
{
	return index * sizeof(struct ring_completion) % RING_CQ_BYTES;
}

static inline uint64_t ring_completion_next(uint64_t place)
{
	return (place + sizeof(struct ring_completion)) % RING_CQ_BYTES;
}

/*
 * Entries are moved between shared memory and elsewhere as words, whatever their fields are. The place is added to the
 * page first and the constant last, which an instruction's address then has room for.
 */
typedef uint64_t ring_word_t __attribute__((may_alias));

static inline ring_word_t *ring_submission_word(struct ring_page *ring, uint64_t place, uint32_t word)
{
	const uint64_t offset = __builtin_offsetof(struct ring_page, submission) + word * sizeof(ring_word_t);

	return (ring_word_t *)(void *)((uint8_t *)ring + place + offset);
}

static inline ring_word_t *ring_completion_word(struct ring_page *ring, uint64_t place, uint32_t word)
{
	const uint64_t offset = __builtin_offsetof(struct ring_page, completion) + word * sizeof(ring_word_t);

	return (ring_word_t *)(void *)((uint8_t *)ring + place + offset);
}

/* Relaxed: atomic so that the compiler makes one access of it, no more and no less; indices give the order. */
static inline uint64_t ring_load_word(const ring_word_t *word)
{
	return __atomic_load_n(word, __ATOMIC_RELAXED);
}

static inline void ring_store_word(ring_word_t *word, uint64_t value)
{
	__atomic_store_n(word, value, __ATOMIC_RELAXED);
}

/* ---- program side ---- */

/* The slot of the next submission, to be filled and then published. WOULD_BLOCK: the queue is full. */
static inline enum status ring_submit_slot(struct ring_page *ring, struct ring_submission **slot)
{
	const uint32_t tail = ring->header.sq_tail;

	/* Acquire: the kernel has read what was in the slot before it moved sq_head past it; our writes come after. */
	GUARD(tail - ring_load_acquire(&ring->header.sq_head) < RING_SQ_ENTRIES, STATUS_WOULD_BLOCK);
	*slot = (struct ring_submission *)(void *)ring_submission_word(ring, ring_submission_place(tail), 0);
	return STATUS_OK;
}

/* opcode, accepts 0, operation, capability: x86 is little-endian. */
static inline uint64_t ring_first_word(enum ring_opcode opcode, uint16_t operation, handle_t capability)
{
	return (uint64_t)capability << 32 | (uint64_t)operation << 16 | (uint8_t)opcode;
}

/* All of a submission but its arguments, of which an operation needs only its own set. One store for the first word. */
static inline void ring_fill(struct ring_submission *slot, enum ring_opcode opcode, uint16_t operation,
			     handle_t capability, uint64_t user_data)
{
	*(ring_word_t *)slot = ring_first_word(opcode, operation, capability);
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
	*completion = *(struct ring_completion *)(void *)ring_completion_word(ring, ring_completion_place(head), 0);
	/* Release: our reads are done before the kernel sees the slot as free and writes it anew. */
	ring_store_release(&ring->header.cq_head, head + 1);
	return STATUS_OK;
}

/*
 * Batches: one look at the other side's index and one publication for many entries. From the first place on, as many
 * as ring_submit_space or ring_completed answered may be used.
 */

/* How many slots can be filled now. */
static inline uint32_t ring_submit_space(const struct ring_page *ring)
{
	return RING_SQ_ENTRIES - ring_submitted(ring);
}

/* Place of the next submission. */
static inline uint64_t ring_submit_first(const struct ring_page *ring)
{
	return ring_submission_place(ring->header.sq_tail);
}

/* As ring_fill. */
static inline void ring_fill_at(struct ring_page *ring, uint64_t place, enum ring_opcode opcode, uint16_t operation,
				handle_t capability, uint64_t user_data)
{
	*ring_submission_word(ring, place, 0) = ring_first_word(opcode, operation, capability);
	*ring_submission_word(ring, place, 1) = user_data;
}

/* Hand the first `count` filled slots over. Release: as ring_publish. */
static inline void ring_publish_batch(struct ring_page *ring, uint32_t count)
{
	ring_store_release(&ring->header.sq_tail, ring->header.sq_tail + count);
}

/* Place of the oldest completion. */
static inline uint64_t ring_take_first(const struct ring_page *ring)
{
	return ring_completion_place(ring->header.cq_head);
}

static inline uint64_t ring_completion_user_data(struct ring_page *ring, uint64_t place)
{
	return *ring_completion_word(ring, place, 0);
}

/* result in the low half, flags in the high half: 0 if it went well and gave no capability. */
static inline uint64_t ring_completion_verdict(struct ring_page *ring, uint64_t place)
{
	return *ring_completion_word(ring, place, 1);
}

/* The oldest `count` completions have been read. Release: as ring_take. */
static inline void ring_take_batch(struct ring_page *ring, uint32_t count)
{
	ring_store_release(&ring->header.cq_head, ring->header.cq_head + count);
}

/* ---- kernel side ---- */

/*
 * The kernel's own counts, in its own memory: submissions taken and completions written since the ring was made. Their
 * low halves are the indices in the page.
 */
struct ring_kernel {
	uint64_t sq_head, cq_tail;
};

/* What one look at the program's two indices shows: submissions not taken yet, completions that wait to be taken. */
struct ring_look {
	uint64_t pending, waiting; /* differences of indices, below 2^32: no sum of them wraps */
};

/* The only read of the two indices. The answer is a claim until one of the two functions below has judged it. */
static inline struct ring_look ring_kernel_look(const struct ring_kernel *kernel, const struct ring_page *ring)
{
	/* Acquire: the program filled the slots before it moved the tail; we read them after. */
	const uint32_t pending = ring_load_acquire(&ring->header.sq_tail) - (uint32_t)kernel->sq_head;
	/* Acquire: the program has read the completions before its head; we overwrite them after. */
	const uint32_t waiting = (uint32_t)kernel->cq_tail - ring_load_acquire(&ring->header.cq_head);

	return (struct ring_look){ pending, waiting };
}

/* Whether queues of these sizes can hold that many. If not, the program's indices are garbage: take nothing. */
static inline bool ring_look_is_possible(struct ring_look look)
{
	return look.pending <= RING_SQ_ENTRIES && look.waiting <= RING_CQ_ENTRIES;
}

/* Whether something is pending and each of it has room for its completion. Implies that the look is possible. */
static inline bool ring_look_fits(struct ring_look look)
{
	/* Less 1, so that nothing pending is too much. */
	GUARD(LIKELY(look.pending - 1 < RING_SQ_ENTRIES), false);
	return LIKELY(look.pending + look.waiting <= RING_CQ_ENTRIES);
}

/* Place of the oldest submission that was not taken. Precondition of reading it: a look counted it. */
static inline uint64_t ring_kernel_first(const struct ring_kernel *kernel)
{
	return ring_submission_place((uint32_t)kernel->sq_head);
}

/* Go on to the next submission. The program sees the slot as free at the next ring_kernel_publish. */
static inline void ring_kernel_advance(struct ring_kernel *kernel)
{
	kernel->sq_head++;
}

/*
 * The parts of a submission, each to be read once: what decides and what is used later must be the same value. The
 * first word holds opcode, accepts, operation and capability.
 */
static inline uint64_t ring_read_first(struct ring_page *ring, uint64_t place)
{
	return ring_load_word(ring_submission_word(ring, place, 0));
}

static inline uint8_t ring_first_opcode(uint64_t first)
{
	return (uint8_t)first;
}

static inline uint8_t ring_first_accepts(uint64_t first)
{
	return (uint8_t)(first >> 8);
}

static inline uint16_t ring_first_operation(uint64_t first)
{
	return (uint16_t)(first >> 16);
}

static inline handle_t ring_first_capability(uint64_t first)
{
	return (handle_t)(first >> 32);
}

static inline uint64_t ring_read_user_data(struct ring_page *ring, uint64_t place)
{
	return ring_load_word(ring_submission_word(ring, place, 1));
}

static inline void ring_read_arguments(struct ring_page *ring, uint64_t place, uint64_t argument[6])
{
	argument[0] = ring_load_word(ring_submission_word(ring, place, 2));
	argument[1] = ring_load_word(ring_submission_word(ring, place, 3));
	argument[2] = ring_load_word(ring_submission_word(ring, place, 4));
	argument[3] = ring_load_word(ring_submission_word(ring, place, 5));
	argument[4] = ring_load_word(ring_submission_word(ring, place, 6));
	argument[5] = ring_load_word(ring_submission_word(ring, place, 7));
}

static inline void ring_write_completion(struct ring_page *ring, uint64_t place,
					 const struct ring_completion *completion)
{
	/* Two fields a store; the first is the low half, x86 being little-endian. */
	ring_store_word(ring_completion_word(ring, place, 0), completion->user_data);
	ring_store_word(ring_completion_word(ring, place, 1),
			(uint64_t)completion->flags << 32 | (uint32_t)completion->result);
	ring_store_word(ring_completion_word(ring, place, 2), completion->value);
	ring_store_word(ring_completion_word(ring, place, 3),
			(uint64_t)completion->interface << 32 | completion->capability);
}

/* Write one completion, to be handed over by ring_kernel_publish. Precondition: a look left room for it. */
static inline void ring_kernel_write(struct ring_kernel *kernel, struct ring_page *ring,
				     const struct ring_completion *completion)
{
	ring_write_completion(ring, ring_completion_place((uint32_t)kernel->cq_tail++), completion);
}

/* Show the program how far the kernel has come: once for a whole batch, and before its thread sleeps. */
static inline void ring_kernel_publish(const struct ring_kernel *kernel, struct ring_page *ring)
{
	/* Release: our reads of the slots are done before the program sees them as free and fills them anew. */
	ring_store_release(&ring->header.sq_head, (uint32_t)kernel->sq_head);
	/* Release: whoever sees the new tail sees the whole of each completion before it. */
	ring_store_release(&ring->header.cq_tail, (uint32_t)kernel->cq_tail);
}

/*
 * Carry out null operations: the `pending` oldest submissions, or those before the first other one. Not published.
 * Answers how many of them are left. Precondition: ring_look_fits.
 *
 * Apart from the loop of calls because it is the ruler of every other path.
 */
static inline uint64_t ring_kernel_answer_nulls(struct ring_kernel *kernel, struct ring_page *ring, uint64_t pending)
{
	uint64_t from = ring_kernel_first(kernel);
	uint64_t to = ring_completion_place((uint32_t)kernel->cq_tail);
	uint64_t left = pending;

	while ((uint16_t)ring_read_first(ring, from) == RING_NOP) { /* opcode and accepts */
		ring_write_completion(ring, to,
				      &(struct ring_completion){ .user_data = ring_read_user_data(ring, from) });
		if (--left == 0)
			break;
		from = ring_submission_next(from);
		to = ring_completion_next(to);
	}
	kernel->sq_head += pending - left;
	kernel->cq_tail += pending - left;
	return left;
}

#endif
