/*
 * A kv-client's own account of its keys, in a memory object that its starter keeps: a client that was killed is
 * followed by another one on the same journal, which can tell what the service must know.
 *
 * A client notes what it is about to do, does it, and notes that it was acknowledged. Killed in between, it leaves
 * `intended` other than `stored`; then, and only then, the service may have either.
 */
#ifndef CAPOS_USER_PROTOCOL_KV_JOURNAL_H
#define CAPOS_USER_PROTOCOL_KV_JOURNAL_H

#include <stdbool.h>
#include <stdint.h>

#include "abi/memory_layout.h"

#define KV_JOURNAL "journal" /* name in the client's CapSet */
#define KV_JOURNAL_KEYS 128u

/* Of a key's value: it determines its bytes (kv_value.h). Grows by KV_VERSION_STEP with each change; bit 0: present. */
typedef uint32_t kv_version_t;

#define KV_VERSION_NEVER 0u /* never put */
#define KV_VERSION_STEP 2u

struct kv_journal_key {
	kv_version_t stored;   /* acknowledged */
	kv_version_t intended; /* asked for */
};

struct kv_journal {
	uint64_t quota;    /* operations to do, over all clients of this journal; written by the starter */
	uint64_t done;     /* of them acknowledged */
	uint64_t verified; /* reads that were compared with what must be there */
	uint64_t lost;     /* of them wrong */
	struct kv_journal_key key[KV_JOURNAL_KEYS];
};

#define KV_JOURNAL_PAGES ((sizeof(struct kv_journal) + PAGE_SIZE - 1) / PAGE_SIZE)

static inline bool kv_version_is_present(kv_version_t version)
{
	return (version & 1) != 0;
}

static inline kv_version_t kv_version_next(kv_version_t version, bool is_present)
{
	return ((version & ~1u) + KV_VERSION_STEP) | is_present;
}

#endif
