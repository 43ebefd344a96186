#include "lib/manifest_program.h"

#include "abi/capset.h"
#include "abi/thread_control_abi.h"
#include "lib/check.h"
#include "lib/string.h"

#define PERCENT_MAX 100u

/* What `grant NAME own` makes. */
static const struct {
	const char *name;
	enum interface_id interface;
} owned[] = {
	{ "memory", INTERFACE_VIRTUAL_MEMORY },
	{ "threads", INTERFACE_THREAD_CONTROL },
	{ "park", INTERFACE_PARK_SPACE },
};

static const char *const grant_kind[] = {
	[PROCESS_GRANT_COPY] = "copy",
	[PROCESS_GRANT_MOVE] = "move",
	[PROCESS_GRANT_OWN] = "own",
};

static enum status kind_parse(struct manifest_word word, enum process_grant_kind *kind)
{
	for (uint32_t i = PROCESS_GRANT_COPY; i < COUNT_OF(grant_kind); i++) {
		if (manifest_line_word_is(word, grant_kind[i])) {
			*kind = (enum process_grant_kind)i;
			return STATUS_OK;
		}
	}
	return STATUS_MANIFEST_BAD_LINE;
}

static enum status owned_find(struct manifest_word name, enum interface_id *interface)
{
	for (uint32_t i = 0; i < COUNT_OF(owned); i++) {
		if (manifest_line_word_is(name, owned[i].name)) {
			*interface = owned[i].interface;
			return STATUS_OK;
		}
	}
	return STATUS_MANIFEST_BAD_NAME;
}

static bool has_grant(const struct manifest_program *program, uint32_t count, struct manifest_word name)
{
	for (uint32_t i = 0; i < count; i++) {
		if (manifest_line_words_equal(program->grant[i].name, name))
			return true;
	}
	return false;
}

/* grant CAPABILITY [KIND] [as NAME] */
static enum status parse_grant(const struct manifest_line *line, struct manifest_program *program)
{
	struct manifest_grant grant = { .kind = PROCESS_GRANT_COPY, .interface = INTERFACE_NONE };
	uint32_t next = 2;

	GUARD(line->words >= 2, STATUS_MANIFEST_BAD_LINE);
	grant.capability = grant.name = line->word[1];
	if (next < line->words && !manifest_line_word_is(line->word[next], "as"))
		TRY(kind_parse(line->word[next++], &grant.kind));
	if (next < line->words) {
		GUARD(line->words == next + 2 && manifest_line_word_is(line->word[next], "as"),
		      STATUS_MANIFEST_BAD_LINE);
		grant.name = line->word[next + 1];
	}
	GUARD(grant.capability.length < CAPSET_NAME_BYTES, STATUS_MANIFEST_BAD_NAME);
	GUARD(grant.name.length < CAPSET_NAME_BYTES, STATUS_MANIFEST_BAD_NAME);
	if (grant.kind == PROCESS_GRANT_OWN)
		TRY(owned_find(grant.capability, &grant.interface));
	GUARD(!has_grant(program, program->grants, grant.name), STATUS_MANIFEST_DUPLICATE);
	GUARD(program->grants < MANIFEST_GRANTS, STATUS_MANIFEST_TOO_LONG);
	program->grant[program->grants++] = grant;
	return STATUS_OK;
}

/* limit LEDGER NUMBER, limit LEDGER PERCENT% */
static enum status parse_limit(const struct manifest_line *line, struct manifest_program *program)
{
	struct manifest_limit limit = { .is_given = true };
	struct manifest_word number;
	enum ledger_kind ledger;

	GUARD(line->words == 3, STATUS_MANIFEST_BAD_LINE);
	TRY(manifest_line_ledger(line->word[1], &ledger));
	number = line->word[2];
	limit.is_percent = number.text[number.length - 1] == '%';
	if (limit.is_percent) {
		number.length--;
		GUARD(number.length != 0 && number.text[number.length - 1] <= '9', STATUS_MANIFEST_BAD_NUMBER);
	}
	TRY(manifest_line_number(number, &limit.amount));
	GUARD(!limit.is_percent || limit.amount <= PERCENT_MAX, STATUS_MANIFEST_BAD_NUMBER);
	GUARD(!program->limit[ledger].is_given, STATUS_MANIFEST_DUPLICATE);
	program->limit[ledger] = limit;
	return STATUS_OK;
}

static enum status parse_argument(const struct manifest_line *line, struct manifest_program *program)
{
	GUARD(line->words == 2, STATUS_MANIFEST_BAD_LINE);
	GUARD(line->word[1].length < MANIFEST_NAME_BYTES, STATUS_MANIFEST_TOO_LONG);
	GUARD(program->arguments < MANIFEST_PROGRAM_ARGUMENTS, STATUS_MANIFEST_TOO_LONG);
	program->argument[program->arguments++] = line->word[1];
	return STATUS_OK;
}

/* The KEY of KEY=VALUE; the whole word if there is no '='. */
static struct manifest_word environment_key(struct manifest_word word)
{
	size_t length = 0;

	while (length < word.length && word.text[length] != '=')
		length++;
	return (struct manifest_word){ word.text, length };
}

static bool has_environment(const struct manifest_program *program, uint32_t count, struct manifest_word key)
{
	for (uint32_t i = 0; i < count; i++) {
		if (manifest_line_words_equal(environment_key(program->environment[i]), key))
			return true;
	}
	return false;
}

static bool is_environment(struct manifest_word word)
{
	const size_t key = environment_key(word).length;

	return key != 0 && key < word.length;
}

static enum status parse_environment(const struct manifest_line *line, struct manifest_program *program)
{
	GUARD(line->words == 2, STATUS_MANIFEST_BAD_LINE);
	GUARD(is_environment(line->word[1]), STATUS_MANIFEST_BAD_NAME);
	GUARD(line->word[1].length < MANIFEST_NAME_BYTES, STATUS_MANIFEST_TOO_LONG);
	GUARD(!has_environment(program, program->environments, environment_key(line->word[1])),
	      STATUS_MANIFEST_DUPLICATE);
	GUARD(program->environments < MANIFEST_PROGRAM_ENVIRONMENT, STATUS_MANIFEST_TOO_LONG);
	program->environment[program->environments++] = line->word[1];
	return STATUS_OK;
}

static enum status parse_priority(const struct manifest_line *line, struct manifest_program *program)
{
	uint64_t priority;

	GUARD(line->words == 2, STATUS_MANIFEST_BAD_LINE);
	TRY(manifest_line_number(line->word[1], &priority));
	GUARD(priority < THREAD_PRIORITIES, STATUS_MANIFEST_BAD_NUMBER);
	GUARD(!program->has_priority, STATUS_MANIFEST_DUPLICATE);
	program->has_priority = true;
	program->priority = (uint32_t)priority;
	return STATUS_OK;
}

static enum status parse_start(const struct manifest_line *line, struct manifest_program *program)
{
	GUARD(line->words == 1, STATUS_MANIFEST_BAD_LINE);
	GUARD(!program->starts, STATUS_MANIFEST_DUPLICATE);
	program->starts = true;
	return STATUS_OK;
}

static enum status parse_line(const struct manifest_line *line, struct manifest_program *program)
{
	static const struct {
		const char *key;
		enum status (*parse)(const struct manifest_line *line, struct manifest_program *program);
	} known[] = {
		{ "grant", parse_grant },       { "limit", parse_limit },
		{ "argument", parse_argument }, { "environment", parse_environment },
		{ "priority", parse_priority }, { "start", parse_start },
	};

	for (uint32_t i = 0; i < COUNT_OF(known); i++) {
		if (manifest_line_word_is(line->word[0], known[i].key))
			return known[i].parse(line, program);
	}
	if (manifest_layout_is_key(line->word[0]))
		return manifest_layout_parse(line->word, line->words, &program->layout);
	GUARD(!manifest_line_word_is(line->word[0], "init"), STATUS_MANIFEST_WRONG_SECTION);
	return STATUS_MANIFEST_UNKNOWN_KEY;
}

static bool begins_section(const struct manifest_line *line)
{
	return manifest_line_word_is(line->word[0], "program");
}

/* The line `program NAME` that begins the next section. */
static enum status find_section(struct manifest_text *text, struct manifest_line *line)
{
	do {
		TRY(manifest_line_next(text, line));
	} while (!begins_section(line));
	GUARD(line->words == 2, STATUS_MANIFEST_BAD_LINE);
	GUARD(line->word[1].length < MANIFEST_NAME_BYTES, STATUS_MANIFEST_BAD_NAME);
	return STATUS_OK;
}

enum status manifest_program_next(struct manifest_text *text, struct manifest_program *program)
{
	struct manifest_line line;
	enum status status;

	TRY(find_section(text, &line));
	*program = (struct manifest_program){
		.name = line.word[1],
		.line = text->line,
		.priority = THREAD_PRIORITY_DEFAULT,
	};
	for (;;) {
		const struct manifest_text before = *text;

		status = manifest_line_next(text, &line);
		if (status == STATUS_NOT_FOUND)
			break;
		TRY(status);
		if (begins_section(&line)) {
			*text = before;
			break;
		}
		TRY(parse_line(&line, program));
	}
	ASSERT(manifest_program_is_valid(program));
	return STATUS_OK;
}

enum status manifest_program_find(const char *text, size_t bytes, const char *name, struct manifest_program *program)
{
	struct manifest_text at = { .text = text, .bytes = bytes };

	do {
		TRY(manifest_program_next(&at, program));
	} while (!manifest_line_word_is(program->name, name));
	return STATUS_OK;
}

/* Rounded down, without a product that could wrap. */
static uint64_t part_of(uint64_t whole, uint64_t percent)
{
	return whole / PERCENT_MAX * percent + whole % PERCENT_MAX * percent / PERCENT_MAX;
}

uint64_t manifest_program_limit(const struct manifest_program *program, enum ledger_kind ledger, uint64_t unused)
{
	const struct manifest_limit *limit = &program->limit[ledger];

	if (!limit->is_given)
		return part_of(unused, MANIFEST_DEFAULT_PERCENT);
	return limit->is_percent ? part_of(unused, limit->amount) : limit->amount;
}

static bool grant_is_valid(const struct manifest_grant *grant)
{
	enum interface_id interface = INTERFACE_NONE;

	if (!manifest_line_is_word(grant->capability) || grant->capability.length >= CAPSET_NAME_BYTES)
		return false;
	if (!manifest_line_is_word(grant->name) || grant->name.length >= CAPSET_NAME_BYTES)
		return false;
	if (grant->kind == PROCESS_GRANT_OWN)
		return owned_find(grant->capability, &interface) == STATUS_OK && grant->interface == interface;
	return grant->interface == INTERFACE_NONE &&
	       (grant->kind == PROCESS_GRANT_COPY || grant->kind == PROCESS_GRANT_MOVE);
}

static bool lists_are_valid(const struct manifest_program *program)
{
	for (uint32_t i = 0; i < program->grants; i++) {
		if (!grant_is_valid(&program->grant[i]) || has_grant(program, i, program->grant[i].name))
			return false;
	}
	for (uint32_t i = 0; i < program->arguments; i++) {
		if (!manifest_line_is_word(program->argument[i]) || program->argument[i].length >= MANIFEST_NAME_BYTES)
			return false;
	}
	for (uint32_t i = 0; i < program->environments; i++) {
		const struct manifest_word word = program->environment[i];

		if (!manifest_line_is_word(word) || !is_environment(word) || word.length >= MANIFEST_NAME_BYTES)
			return false;
		if (has_environment(program, i, environment_key(word)))
			return false;
	}
	return true;
}

bool manifest_program_is_valid(const struct manifest_program *program)
{
	if (!manifest_line_is_word(program->name) || program->name.length >= MANIFEST_NAME_BYTES)
		return false;
	if (program->grants > MANIFEST_GRANTS || program->arguments > MANIFEST_PROGRAM_ARGUMENTS ||
	    program->environments > MANIFEST_PROGRAM_ENVIRONMENT)
		return false;
	if (program->priority >= THREAD_PRIORITIES || !manifest_layout_is_valid(&program->layout))
		return false;
	for (uint32_t i = 0; i < LEDGER_COUNT; i++) {
		const struct manifest_limit *limit = &program->limit[i];

		if (limit->is_percent && (!limit->is_given || limit->amount > PERCENT_MAX))
			return false;
		if (!limit->is_given && limit->amount != 0)
			return false;
	}
	return lists_are_valid(program);
}
