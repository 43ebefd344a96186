/*
 * Words and how often each was seen: a chained hash table on the program's heap. It grows with the words; if there is
 * no memory for more buckets the chains grow longer instead.
 */
#ifndef CAPOS_USER_DEMOS_WORDCOUNT_WORD_TABLE_H
#define CAPOS_USER_DEMOS_WORDCOUNT_WORD_TABLE_H

#include <stdbool.h>
#include <stdint.h>

#include "abi/status.h"
#include "user/runtime/user_heap.h"

struct word_entry {
	struct word_entry *next;
	uint64_t count;
	uint32_t hash;
	uint32_t length;
	char word[]; /* not terminated */
};

struct word_table {
	struct user_heap *heap;
	struct word_entry **bucket;
	uint64_t buckets; /* a power of two, or 0 before the first word */
	uint64_t words;   /* added */
	uint64_t distinct;
};

void word_table_init(struct word_table *table, struct user_heap *heap);

/* Count one word. The heap's refusals; the table is then as it was. */
enum status word_table_add(struct word_table *table, const char *word, uint32_t length);

/* The `limit` most frequent words, count descending, then by letters. Returns how many there are. */
uint32_t word_table_top(const struct word_table *table, uint32_t limit, const struct word_entry **top);

/* Free everything. */
void word_table_clear(struct word_table *table);

/* Every word hangs in its bucket, and counts add up. */
bool word_table_is_valid(const struct word_table *table);

#endif
