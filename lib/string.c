#include "lib/string.h"

#include <stdint.h>

size_t string_length(const char *text, size_t limit)
{
	size_t length = 0;

	while (length < limit && text[length] != '\0')
		length++;
	return length;
}

bool string_equal(const char *a, const char *b)
{
	size_t i = 0;

	while (a[i] == b[i] && a[i] != '\0')
		i++;
	return a[i] == b[i];
}

bool string_equal_part(const char *name, const char *text, size_t length)
{
	size_t i = 0;

	while (i < length && name[i] == text[i] && name[i] != '\0')
		i++;
	return i == length && name[i] == '\0';
}

bool string_has_prefix(const char *text, const char *prefix)
{
	size_t i = 0;

	while (prefix[i] != '\0' && text[i] == prefix[i])
		i++;
	return prefix[i] == '\0';
}

bool string_copy(char *to, size_t size, const char *from)
{
	return string_copy_part(to, size, from, SIZE_MAX);
}

bool string_copy_part(char *to, size_t size, const char *from, size_t length)
{
	size_t i = 0;

	if (size == 0)
		return length == 0 || from[0] == '\0';
	while (i < size - 1 && i < length && from[i] != '\0') {
		to[i] = from[i];
		i++;
	}
	to[i] = '\0';
	return i == length || from[i] == '\0';
}
