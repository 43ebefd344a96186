/*
 * The boot package as the kernel sees it: the archive, checked once, and its manifest. Read-only for ever.
 */
#ifndef CAPOS_KERNEL_TASK_BOOT_PACKAGE_H
#define CAPOS_KERNEL_TASK_BOOT_PACKAGE_H

#include "abi/status.h"
#include "kernel/boot/boot_info.h"
#include "lib/archive.h"
#include "lib/manifest.h"

/*
 * Parse archive and manifest; logs the place of what is wrong. STATUS_ARCHIVE_*, STATUS_MANIFEST_*. Once, after
 * paging_init.
 */
enum status boot_package_open(const struct boot_info *info);

const struct archive *boot_package_archive(void);
const struct manifest *boot_package_manifest(void);

#endif
