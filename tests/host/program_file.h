/*
 * A small static program as linkers make it, for tests that spoil a field of it or load it whole.
 */
#ifndef CAPOS_TESTS_HOST_PROGRAM_FILE_H
#define CAPOS_TESTS_HOST_PROGRAM_FILE_H

#include <elf.h>
#include <stdint.h>

#define PROGRAM_FILE_BYTES 0x3000u
#define PROGRAM_LOADS 3u /* the first of the headers */

enum program_header {
	PROGRAM_TEXT,   /* with the headers */
	PROGRAM_RODATA, /* begins and ends within a page */
	PROGRAM_DATA,   /* over two pages, bss behind it */
	PROGRAM_TLS,    /* of an odd size, inside the data */
	PROGRAM_STACK,
	PROGRAM_HEADERS
};

struct program_file {
	Elf64_Ehdr header;
	Elf64_Phdr program[PROGRAM_HEADERS];
	uint8_t rest[PROGRAM_FILE_BYTES - sizeof(Elf64_Ehdr) - PROGRAM_HEADERS * sizeof(Elf64_Phdr)];
};

_Static_assert(sizeof(struct program_file) == PROGRAM_FILE_BYTES, "headers, then all else");

/* No byte of `rest` is 0, as fresh memory is. */
struct program_file program_file_good(void);

#endif
