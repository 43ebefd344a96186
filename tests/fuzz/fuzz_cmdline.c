/* links: kernel/boot/boot_option.c */
#include <stdlib.h>
#include <string.h>

#include "kernel/arch/x86_64/log.h"
#include "kernel/boot/boot_option.h"
#include "lib/check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint32_t reported; /* words */

void log_line(const char *format, ...)
{
	CHECK(format != NULL);
	reported++;
}

/* What the words say, by the C library: each is obeyed as a whole, or reported. */
struct reading {
	struct boot_options options;
	uint32_t refused;
};

/* The value behind a prefix, if it has some characters and leaves room for the end. */
static bool read_value(const char *word, const char *prefix, size_t room, char *value)
{
	const size_t skip = strlen(prefix);

	if (strncmp(word, prefix, skip) != 0 || word[skip] == 0 || strlen(word + skip) >= room)
		return false;
	memset(value, 0, room);
	memcpy(value, word + skip, strlen(word + skip));
	return true;
}

/* Decimal, with K, M or G behind it. */
static bool read_number(const char *word, const char *prefix, uint64_t *number)
{
	static const char suffixes[] = "KMG";
	const char *const digits = strncmp(word, prefix, strlen(prefix)) == 0 ? word + strlen(prefix) : "";
	const size_t count = strspn(digits, "0123456789");
	const char *const suffix = digits[count] != 0 ? strchr(suffixes, digits[count]) : NULL;
	unsigned __int128 value = 0;

	if (count == 0 || strlen(digits) != count + (suffix != NULL))
		return false;
	for (size_t i = 0; i < count && value <= UINT64_MAX; i++)
		value = value * 10 + (unsigned int)(digits[i] - '0');
	if (suffix != NULL && value <= UINT64_MAX)
		value <<= 10 * (suffix - suffixes + 1);
	if (value > UINT64_MAX)
		return false;
	*number = (uint64_t)value;
	return true;
}

static void read_word(struct reading *reading, const char *word)
{
	struct boot_options *options = &reading->options;

	if (read_value(word, "init=", sizeof(options->init), options->init)) {
		for (char *plus = options->init; (plus = strchr(plus, '+')) != NULL;)
			*plus = ' ';
	} else if (read_number(word, "seed=", &options->seed)) {
		options->has_seed = true;
	} else if (strcmp(word, "console=polled") == 0) {
		options->console_polled = true;
	} else if (strcmp(word, "once") == 0) {
		options->once = true;
	} else if (strcmp(word, "selftest") == 0) {
		options->selftest = true;
	} else if (strcmp(word, "protection") == 0) {
		options->protection = true;
	} else if (strcmp(word, "check") == 0) {
		options->check = true;
	} else if (strcmp(word, "paranoid") == 0) {
		options->paranoid = true;
	} else if (!read_number(word, "shortage=", &options->shortage) &&
		   !read_number(word, "limits=", &options->limit_us) &&
		   !read_value(word, "fault=", sizeof(options->fault), options->fault) &&
		   !read_value(word, "overflow=", sizeof(options->overflow), options->overflow)) {
		reading->refused++;
	}
}

static void assert_same(const struct boot_options *one, const struct boot_options *other)
{
	CHECK(strcmp(one->init, other->init) == 0 && strcmp(one->overflow, other->overflow) == 0);
	CHECK(one->once == other->once && one->selftest == other->selftest);
	CHECK(one->protection == other->protection && one->check == other->check);
	CHECK(one->console_polled == other->console_polled && one->shortage == other->shortage);
	CHECK(one->paranoid == other->paranoid && one->limit_us == other->limit_us);
	CHECK(strcmp(one->fault, other->fault) == 0);
	CHECK(one->has_seed == other->has_seed && (!one->has_seed || one->seed == other->seed));
}

/* A line of any characters is read as the C library would read it. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct reading reading = { .options.check = true }; /* debug: always */
	char *const line = malloc(size + 1);
	struct boot_options options;

	CHECK(line != NULL);
	if (size != 0)
		memcpy(line, data, size);
	line[size] = 0;
	reported = 0;
	boot_option_parse(line, &options);
	for (char *word = strtok(line, " "); word != NULL; word = strtok(NULL, " "))
		read_word(&reading, word);
	assert_same(&options, &reading.options);
	CHECK(reported == reading.refused);
	free(line);
	return 0;
}
