#include "user/demos/kv-service/kv_table.h"

#include <stddef.h>

#include "lib/check.h"
#include "lib/string.h"

#define FIRST_BUCKETS 512u /* one page */
#define LONGEST_CHAIN 2u   /* on average, before the table grows */
#define FNV_START 2166136261u
#define FNV_FACTOR 16777619u

void kv_table_init(struct kv_table *table, struct user_heap *heap)
{
	*table = (struct kv_table){ .heap = heap };
}

/* FNV-1a, 32 bits, of the space and the key's bytes. */
static uint32_t hash_of(uint64_t space, const uint8_t *bytes, uint32_t length)
{
	uint32_t hash = FNV_START;

	for (uint32_t i = 0; i < sizeof(space); i++)
		hash = (hash ^ (uint8_t)(space >> (8 * i))) * FNV_FACTOR;
	for (uint32_t i = 0; i < length; i++)
		hash = (hash ^ bytes[i]) * FNV_FACTOR;
	return hash;
}

static struct kv_entry **bucket_of(const struct kv_table *table, uint32_t hash)
{
	return &table->bucket[hash & (table->buckets - 1)];
}

static bool is_entry_of(const struct kv_entry *entry, const struct kv_key *key, uint32_t hash)
{
	return entry->hash == hash && entry->space == key->space && entry->key_length == key->length &&
	       memcmp(entry->bytes, key->bytes, key->length) == 0;
}

/* The pointer that points to the key's entry. NOT_FOUND. */
static enum status find(const struct kv_table *table, const struct kv_key *key, struct kv_entry ***place)
{
	uint32_t hash = hash_of(key->space, key->bytes, key->length);

	GUARD(table->buckets > 0, STATUS_NOT_FOUND);
	for (*place = bucket_of(table, hash); **place != NULL; *place = &(**place)->next)
		if (is_entry_of(**place, key, hash))
			return STATUS_OK;
	return STATUS_NOT_FOUND;
}

static void link(struct kv_table *table, struct kv_entry *entry)
{
	struct kv_entry **place = bucket_of(table, entry->hash);

	entry->next = *place;
	*place = entry;
	table->keys++;
	table->value_bytes += entry->value_length;
}

static void remove(struct kv_table *table, struct kv_entry **place)
{
	struct kv_entry *entry = *place;

	*place = entry->next;
	table->keys--;
	table->value_bytes -= entry->value_length;
	user_heap_free(table->heap, entry);
}

/* Move all entries over to four times as many buckets. */
static enum status grow(struct kv_table *table)
{
	uint64_t before = table->buckets;
	uint64_t after = before == 0 ? FIRST_BUCKETS : before * 4;
	struct kv_entry **old = table->bucket;
	void *bucket;

	TRY(user_heap_allocate_zeroed(table->heap, after, sizeof(struct kv_entry *), &bucket));
	table->bucket = bucket;
	table->buckets = after;
	for (uint64_t i = 0; i < before; i++) {
		struct kv_entry *next;

		for (struct kv_entry *entry = old[i]; entry != NULL; entry = next) {
			struct kv_entry **place = bucket_of(table, entry->hash);

			next = entry->next;
			entry->next = *place;
			*place = entry;
		}
	}
	user_heap_free(table->heap, old);
	return STATUS_OK;
}

static enum status make_entry(struct kv_table *table, const struct kv_key *key, const struct kv_value *value,
			      struct kv_entry **entry)
{
	void *memory;

	TRY(user_heap_allocate(table->heap, sizeof(**entry) + key->length + value->length, &memory));
	*entry = memory;
	(*entry)->space = key->space;
	(*entry)->value_length = value->length;
	(*entry)->hash = hash_of(key->space, key->bytes, key->length);
	(*entry)->key_length = key->length;
	memcpy((*entry)->bytes, key->bytes, key->length);
	memcpy((*entry)->bytes + key->length, value->bytes, value->length);
	return STATUS_OK;
}

/* The new entry first: a key keeps its value if there is no memory for another one. */
enum status kv_table_put(struct kv_table *table, const struct kv_key *key, const struct kv_value *value)
{
	struct kv_entry *entry, **place;

	if (table->keys >= table->buckets * LONGEST_CHAIN) {
		enum status status = grow(table);

		if (table->buckets == 0)
			return status; /* not even a first bucket; otherwise chains grow instead */
	}
	TRY(make_entry(table, key, value, &entry));
	if (find(table, key, &place) == STATUS_OK)
		remove(table, place);
	link(table, entry);
	return STATUS_OK;
}

enum status kv_table_get(const struct kv_table *table, const struct kv_key *key, struct kv_value *value)
{
	struct kv_entry **place;

	TRY(find(table, key, &place));
	value->bytes = (*place)->bytes + (*place)->key_length;
	value->length = (*place)->value_length;
	return STATUS_OK;
}

enum status kv_table_delete(struct kv_table *table, const struct kv_key *key)
{
	struct kv_entry **place;

	TRY(find(table, key, &place));
	remove(table, place);
	return STATUS_OK;
}

void kv_table_trim(struct kv_table *table)
{
	if (table->keys > 0)
		return;
	user_heap_free(table->heap, table->bucket);
	kv_table_init(table, table->heap);
}

bool kv_table_is_valid(const struct kv_table *table)
{
	uint64_t keys = 0, value_bytes = 0;

	for (uint64_t i = 0; i < table->buckets; i++) {
		for (const struct kv_entry *entry = table->bucket[i]; entry != NULL; entry = entry->next) {
			if ((entry->hash & (table->buckets - 1)) != i ||
			    entry->hash != hash_of(entry->space, entry->bytes, entry->key_length))
				return false;
			keys++;
			value_bytes += entry->value_length;
		}
	}
	return keys == table->keys && value_bytes == table->value_bytes;
}
