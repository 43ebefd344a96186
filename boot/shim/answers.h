/*
 * The loader's half of the Limine protocol (base revision 2): an answer for each request that this loader knows. Every
 * byte of an answer lies in an arena of loader-reclaimable memory; requests that it does not know stay as they were.
 */
#ifndef CAPOS_SHIM_ANSWERS_H
#define CAPOS_SHIM_ANSWERS_H

#include <stdint.h>

#include "boot/shim/boot_source.h"
#include "boot/shim/requests.h"

#define ANSWERS_MIN_STACK_BYTES 65536u

/* Everything there is to tell. Pointers are direct-map addresses where the kernel may follow them. */
struct boot_facts {
	uint64_t direct_map;
	uint64_t image_physical, image_virtual;
	struct byte_span kernel_file, package;
	const struct memory_map *map;
	const struct boot_source *source;
};

struct answers {
	const struct boot_facts *facts;
	const struct requests *requests;
	uint8_t *arena, *arena_end; /* the unused rest */
	uint64_t entry;             /* the ELF entry, unless the kernel asks for another */
};

/* Stack that the kernel asks for, at least ANSWERS_MIN_STACK_BYTES, whole pages. */
uint64_t answers_stack_bytes(const struct requests *requests);

/* Zeroed, on a 16-byte boundary. Refuses to boot when the arena is full. */
void *answers_allocate(struct answers *answers, uint64_t bytes);

/* Answer all requests and the base revision tag. */
void answers_write(struct answers *answers);

#endif
