/* BootPackage: the files that came with the kernel, read-only. */
#ifndef CAPOS_ABI_BOOT_PACKAGE_ABI_H
#define CAPOS_ABI_BOOT_PACKAGE_ABI_H

#include <stdint.h>

#define BOOT_PACKAGE_NAME_BYTES 64u

enum boot_package_operation {
	BOOT_PACKAGE_STAT = 0, /* (index, buffer, bytes): struct boot_package_entry; NOT_FOUND past the last */
	BOOT_PACKAGE_FIND = 1, /* (name, name bytes) -> index */
	BOOT_PACKAGE_READ = 2, /* (index, offset, buffer, bytes) -> bytes read; 0 at the end */
	BOOT_PACKAGE_OPERATION_COUNT
};

struct boot_package_entry {
	char name[BOOT_PACKAGE_NAME_BYTES];
	uint64_t size;
};

_Static_assert(sizeof(struct boot_package_entry) == 72, "layout");

#endif
