#include "user/demos/wordcount/word_table.h"

#include <stddef.h>

#include "lib/check.h"
#include "lib/string.h"

#define FIRST_BUCKETS 512u /* one page */
#define LONGEST_CHAIN 3u   /* on average, before the table grows */

void word_table_init(struct word_table *table, struct user_heap *heap)
{
	*table = (struct word_table){ .heap = heap };
}

/* FNV-1a, 32 bits. */
static uint32_t hash_of(const char *word, uint32_t length)
{
	uint32_t hash = 2166136261u;

	for (uint32_t i = 0; i < length; i++)
		hash = (hash ^ (uint8_t)word[i]) * 16777619u;
	return hash;
}

static struct word_entry **bucket_of(const struct word_table *table, uint32_t hash)
{
	return &table->bucket[hash & (table->buckets - 1)];
}

static bool find(const struct word_table *table, const char *word, uint32_t length, struct word_entry **found)
{
	uint32_t hash = hash_of(word, length);

	for (struct word_entry *entry = *bucket_of(table, hash); entry != NULL; entry = entry->next) {
		if (entry->hash == hash && entry->length == length && memcmp(entry->word, word, length) == 0) {
			*found = entry;
			return true;
		}
	}
	return false;
}

/* Move all entries over to four times as many buckets. */
static enum status grow(struct word_table *table)
{
	uint64_t before = table->buckets;
	uint64_t after = before == 0 ? FIRST_BUCKETS : before * 4;
	struct word_entry **old = table->bucket;
	void *bucket;

	TRY(user_heap_allocate_zeroed(table->heap, after, sizeof(struct word_entry *), &bucket));
	table->bucket = bucket;
	table->buckets = after;
	for (uint64_t i = 0; i < before; i++) {
		struct word_entry *next;

		for (struct word_entry *entry = old[i]; entry != NULL; entry = next) {
			struct word_entry **place = bucket_of(table, entry->hash);

			next = entry->next;
			entry->next = *place;
			*place = entry;
		}
	}
	user_heap_free(table->heap, old);
	return STATUS_OK;
}

enum status word_table_add(struct word_table *table, const char *word, uint32_t length)
{
	struct word_entry *entry;
	void *memory;

	if (table->buckets > 0 && find(table, word, length, &entry)) {
		entry->count++;
		table->words++;
		return STATUS_OK;
	}
	if (table->distinct >= table->buckets * LONGEST_CHAIN) {
		enum status status = grow(table);

		if (table->buckets == 0)
			return status; /* not even a first bucket; otherwise chains grow instead */
	}
	TRY(user_heap_allocate(table->heap, sizeof(*entry) + length, &memory));
	entry = memory;
	entry->count = 1;
	entry->hash = hash_of(word, length);
	entry->length = length;
	memcpy(entry->word, word, length);
	entry->next = *bucket_of(table, entry->hash);
	*bucket_of(table, entry->hash) = entry;
	table->distinct++;
	table->words++;
	return STATUS_OK;
}

/* Whether `a` comes before `b` in the list of the most frequent. */
static bool comes_before(const struct word_entry *a, const struct word_entry *b)
{
	uint32_t length = a->length < b->length ? a->length : b->length;
	int order;

	if (a->count != b->count)
		return a->count > b->count;
	order = memcmp(a->word, b->word, length);
	return order != 0 ? order < 0 : a->length < b->length;
}

/* Insert into the sorted list if it belongs there. */
static uint32_t insert(const struct word_entry **top, uint32_t count, uint32_t limit, const struct word_entry *entry)
{
	uint32_t place = count;

	while (place > 0 && comes_before(entry, top[place - 1]))
		place--;
	if (place == limit)
		return count;
	if (count < limit)
		count++;
	for (uint32_t i = count - 1; i > place; i--)
		top[i] = top[i - 1];
	top[place] = entry;
	return count;
}

uint32_t word_table_top(const struct word_table *table, uint32_t limit, const struct word_entry **top)
{
	uint32_t count = 0;

	for (uint64_t i = 0; i < table->buckets; i++) {
		for (const struct word_entry *entry = table->bucket[i]; entry != NULL; entry = entry->next)
			count = insert(top, count, limit, entry);
	}
	return count;
}

void word_table_clear(struct word_table *table)
{
	for (uint64_t i = 0; i < table->buckets; i++) {
		struct word_entry *next;

		for (struct word_entry *entry = table->bucket[i]; entry != NULL; entry = next) {
			next = entry->next;
			user_heap_free(table->heap, entry);
		}
	}
	user_heap_free(table->heap, table->bucket);
	word_table_init(table, table->heap);
}

bool word_table_is_valid(const struct word_table *table)
{
	uint64_t words = 0, distinct = 0;

	for (uint64_t i = 0; i < table->buckets; i++) {
		for (const struct word_entry *entry = table->bucket[i]; entry != NULL; entry = entry->next) {
			if ((entry->hash & (table->buckets - 1)) != i || entry->count == 0 ||
			    entry->hash != hash_of(entry->word, entry->length))
				return false;
			words += entry->count;
			distinct++;
		}
	}
	return words == table->words && distinct == table->distinct;
}
