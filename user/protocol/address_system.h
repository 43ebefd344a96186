/*
 * What address-print (user/demos/address-print) asks of the system that it runs on: capOS, in address_system.c there,
 * or the Linux of the host, in tests/layout/address_linux.c. What only one of them can say is a line of its own.
 */
#ifndef CAPOS_USER_PROTOCOL_ADDRESS_SYSTEM_H
#define CAPOS_USER_PROTOCOL_ADDRESS_SYSTEM_H

#include <stdbool.h>
#include <stdint.h>

/* A line of output, without its end. Takes no page and moves no break. */
void address_system_say(const char *line);

/* Find what the others below need; false if it is not there. */
bool address_system_begin(void);

/* Where the heap starts, whoever has moved the break since. */
bool address_system_heap(uint64_t *start);

/* Move the break; 0 only asks. */
bool address_system_break(uint64_t to, uint64_t *now);

/* One page, without a hint. */
bool address_system_map(uint64_t *address);

/* "map START END NAME" for all that is mapped, as the system names it. */
bool address_system_list(void);

/* Try what must be refused, "edge NAME ANSWER" a line. False where the system has nothing of the kind. */
bool address_system_edges(void);

#endif
