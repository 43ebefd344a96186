/*
 * wordcount [FILE]: the ten most frequent words of a file of the boot package (text/words.txt). A word is the longest
 * run of ASCII letters; case does not count. Words live on a heap over VirtualMemory, which is given back at the end:
 * if a ledger of the process then has more than at the beginning, that is said, and the exit code is 1.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/check.h"
#include "lib/ledger.h"
#include "lib/status.h"
#include "user/demos/wordcount/word_table.h"
#include "user/runtime/boot_package_client.h"
#include "user/runtime/capset_client.h"
#include "user/runtime/print.h"
#include "user/runtime/user_heap.h"

#define DEFAULT_FILE "text/words.txt"
#define TOP_WORDS 10u
#define CHUNK_BYTES 4096u
#define FIRST_WORD_BYTES 64u

/* The word that is being read: it may begin in one chunk and end in another, and be of any length. */
struct word {
	char *letter;
	uint32_t length, size;
};

static struct user_heap heap;

static bool letter_of(char byte, char *letter)
{
	if (byte >= 'A' && byte <= 'Z')
		*letter = (char)(byte - 'A' + 'a');
	else if (byte >= 'a' && byte <= 'z')
		*letter = byte;
	else
		return false;
	return true;
}

static enum status word_append(struct word *word, char letter)
{
	if (word->length == word->size) {
		uint32_t size = word->size == 0 ? FIRST_WORD_BYTES : word->size * 2;
		void *memory = word->letter;

		GUARD(size > word->size, STATUS_TOO_LONG);
		TRY(user_heap_resize(&heap, size, &memory));
		word->letter = memory;
		word->size = size;
	}
	word->letter[word->length++] = letter;
	return STATUS_OK;
}

static enum status word_end(struct word *word, struct word_table *table)
{
	if (word->length == 0)
		return STATUS_OK;
	TRY(word_table_add(table, word->letter, word->length));
	word->length = 0;
	return STATUS_OK;
}

static enum status count_chunk(struct word_table *table, struct word *word, const char *text, uint64_t bytes)
{
	char letter;

	for (uint64_t i = 0; i < bytes; i++) {
		if (letter_of(text[i], &letter))
			TRY(word_append(word, letter));
		else
			TRY(word_end(word, table));
	}
	return STATUS_OK;
}

static enum status count_file(struct boot_package_client package, uint64_t index, struct word_table *table,
			      struct word *word)
{
	static char chunk[CHUNK_BYTES];
	struct boot_package_span span = { .index = index, .buffer = chunk, .bytes = sizeof(chunk) };
	uint64_t count;

	do {
		TRY(boot_package_client_read(package, &span, &count));
		TRY(count_chunk(table, word, chunk, count));
		span.offset += count;
	} while (count > 0);
	return word_end(word, table);
}

static void show(const struct word_table *table)
{
	const struct word_entry *top[TOP_WORDS];
	uint32_t count = word_table_top(table, TOP_WORDS, top);

	for (uint32_t i = 0; i < count; i++) {
		print("%8lu ", top[i]->count);
		print_text(top[i]->word, top[i]->length);
		print("\n");
	}
	print("words %lu distinct %lu\n", table->words, table->distinct);
}

/* Whether the kernel, too, says that all is given back. */
static bool is_given_back(const struct memory_statistics *before)
{
	struct memory_statistics after;
	bool is_all = heap.statistics.pages == 0;

	CHECK(virtual_memory_client_statistics(heap.memory, &after) == STATUS_OK);
	for (uint32_t i = 0; i < LEDGER_COUNT; i++) {
		if (after.ledger[i].used == before->ledger[i].used)
			continue;
		print("wordcount: %s: %lu before, %lu after\n", ledger_name((enum ledger_kind)i),
		      before->ledger[i].used, after.ledger[i].used);
		is_all = false;
	}
	return is_all;
}

static enum status find_file(const char *name, struct boot_package_client *package, uint64_t *index)
{
	struct virtual_memory_client memory;

	TRY(capset_client_find("memory", INTERFACE_VIRTUAL_MEMORY, &memory.handle));
	TRY(capset_client_find("package", INTERFACE_BOOT_PACKAGE, &package->handle));
	TRY(boot_package_client_find(*package, name, index));
	user_heap_init(&heap, memory);
	return STATUS_OK;
}

int main(int argc, char **argv, char **envp)
{
	const char *name = argc > 1 ? argv[1] : DEFAULT_FILE;
	struct boot_package_client package;
	struct memory_statistics before;
	struct word_table table;
	struct word word = { 0 };
	uint64_t index;

	(void)envp;
	enum status status = find_file(name, &package, &index);

	if (status != STATUS_OK) {
		print("wordcount: %s: %s\n", name, status_name(status));
		return 1;
	}
	CHECK(virtual_memory_client_statistics(heap.memory, &before) == STATUS_OK);
	word_table_init(&table, &heap);
	status = count_file(package, index, &table, &word);
	CHECK(word_table_is_valid(&table));
	if (status == STATUS_OK)
		show(&table);
	else
		print("wordcount: %s: %s\n", name, status_name(status));

	word_table_clear(&table);
	user_heap_free(&heap, word.letter);
	CHECK(user_heap_is_valid(&heap));
	user_heap_trim(&heap);
	print("pages peak %lu final %lu\n", heap.statistics.peak_pages, heap.statistics.pages);
	return is_given_back(&before) && status == STATUS_OK ? 0 : 1;
}
