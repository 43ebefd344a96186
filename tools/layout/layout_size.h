/* Sizes for people: "8 MiB", "127.9 TiB", "4 KiB". */
#ifndef CAPOS_TOOLS_LAYOUT_SIZE_H
#define CAPOS_TOOLS_LAYOUT_SIZE_H

#include <stdint.h>

void layout_size_text(uint64_t bytes, char *text, uint32_t size);

#endif
