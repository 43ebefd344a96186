/* The boot package's manifest, read once: what each program is given. lib/manifest_program.h has its language. */
#ifndef CAPOS_USER_SHELL_BOOT_MANIFEST_H
#define CAPOS_USER_SHELL_BOOT_MANIFEST_H

#include <stdbool.h>

#include "abi/status.h"
#include "lib/manifest_program.h"
#include "user/runtime/boot_package_client.h"

/* Says what is wrong with it; then no program has a section. */
void boot_manifest_read(struct boot_package_client package);

/* NOT_FOUND: no section of that name. */
enum status boot_manifest_find(const char *name, struct manifest_program *program);

/* The sections one after the other, from `at` all 0 on. NOT_FOUND past the last. */
enum status boot_manifest_next(struct manifest_text *at, struct manifest_program *program);

#endif
