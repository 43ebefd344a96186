/* Interfaces for people. */
#ifndef CAPOS_USER_SHELL_INTERFACE_TEXT_H
#define CAPOS_USER_SHELL_INTERFACE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi/interface.h"

/* "MemoryObject"; "unknown" for other numbers. */
const char *interface_text_name(uint32_t interface);

/* What follows the @ in `with`: "memory" for a MemoryObject. False: there is none of that name. */
bool interface_text_find(const char *text, size_t length, enum interface_id *interface);

#endif
