#include "lib/manifest.h"

#include "lib/check.h"
#include "lib/manifest_layout.h"
#include "lib/manifest_program.h"
#include "lib/string.h"

static enum status parse_init(const struct manifest_line *line, struct manifest *manifest)
{
	GUARD(line->words == 2, STATUS_MANIFEST_BAD_LINE);
	GUARD(manifest->init[0] == '\0', STATUS_MANIFEST_DUPLICATE);
	GUARD(line->word[1].length < MANIFEST_NAME_BYTES, STATUS_MANIFEST_BAD_NAME);
	(void)string_copy_part(manifest->init, sizeof(manifest->init), line->word[1].text, line->word[1].length);
	return STATUS_OK;
}

static enum status parse_limit(const struct manifest_line *line, struct manifest *manifest)
{
	enum ledger_kind ledger;
	uint64_t limit = 0;

	GUARD(line->words == 3, STATUS_MANIFEST_BAD_LINE);
	TRY(manifest_line_ledger(line->word[1], &ledger));
	TRY(manifest_line_number(line->word[2], &limit));
	GUARD(!manifest->has_limit[ledger], STATUS_MANIFEST_DUPLICATE);
	manifest->has_limit[ledger] = true;
	manifest->limit[ledger] = limit;
	return STATUS_OK;
}

static enum status parse_argument(const struct manifest_line *line, struct manifest *manifest)
{
	GUARD(line->words == 2, STATUS_MANIFEST_BAD_LINE);
	GUARD(line->word[1].length < MANIFEST_NAME_BYTES, STATUS_MANIFEST_TOO_LONG);
	GUARD(manifest->arguments < MANIFEST_ARGUMENTS, STATUS_MANIFEST_TOO_LONG);
	(void)string_copy_part(manifest->argument[manifest->arguments++], MANIFEST_NAME_BYTES, line->word[1].text,
			       line->word[1].length);
	return STATUS_OK;
}

static enum status parse_line(const struct manifest_line *line, struct manifest *manifest)
{
	static const char *const of_programs[] = { "grant", "environment", "priority", "start" };

	if (manifest_line_word_is(line->word[0], "init"))
		return parse_init(line, manifest);
	if (manifest_line_word_is(line->word[0], "limit"))
		return parse_limit(line, manifest);
	if (manifest_line_word_is(line->word[0], "argument"))
		return parse_argument(line, manifest);
	for (uint32_t i = 0; i < COUNT_OF(of_programs); i++)
		GUARD(!manifest_line_word_is(line->word[0], of_programs[i]), STATUS_MANIFEST_WRONG_SECTION);
	GUARD(!manifest_layout_is_key(line->word[0]), STATUS_MANIFEST_WRONG_SECTION);
	return STATUS_MANIFEST_UNKNOWN_KEY;
}

/* Up to the first section, at which `text` then stands. */
static enum status parse_first_part(struct manifest_text *text, struct manifest *manifest)
{
	struct manifest_text before = *text;
	struct manifest_line line;
	enum status status;

	while ((status = manifest_line_next(text, &line)) == STATUS_OK) {
		if (manifest_line_word_is(line.word[0], "program")) {
			*text = before;
			return STATUS_OK;
		}
		TRY(parse_line(&line, manifest));
		before = *text;
	}
	return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

/* Every section is well-formed, and no two are about one program. */
static enum status check_programs(struct manifest_text *text)
{
	struct manifest_word name[MANIFEST_PROGRAMS];
	struct manifest_program program;
	uint32_t programs = 0;
	enum status status;

	while ((status = manifest_program_next(text, &program)) == STATUS_OK) {
		for (uint32_t i = 0; i < programs; i++) {
			if (manifest_line_words_equal(name[i], program.name)) {
				text->line = program.line;
				return STATUS_MANIFEST_DUPLICATE;
			}
		}
		if (programs == MANIFEST_PROGRAMS) {
			text->line = program.line;
			return STATUS_MANIFEST_TOO_LONG;
		}
		name[programs++] = program.name;
	}
	return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

static enum status parse(struct manifest_text *text, struct manifest *manifest)
{
	TRY(parse_first_part(text, manifest));
	return check_programs(text);
}

enum status manifest_parse(const char *text, size_t bytes, struct manifest *manifest, uint32_t *failed_line)
{
	struct manifest_text at = { .text = text, .bytes = bytes };

	*manifest = (struct manifest){ .arguments = 0 };
	*failed_line = 0;
	GUARD(bytes <= MANIFEST_MAX_BYTES, STATUS_MANIFEST_TOO_LONG);

	const enum status status = parse(&at, manifest);

	if (status != STATUS_OK)
		*failed_line = at.line;
	TRY(status);
	GUARD(manifest->init[0] != '\0', STATUS_MANIFEST_NO_INIT);
	ASSERT(manifest_is_valid(manifest));
	return STATUS_OK;
}

/* A word that could stand in the text, and its terminator. */
static bool is_word(const char text[MANIFEST_NAME_BYTES])
{
	const size_t length = string_length(text, MANIFEST_NAME_BYTES);

	return length < MANIFEST_NAME_BYTES && manifest_line_is_word((struct manifest_word){ text, length });
}

bool manifest_is_valid(const struct manifest *manifest)
{
	if (!is_word(manifest->init) || manifest->arguments > MANIFEST_ARGUMENTS)
		return false;
	for (uint32_t i = 0; i < manifest->arguments; i++) {
		if (!is_word(manifest->argument[i]))
			return false;
	}
	for (uint32_t i = 0; i < LEDGER_COUNT; i++) {
		if (!manifest->has_limit[i] && manifest->limit[i] != 0)
			return false;
	}
	return true;
}
