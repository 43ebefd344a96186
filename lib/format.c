#include "lib/format.h"

#include <stdbool.h>
#include <stdint.h>

#include "lib/string.h"

#define DIGITS_MAX 20u /* of 2^64 - 1 in decimal */

struct output {
	char *buffer;
	size_t size;
	size_t length; /* of the text so far, written or not */
};

/* A copy in a struct can be passed by address, whatever type va_list is. */
struct arguments {
	va_list list;
};

struct directive {
	bool left, zero;
	bool has_precision;
	size_t width, precision;
	unsigned int longs; /* 0: int, 1: long, size_t or pointer, 2: long long */
	char conversion;
};

static void put(struct output *output, char character)
{
	if (output->length < output->size)
		output->buffer[output->length] = character;
	output->length++;
}

static void put_many(struct output *output, char character, size_t count)
{
	for (size_t i = 0; i < count; i++)
		put(output, character);
}

static void put_text(struct output *output, const struct directive *directive, const char *text, size_t length)
{
	const size_t padding = directive->width > length ? directive->width - length : 0;

	if (!directive->left)
		put_many(output, ' ', padding);
	for (size_t i = 0; i < length; i++)
		put(output, text[i]);
	if (directive->left)
		put_many(output, ' ', padding);
}

/* `prefix` is a sign or "0x"; zeros go between it and the digits. */
static void put_number(struct output *output, const struct directive *directive, uint64_t value, unsigned int base,
		       const char *prefix)
{
	char digits[DIGITS_MAX];
	size_t first = DIGITS_MAX;

	do {
		digits[--first] = "0123456789abcdef"[value % base];
		value /= base;
	} while (value != 0);

	const size_t length = string_length(prefix, 2) + (DIGITS_MAX - first);
	const size_t padding = directive->width > length ? directive->width - length : 0;

	if (!directive->left && !directive->zero)
		put_many(output, ' ', padding);
	for (size_t i = 0; prefix[i] != '\0'; i++)
		put(output, prefix[i]);
	if (!directive->left && directive->zero)
		put_many(output, '0', padding);
	for (size_t i = first; i < DIGITS_MAX; i++)
		put(output, digits[i]);
	if (directive->left)
		put_many(output, ' ', padding);
}

static uint64_t take_unsigned(struct arguments *arguments, unsigned int longs)
{
	if (longs == 0)
		return va_arg(arguments->list, unsigned int);
	if (longs == 1)
		return va_arg(arguments->list, unsigned long);
	return va_arg(arguments->list, unsigned long long);
}

static int64_t take_signed(struct arguments *arguments, unsigned int longs)
{
	if (longs == 0)
		return va_arg(arguments->list, int);
	if (longs == 1)
		return va_arg(arguments->list, long);
	return va_arg(arguments->list, long long);
}

static void put_signed(struct output *output, const struct directive *directive, int64_t value)
{
	/* The magnitude of the least number has no signed form: negate unsigned. */
	if (value < 0)
		put_number(output, directive, -(uint64_t)value, 10, "-");
	else
		put_number(output, directive, (uint64_t)value, 10, "");
}

static void put_string(struct output *output, const struct directive *directive, const char *text)
{
	const char *shown = text != 0 ? text : "(null)";

	put_text(output, directive, shown,
		 string_length(shown, directive->has_precision ? directive->precision : SIZE_MAX));
}

/* False for a conversion that is not ours; nothing is taken or put then. */
static bool put_directive(struct output *output, const struct directive *directive, struct arguments *arguments)
{
	switch (directive->conversion) {
	case '%':
		put(output, '%');
		return true;
	case 'c': {
		const char character = (char)va_arg(arguments->list, int);

		put_text(output, directive, &character, 1);
		return true;
	}
	case 's':
		put_string(output, directive, va_arg(arguments->list, const char *));
		return true;
	case 'd':
	case 'i':
		put_signed(output, directive, take_signed(arguments, directive->longs));
		return true;
	case 'u':
		put_number(output, directive, take_unsigned(arguments, directive->longs), 10, "");
		return true;
	case 'x':
		put_number(output, directive, take_unsigned(arguments, directive->longs), 16, "");
		return true;
	case 'p':
		put_number(output, directive, (uintptr_t)va_arg(arguments->list, void *), 16, "0x");
		return true;
	default:
		return false;
	}
}

/* A width or precision at *at, which moves past it. False if there is none; then *value is 0. */
static bool take_count(const char **at, struct arguments *arguments, bool *negative, size_t *value)
{
	const char *start = *at;

	*value = 0;
	if (**at == '*') {
		const int count = va_arg(arguments->list, int);

		*negative = count < 0;
		*value = count < 0 ? -(size_t)count : (size_t)count;
		(*at)++;
		return true;
	}
	for (; **at >= '0' && **at <= '9'; (*at)++)
		*value = *value * 10 + (size_t)(**at - '0');
	return *at != start;
}

/* Reads the directive after a '%'; returns the character after it. */
static const char *take_directive(const char *at, struct arguments *arguments, struct directive *directive)
{
	bool negative = false;

	*directive = (struct directive){ .left = false };
	for (; *at == '-' || *at == '0'; at++) {
		directive->left |= *at == '-';
		directive->zero |= *at == '0';
	}
	(void)take_count(&at, arguments, &negative, &directive->width);
	directive->left |= negative; /* as in C: a negative width left-aligns ... */
	if (*at == '.') {
		at++;
		negative = false;
		(void)take_count(&at, arguments, &negative, &directive->precision);
		directive->has_precision = !negative; /* ... and a negative precision is none */
	}
	if (*at == 'z') {
		directive->longs = 1;
		at++;
	}
	for (; *at == 'l' && directive->longs < 2; at++)
		directive->longs++;
	directive->conversion = *at;
	return *at == '\0' ? at : at + 1;
}

size_t format_v(char *buffer, size_t size, const char *format, va_list arguments)
{
	struct output output = { .buffer = buffer, .size = size };
	struct arguments taken;
	const char *at = format;

	va_copy(taken.list, arguments);
	while (*at != '\0') {
		struct directive directive;

		if (*at != '%') {
			put(&output, *at++);
			continue;
		}

		const char *after = take_directive(at + 1, &taken, &directive);

		if (!put_directive(&output, &directive, &taken))
			break;
		at = after;
	}
	for (; *at != '\0'; at++)
		put(&output, *at);
	va_end(taken.list);
	if (size != 0)
		buffer[output.length < size ? output.length : size - 1] = '\0';
	return output.length;
}

size_t format(char *buffer, size_t size, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);

	const size_t length = format_v(buffer, size, format, arguments);

	va_end(arguments);
	return length;
}
