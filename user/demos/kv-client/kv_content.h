/*
 * What the value of a key is, in each of its versions: some bytes, up to KV_CONTENT_MAX_BYTES, that space, key and
 * version determine. So a reader knows every byte without having kept one.
 */
#ifndef CAPOS_USER_DEMOS_KV_CLIENT_KV_CONTENT_H
#define CAPOS_USER_DEMOS_KV_CLIENT_KV_CONTENT_H

#include <stdbool.h>
#include <stdint.h>

#include "user/protocol/kv_journal.h"

#define KV_CONTENT_MAX_BYTES 6000u

struct kv_content {
	uint64_t space;
	uint32_t key; /* below KV_JOURNAL_KEYS */
	kv_version_t version;
};

/* Most are short; one in 16 may be of any length. At least 1. */
uint64_t kv_content_length(const struct kv_content *content);

void kv_content_write(const struct kv_content *content, uint8_t *bytes);

/* The `length` bytes are this version, all of it. */
bool kv_content_is(const struct kv_content *content, const uint8_t *bytes, uint64_t length);

#endif
