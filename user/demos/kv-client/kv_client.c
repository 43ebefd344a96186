/*
 * kv-client SPACE SEED: works on the keys of one space of the key-value service, and compares every answer with its
 * journal (user/protocol/kv_journal.h). It may be killed at any instruction; the next one on the same journal goes on,
 * after it has found every key that was acknowledged. In the end it verifies all keys once more and deletes them.
 *
 * Exit code 0 if the quota is done; what was lost stands in the journal.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/check.h"
#include "lib/format.h"
#include "lib/status.h"
#include "lib/string.h"
#include "user/demos/kv-client/kv_connection.h"
#include "user/demos/kv-client/kv_content.h"
#include "user/protocol/kv_journal.h"
#include "user/protocol/number_text.h"
#include "user/protocol/random_sequence.h"
#include "user/runtime/capset_client.h"
#include "user/runtime/print.h"
#include "user/runtime/ring_client.h"

/* Puts go out from the first half of the buffer, gets come into the second. */
#define BUFFER_PAGES 4u
#define HALF_BYTES (BUFFER_PAGES * PAGE_SIZE / 2)
#define PERCENT_GET 40u
#define PERCENT_PUT 40u /* the rest: delete */

static struct kv_connection connection;
static struct kv_journal *journal;
static uint64_t space;
static struct random_sequence choices;

_Static_assert(KV_CONTENT_MAX_BYTES <= HALF_BYTES, "a value fits into half of the buffer");

/* ---- the journal: single aligned stores, since the next client reads what this one leaves ---- */

static kv_version_t stored(uint32_t key)
{
	return __atomic_load_n(&journal->key[key].stored, __ATOMIC_ACQUIRE);
}

static kv_version_t intended(uint32_t key)
{
	return __atomic_load_n(&journal->key[key].intended, __ATOMIC_ACQUIRE);
}

static void note_intended(uint32_t key, kv_version_t version)
{
	__atomic_store_n(&journal->key[key].intended, version, __ATOMIC_RELEASE);
}

static void note_stored(uint32_t key, kv_version_t version)
{
	__atomic_store_n(&journal->key[key].stored, version, __ATOMIC_RELEASE);
}

static void count(uint64_t *counter)
{
	__atomic_store_n(counter, *counter + 1, __ATOMIC_RELEASE); /* we are its only writer */
}

/* ---- one operation each ---- */

static struct kv_name name_of(uint32_t key, char text[static KV_MAX_KEY_BYTES])
{
	return (struct kv_name){ text, (uint32_t)format(text, KV_MAX_KEY_BYTES, "key %u", key) };
}

static struct kv_content content_of(uint32_t key, kv_version_t version)
{
	return (struct kv_content){ .space = space, .key = key, .version = version };
}

/* Any place of that length in a half of the buffer that begins at `start`. */
static struct kv_place any_place(uint64_t start, uint64_t length)
{
	return (struct kv_place){ start + random_sequence_below(&choices, HALF_BYTES - length + 1), length };
}

/* What the service has for a key, as it answered it. */
struct found {
	enum kv_answer answer;
	const uint8_t *bytes;
	uint64_t length;
};

static enum status fetch(uint32_t key, struct found *found)
{
	const struct kv_place place = any_place(HALF_BYTES, KV_CONTENT_MAX_BYTES);
	char text[KV_MAX_KEY_BYTES];
	const struct kv_name name = name_of(key, text);

	found->bytes = connection.buffer + place.offset;
	memset(connection.buffer + place.offset, 0, sizeof(uint64_t)); /* no answer of an earlier GET passes for one */
	return kv_connection_get(&connection, &name, &place, &found->length, &found->answer);
}

static bool is_version(const struct found *found, uint32_t key, kv_version_t version)
{
	const struct kv_content content = content_of(key, version);

	if (!kv_version_is_present(version))
		return found->answer == KV_NOT_FOUND;
	return found->answer == KV_OK && kv_content_is(&content, found->bytes, found->length);
}

static void verify(bool holds, uint32_t key, const char *what, uint32_t answer)
{
	count(&journal->verified);
	if (holds)
		return;
	count(&journal->lost);
	print("LOST kv-client %lu: key %u, version %u: %s answers %u\n", space, key, stored(key), what, answer);
}

static enum status get(uint32_t key)
{
	struct found found;

	TRY(fetch(key, &found));
	verify(is_version(&found, key, stored(key)), key, "get", found.answer);
	return STATUS_OK;
}

static enum status put(uint32_t key)
{
	const kv_version_t version = kv_version_next(stored(key), true);
	const struct kv_content content = content_of(key, version);
	const struct kv_place place = any_place(0, kv_content_length(&content));
	char text[KV_MAX_KEY_BYTES];
	const struct kv_name name = name_of(key, text);
	enum kv_answer answer;

	kv_content_write(&content, connection.buffer + place.offset);
	note_intended(key, version);
	TRY(kv_connection_put(&connection, &name, &place, &answer));
	GUARD(answer == KV_OK, STATUS_OUT_OF_MEMORY);
	note_stored(key, version);
	return STATUS_OK;
}

static enum status erase(uint32_t key)
{
	const enum kv_answer wanted = kv_version_is_present(stored(key)) ? KV_OK : KV_NOT_FOUND;
	const kv_version_t version = kv_version_next(stored(key), false);
	char text[KV_MAX_KEY_BYTES];
	const struct kv_name name = name_of(key, text);
	enum kv_answer answer;

	note_intended(key, version);
	TRY(kv_connection_delete(&connection, &name, &answer));
	verify(answer == wanted, key, "delete", answer);
	note_stored(key, version);
	return STATUS_OK;
}

/* ---- a client's life ---- */

/* A change that the client before us saw no answer to may have happened or not; from now on it is known which. */
static enum status settle(uint32_t key)
{
	struct found found;
	kv_version_t version = stored(key);

	TRY(fetch(key, &found));
	if (!is_version(&found, key, version))
		version = intended(key);
	verify(is_version(&found, key, version), key, "first get", found.answer);
	note_stored(key, version);
	note_intended(key, version);
	return STATUS_OK;
}

static enum status work(void)
{
	while (journal->done < journal->quota) {
		const uint32_t key = (uint32_t)random_sequence_below(&choices, KV_JOURNAL_KEYS);
		const uint64_t choice = random_sequence_below(&choices, 100);

		if (choice < PERCENT_GET)
			TRY(get(key));
		else if (choice < PERCENT_GET + PERCENT_PUT)
			TRY(put(key));
		else
			TRY(erase(key));
		count(&journal->done);
	}
	return STATUS_OK;
}

static enum status for_each_key(enum status (*step)(uint32_t key))
{
	for (uint32_t key = 0; key < KV_JOURNAL_KEYS; key++)
		TRY(step(key));
	return STATUS_OK;
}

static enum status open_journal(void)
{
	const struct memory_object_window window = { .length = KV_JOURNAL_PAGES * PAGE_SIZE,
						     .protection = PROTECTION_READ | PROTECTION_WRITE };
	struct memory_object_client object;
	void *address;

	TRY(capset_client_find(KV_JOURNAL, INTERFACE_MEMORY_OBJECT, &object.handle));
	TRY(memory_object_client_map(object, &window, &address));
	journal = address;
	return STATUS_OK;
}

static enum status open_session(void)
{
	struct frame_allocator_client frames;
	enum kv_answer answer;

	TRY(capset_client_find("frames", INTERFACE_FRAME_ALLOCATOR, &frames.handle));
	TRY(capset_client_find(KV_SESSION, INTERFACE_ENDPOINT_CLIENT, &connection.session.handle));
	TRY(kv_connection_open(&connection, frames, BUFFER_PAGES, &answer));
	GUARD(answer == KV_OK, STATUS_OUT_OF_MEMORY);
	return STATUS_OK;
}

static enum status run(void)
{
	TRY(open_journal());
	TRY(open_session());
	TRY(for_each_key(settle));
	TRY(work());
	TRY(for_each_key(get));
	TRY(for_each_key(erase));
	return kv_connection_close(&connection);
}

static enum status read_arguments(int argc, char **argv)
{
	GUARD(argc == 3, STATUS_BAD_ARGUMENT);
	TRY(number_text_parse(argv[1], &space));
	return number_text_parse(argv[2], &choices.state);
}

int main(int argc, char **argv, char **envp)
{
	enum status status;

	(void)envp;
	status = read_arguments(argc, argv);
	if (status == STATUS_OK)
		status = run();
	if (status != STATUS_OK)
		print("kv-client %lu: %s\n", space, status_name(status));
	return status == STATUS_OK ? 0 : 1;
}
