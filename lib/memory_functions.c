/*
 * The five functions that gcc and clang call on their own in freestanding code. String instructions copy and fill: no
 * compiler can turn them back into a call of the very function that they implement. Where a loop stands instead,
 * KEEP_LOOP stops that recognition. The direction flag is clear on entry (System V ABI for x86-64, section 3.2.1) and
 * is never set, as a trap would inherit it.
 */
#ifndef CAPOS_HOST

#include "lib/string.h"

#include <stdint.h>

#define WORD 8u
#define KEEP_LOOP() __asm__ volatile("" ::: "memory")

static void copy_upwards(void *to, const void *from, size_t bytes)
{
	size_t words = bytes / WORD;
	size_t rest = bytes % WORD;

	__asm__ volatile("rep movsq" : "+D"(to), "+S"(from), "+c"(words) : : "memory");
	__asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(rest) : : "memory");
}

static void copy_downwards(uint8_t *to, const uint8_t *from, size_t bytes)
{
	while (bytes > 0) {
		bytes--;
		to[bytes] = from[bytes];
		KEEP_LOOP();
	}
}

void *memcpy(void *restrict to, const void *restrict from, size_t bytes)
{
	copy_upwards(to, from, bytes);
	return to;
}

void *memmove(void *to, const void *from, size_t bytes)
{
	/* Upwards is wrong only if `to` lies inside [from, from + bytes). */
	if ((uintptr_t)to - (uintptr_t)from >= bytes)
		copy_upwards(to, from, bytes);
	else
		copy_downwards(to, from, bytes);
	return to;
}

void *memset(void *to, int value, size_t bytes)
{
	const uint64_t pattern = (uint8_t)value * UINT64_C(0x0101010101010101);
	void *at = to;
	size_t words = bytes / WORD;
	size_t rest = bytes % WORD;

	__asm__ volatile("rep stosq" : "+D"(at), "+c"(words) : "a"(pattern) : "memory");
	__asm__ volatile("rep stosb" : "+D"(at), "+c"(rest) : "a"(pattern) : "memory");
	return to;
}

int memcmp(const void *a, const void *b, size_t bytes)
{
	const uint8_t *left = a;
	const uint8_t *right = b;

	for (size_t i = 0; i < bytes; i++) {
		if (left[i] != right[i])
			return left[i] < right[i] ? -1 : 1;
		KEEP_LOOP();
	}
	return 0;
}

size_t strlen(const char *text)
{
	size_t length = 0;

	while (text[length] != '\0') {
		length++;
		KEEP_LOOP();
	}
	return length;
}

#endif
