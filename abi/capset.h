/*
 * The CapSet page at CAPSET_ADDRESS: the capabilities that a process starts with, by name. Read-only, not executable.
 */
#ifndef CAPOS_ABI_CAPSET_H
#define CAPOS_ABI_CAPSET_H

#include <stdint.h>

#include "abi/handle.h"

#define CAPSET_MAGIC UINT32_C(0x53504143) /* "CAPS" */
#define CAPSET_VERSION 1u
#define CAPSET_NAME_BYTES 32u /* with the terminating 0 */
#define CAPSET_MAX 63u

struct capset_entry {
	char name[CAPSET_NAME_BYTES];
	handle_t capability;
	uint32_t interface;
	uint64_t unused[3];
};

struct capset_page {
	uint32_t magic;
	uint32_t version;
	uint32_t count;
	uint32_t entry_bytes;
	uint64_t process_id;
	uint64_t unused[5];
	struct capset_entry entry[CAPSET_MAX];
};

_Static_assert(sizeof(struct capset_entry) == 64, "entry layout");
_Static_assert(sizeof(struct capset_page) == 4096, "the CapSet is one page");

#endif
