/*
 * Bytes and 0-terminated strings. The mem* functions are the ones that compilers call by themselves; under CAPOS_HOST
 * (host tests) they are the C library's, so that sanitizers see through them.
 */
#ifndef CAPOS_LIB_STRING_H
#define CAPOS_LIB_STRING_H

#include <stdbool.h>
#include <stddef.h>

#ifdef CAPOS_HOST
#include <string.h>
#else
void *memcpy(void *restrict to, const void *restrict from, size_t bytes);
void *memmove(void *to, const void *from, size_t bytes);
void *memset(void *to, int value, size_t bytes);
int memcmp(const void *a, const void *b, size_t bytes);
size_t strlen(const char *text);
#endif

/* Characters before the terminating 0, but at most `limit`; reads no byte past that. */
size_t string_length(const char *text, size_t limit);

bool string_equal(const char *a, const char *b);

/* Whether the `length` characters at `text` (none of them 0) are the whole of `name`. */
bool string_equal_part(const char *name, const char *text, size_t length);

bool string_has_prefix(const char *text, const char *prefix);

/*
 * Copy what fits into `size` bytes and terminate it; false if something was cut off. `size` 0 writes nothing.
 */
bool string_copy(char *to, size_t size, const char *from);

/* The same, from `length` characters (or fewer, up to the first 0) that need no terminator. */
bool string_copy_part(char *to, size_t size, const char *from, size_t length);

#endif
