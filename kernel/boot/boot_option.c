#include "kernel/boot/boot_option.h"

#include <stddef.h>

#include "kernel/arch/x86_64/log.h"
#include "lib/string.h"

static void set_init(struct boot_options *options, const char *name, size_t length)
{
	(void)string_copy_part(options->init, sizeof(options->init), name, length);
	for (char *at = options->init; *at != 0; at++)
		if (*at == '+')
			*at = ' ';
}

static void parse_word(const char *word, size_t length, struct boot_options *options)
{
	if (length > 5 && string_has_prefix(word, "init="))
		set_init(options, word + 5, length - 5);
	else if (length > 9 && string_has_prefix(word, "overflow="))
		(void)string_copy_part(options->overflow, sizeof(options->overflow), word + 9, length - 9);
	else if (string_equal_part("once", word, length))
		options->once = true;
	else if (string_equal_part("selftest", word, length))
		options->selftest = true;
	else if (string_equal_part("check", word, length))
		options->check = true;
	else
		log_line("command line: unknown word \"%.*s\" (known: init=NAME once selftest check overflow=STACK)",
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
