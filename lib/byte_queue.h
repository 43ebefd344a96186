/*
 * Bytes from one producer to one consumer, in order, without a lock: an interrupt handler and whoever reads what it
 * took. Each index has one writer, and what it hands over is written before it (release) and read after it (acquire).
 *
 * Invariant: the producer is never behind the consumer, nor further ahead than the queue has places.
 */
#ifndef CAPOS_LIB_BYTE_QUEUE_H
#define CAPOS_LIB_BYTE_QUEUE_H

#include <stdbool.h>
#include <stdint.h>

#define BYTE_QUEUE_BYTES 4096u

_Static_assert((BYTE_QUEUE_BYTES & (BYTE_QUEUE_BYTES - 1)) == 0, "free-running indices wrap at 2^32");

/* All zero: empty. */
struct byte_queue {
	uint32_t put;   /* bytes ever put; the producer's; atomic */
	uint32_t taken; /* bytes ever taken; the consumer's; atomic */
	uint8_t byte[BYTE_QUEUE_BYTES];
};

/* By either: the other may change that meanwhile, towards less full for the producer. */
bool byte_queue_is_full(const struct byte_queue *queue);

/* By the producer; the queue is not full. */
void byte_queue_put(struct byte_queue *queue, uint8_t byte);

/* By the consumer. False: there is none. */
bool byte_queue_take(struct byte_queue *queue, uint8_t *byte);

/* At rest. */
bool byte_queue_is_valid(const struct byte_queue *queue);

#endif
