#include "kernel/task/boot_package.h"

#include "kernel/arch/x86_64/log.h"
#include "kernel/mem/direct_map.h"
#include "lib/check.h"
#include "lib/status.h"

static struct archive archive;
static struct manifest manifest;

static enum status open_manifest(void)
{
	uint32_t line = 0;
	uint32_t index;
	enum status status = archive_find(&archive, "manifest", &index);

	if (status != STATUS_OK) {
		log_line("boot package: no file named manifest");
		return status;
	}
	status = manifest_parse((const char *)archive.file[index].data, archive.file[index].size, &manifest, &line);
	if (status != STATUS_OK)
		log_line("boot package: manifest line %u: %s", line, status_name(status));
	return status;
}

enum status boot_package_open(const struct boot_info *info)
{
	const void *bytes = direct_map_of_paddr(info->package);
	size_t failed_at = 0;
	enum status status = archive_parse(bytes, info->package_bytes, &archive, &failed_at);

	if (status != STATUS_OK) {
		log_line("boot package: at byte %zu: %s", failed_at, status_name(status));
		return status;
	}
	TRY(open_manifest());
	log_line("boot package: %u files, %llu KiB, init %s", archive.count,
		 (unsigned long long)(info->package_bytes >> 10), manifest.init);
	return STATUS_OK;
}

const struct archive *boot_package_archive(void)
{
	return &archive;
}

const struct manifest *boot_package_manifest(void)
{
	return &manifest;
}
