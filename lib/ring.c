#include "lib/ring.h"

static void words_zero(ring_word_t *word, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		word[i] = 0;
}

void ring_init(struct ring_page *ring)
{
	words_zero((ring_word_t *)(void *)ring, sizeof(*ring) / sizeof(ring_word_t));
	ring_init_zeroed(ring);
}

void ring_init_zeroed(struct ring_page *ring)
{
	ring->header.version = RING_VERSION;
	ring->header.size = sizeof(*ring);
	ring->header.sq_offset = __builtin_offsetof(struct ring_page, submission);
	ring->header.sq_entries = RING_SQ_ENTRIES;
	ring->header.cq_offset = __builtin_offsetof(struct ring_page, completion);
	ring->header.cq_entries = RING_CQ_ENTRIES;
}

enum status ring_check(const struct ring_page *ring)
{
	const struct ring_header *header = &ring->header;

	GUARD(header->version == RING_VERSION && header->size == sizeof(*ring), STATUS_UNSUPPORTED);
	GUARD(header->sq_offset == __builtin_offsetof(struct ring_page, submission), STATUS_UNSUPPORTED);
	GUARD(header->cq_offset == __builtin_offsetof(struct ring_page, completion), STATUS_UNSUPPORTED);
	GUARD(header->sq_entries == RING_SQ_ENTRIES && header->cq_entries == RING_CQ_ENTRIES, STATUS_UNSUPPORTED);
	return STATUS_OK;
}
