/* Decimal numbers in a program's arguments. */
#ifndef CAPOS_USER_PROTOCOL_NUMBER_TEXT_H
#define CAPOS_USER_PROTOCOL_NUMBER_TEXT_H

#include <stdint.h>

#include "abi/status.h"
#include "lib/check.h"

/* The whole text is the number. BAD_ARGUMENT: it is none. TOO_LONG: it passes 2^64 - 1. */
static inline enum status number_text_parse(const char *text, uint64_t *number)
{
	*number = 0;
	GUARD(*text != '\0', STATUS_BAD_ARGUMENT);
	for (; *text != '\0'; text++) {
		GUARD(*text >= '0' && *text <= '9', STATUS_BAD_ARGUMENT);
		GUARD(!__builtin_mul_overflow(*number, 10, number), STATUS_TOO_LONG);
		GUARD(!__builtin_add_overflow(*number, (uint64_t)(*text - '0'), number), STATUS_TOO_LONG);
	}
	return STATUS_OK;
}

#endif
