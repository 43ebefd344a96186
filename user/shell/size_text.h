/* Sizes for people: "12 KiB", "3.4 MiB". */
#ifndef CAPOS_USER_SHELL_SIZE_TEXT_H
#define CAPOS_USER_SHELL_SIZE_TEXT_H

#include <stdint.h>

#define SIZE_TEXT_BYTES 24u

struct size_text {
	char text[SIZE_TEXT_BYTES];
};

struct size_text size_text_of_bytes(uint64_t bytes);
struct size_text size_text_of_pages(uint64_t pages);

#endif
