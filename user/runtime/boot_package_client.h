/*
 * BootPackage: the files that came with the kernel, read-only, by index.
 */
#ifndef CAPOS_USER_RUNTIME_BOOT_PACKAGE_CLIENT_H
#define CAPOS_USER_RUNTIME_BOOT_PACKAGE_CLIENT_H

#include <stdint.h>

#include "abi/boot_package_abi.h"
#include "abi/handle.h"
#include "abi/status.h"

struct boot_package_client {
	handle_t handle;
};

/* NOT_FOUND past the last file. */
enum status boot_package_client_stat(struct boot_package_client client, uint64_t index,
				     struct boot_package_entry *entry);

/* `name` is 0-terminated. NOT_FOUND, TOO_LONG. */
enum status boot_package_client_find(struct boot_package_client client, const char *name, uint64_t *index);

/* Where in a file, and where to. */
struct boot_package_span {
	uint64_t index, offset;
	void *buffer;
	uint64_t bytes;
};

/* *count: bytes read, 0 at the end of the file. NOT_FOUND (index), BUFFER_FAULT. */
enum status boot_package_client_read(struct boot_package_client client, const struct boot_package_span *span,
				     uint64_t *count);

#endif
