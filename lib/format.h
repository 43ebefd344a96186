/*
 * Text from a format string, into a buffer of the caller's.
 *
 * Conversions: %s %c %d %i %u %x %p %%; lengths l, ll, z with d, i, u, x; flags '-' (left-align) and '0' (pad with
 * zeros); width and precision as numbers or '*' (precision: longest part of a string; other conversions ignore it). A
 * null string prints as "(null)". From a directive outside this set on, the rest of the format is copied as it stands,
 * as the arguments can no longer be told apart.
 */
#ifndef CAPOS_LIB_FORMAT_H
#define CAPOS_LIB_FORMAT_H

#include <stdarg.h>
#include <stddef.h>

/*
 * Writes at most `size` bytes, always terminated unless size is 0. Returns the length of the whole text without the
 * terminating 0; the text was cut off if that is `size` or more.
 */
size_t format(char *buffer, size_t size, const char *format, ...) __attribute__((format(printf, 3, 4)));
size_t format_v(char *buffer, size_t size, const char *format, va_list arguments) __attribute__((format(printf, 3, 0)));

#endif
