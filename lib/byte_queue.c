#include "lib/byte_queue.h"

#include "lib/check.h"

bool byte_queue_is_full(const struct byte_queue *queue)
{
	const uint32_t put = __atomic_load_n(&queue->put, __ATOMIC_RELAXED);

	return put - __atomic_load_n(&queue->taken, __ATOMIC_ACQUIRE) >= BYTE_QUEUE_BYTES;
}

void byte_queue_put(struct byte_queue *queue, uint8_t byte)
{
	const uint32_t put = queue->put;

	CHECK(!byte_queue_is_full(queue));
	queue->byte[put % BYTE_QUEUE_BYTES] = byte;
	__atomic_store_n(&queue->put, put + 1, __ATOMIC_RELEASE);
}

bool byte_queue_take(struct byte_queue *queue, uint8_t *byte)
{
	const uint32_t taken = queue->taken;

	if (__atomic_load_n(&queue->put, __ATOMIC_ACQUIRE) == taken)
		return false;
	*byte = queue->byte[taken % BYTE_QUEUE_BYTES];
	__atomic_store_n(&queue->taken, taken + 1, __ATOMIC_RELEASE);
	return true;
}

bool byte_queue_is_valid(const struct byte_queue *queue)
{
	return queue->put - queue->taken <= BYTE_QUEUE_BYTES;
}
