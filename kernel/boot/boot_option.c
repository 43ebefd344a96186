#include "kernel/boot/boot_option.h"

#include <stddef.h>

#include "kernel/arch/x86_64/log.h"
#include "lib/manifest_line.h"
#include "lib/string.h"

/* Whether the word is the prefix with a value behind it that fits: no part of one is obeyed. */
static bool take_value(const char *word, size_t length, const char *prefix, char *value, size_t size)
{
	size_t skip = strlen(prefix);

	return length > skip && length - skip < size && string_has_prefix(word, prefix) &&
	       string_copy_part(value, size, word + skip, length - skip);
}

/* Whether the word is the prefix with a number behind it. */
static bool take_number(const char *word, size_t length, const char *prefix, uint64_t *number)
{
	const size_t skip = strlen(prefix);

	return length > skip && string_has_prefix(word, prefix) &&
	       manifest_line_number((struct manifest_word){ word + skip, length - skip }, number) == STATUS_OK;
}

/* In other kernels the word is unknown. */
#ifdef CAPOS_FAULTS
static bool take_shortage(const char *word, size_t length, struct boot_options *options)
{
	return take_number(word, length, "shortage=", &options->shortage);
}
#else
static bool take_shortage(const char *word, size_t length, const struct boot_options *options)
{
	(void)word;
	(void)length;
	(void)options;
	return false;
}
#endif

#ifdef CAPOS_DEBUG
static bool take_watch(const char *word, size_t length, struct boot_options *options)
{
	if (!string_equal_part("paranoid", word, length))
		return take_number(word, length, "limits=", &options->limit_us) ||
		       take_value(word, length, "fault=", options->fault, sizeof(options->fault));
	options->paranoid = true;
	return true;
}
#else
static bool take_watch(const char *word, size_t length, const struct boot_options *options)
{
	(void)word;
	(void)length;
	(void)options;
	return false;
}
#endif

static void parse_word(const char *word, size_t length, struct boot_options *options)
{
	if (take_value(word, length, "init=", options->init, sizeof(options->init)))
		for (char *at = options->init; *at != 0; at++)
			*at = *at == '+' ? ' ' : *at;
	else if (take_value(word, length, "overflow=", options->overflow, sizeof(options->overflow)))
		return;
	else if (take_number(word, length, "seed=", &options->seed))
		options->has_seed = true;
	else if (take_shortage(word, length, options) || take_watch(word, length, options))
		return;
	else if (string_equal_part("once", word, length))
		options->once = true;
	else if (string_equal_part("selftest", word, length))
		options->selftest = true;
	else if (string_equal_part("protection", word, length))
		options->protection = true;
	else if (string_equal_part("console=polled", word, length))
		options->console_polled = true;
	else if (string_equal_part("check", word, length))
		options->check = true;
	else
		log_line("command line: unknown or too long: \"%.*s\" (known: init=NAME once selftest "
			 "protection check overflow=STACK seed=NUMBER console=polled)",
			 (int)length, word);
}

void boot_option_parse(const char *command_line, struct boot_options *options)
{
	const char *at = command_line;

	*options = (struct boot_options){ 0 };
#ifdef CAPOS_DEBUG
	options->check = true;
#endif
	for (;;) {
		const char *word;

		while (*at == ' ')
			at++;
		if (*at == 0)
			return;
		word = at;
		while (*at != 0 && *at != ' ')
			at++;
		parse_word(word, (size_t)(at - word), options);
	}
}
