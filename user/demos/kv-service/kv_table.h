/*
 * Keys and their values: a chained hash table on the program's heap. A key is some bytes in a space; equal bytes in two
 * spaces are two keys. The table grows with its keys; if there is no memory for more buckets the chains grow longer.
 */
#ifndef CAPOS_USER_DEMOS_KV_SERVICE_KV_TABLE_H
#define CAPOS_USER_DEMOS_KV_SERVICE_KV_TABLE_H

#include <stdbool.h>
#include <stdint.h>

#include "abi/status.h"
#include "user/runtime/user_heap.h"

/* A key as somebody names it. */
struct kv_key {
	uint64_t space;
	const uint8_t *bytes;
	uint32_t length;
};

struct kv_value {
	const uint8_t *bytes;
	uint64_t length;
};

/* One allocation: the key's bytes lie behind it, and the value's behind these. */
struct kv_entry {
	struct kv_entry *next;
	uint64_t space;
	uint64_t value_length;
	uint32_t hash;
	uint32_t key_length;
	uint8_t bytes[];
};

struct kv_table {
	struct user_heap *heap;
	struct kv_entry **bucket;
	uint64_t buckets; /* a power of two, or 0: nothing was put yet */
	uint64_t keys;
	uint64_t value_bytes;
};

void kv_table_init(struct kv_table *table, struct user_heap *heap);

/* Copies key and value. The heap's refusals: the key then has the value that it had. */
enum status kv_table_put(struct kv_table *table, const struct kv_key *key, const struct kv_value *value);

/* The bytes stay where they are until the table changes. NOT_FOUND. */
enum status kv_table_get(const struct kv_table *table, const struct kv_key *key, struct kv_value *value);

/* NOT_FOUND. */
enum status kv_table_delete(struct kv_table *table, const struct kv_key *key);

/* Give the buckets back if there is no key. */
void kv_table_trim(struct kv_table *table);

/* Every key hangs in its bucket, and counts add up. */
bool kv_table_is_valid(const struct kv_table *table);

#endif
