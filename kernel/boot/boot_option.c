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

static bool take_seed(const char *word, size_t length, struct boot_options *options)
{
	static const char prefix[] = "seed=";
	const size_t skip = sizeof(prefix) - 1;

	if (length <= skip || !string_has_prefix(word, prefix))
		return false;
	if (manifest_line_number((struct manifest_word){ word + skip, length - skip }, &options->seed) != STATUS_OK)
		return false;
	options->has_seed = true;
	return true;
}

static void parse_word(const char *word, size_t length, struct boot_options *options)
{
	if (take_value(word, length, "init=", options->init, sizeof(options->init)))
		for (char *at = options->init; *at != 0; at++)
			*at = *at == '+' ? ' ' : *at;
	else if (take_value(word, length, "overflow=", options->overflow, sizeof(options->overflow)))
		return;
	else if (take_seed(word, length, options))
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
