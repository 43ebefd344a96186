/* Multiboot2 boot information (Multiboot2 specification 2.0, section 3.6). */
#include <stdbool.h>
#include <stddef.h>

#include "boot/shim/boot_source.h"
#include "boot/shim/report.h"
#include "lib/string.h"

#define BOOT_MAGIC 0x36d76289u

enum tag_type {
	TAG_END = 0,
	TAG_COMMAND_LINE = 1,
	TAG_MODULE = 3,
	TAG_MEMORY_MAP = 6,
	TAG_EFI32 = 11,
	TAG_EFI64 = 12,
	TAG_RSDP_1 = 14,
	TAG_RSDP_2 = 15,
};

struct tag {
	uint32_t type;
	uint32_t size; /* with this header, without the padding to 8 bytes */
};

struct module_tag {
	struct tag tag;
	uint32_t start, end;
	char string[];
};

struct memory_map_tag {
	struct tag tag;
	uint32_t entry_size, entry_version;
	uint8_t entries[];
};

struct memory_entry {
	uint64_t base, length;
	uint32_t type, reserved;
};

/* The rest of `string` after the word and its blanks, through *rest; false if it begins with another word. */
static bool first_word_is(const char *string, const char *word, const char **rest)
{
	for (; *word != '\0'; word++, string++) {
		if (*string != *word)
			return false;
	}
	if (*string != '\0' && *string != ' ')
		return false;
	while (*string == ' ')
		string++;
	*rest = string;
	return true;
}

static void read_module(const struct module_tag *module, struct boot_source *source)
{
	const char *rest;
	struct byte_span *span;
	if (first_word_is(module->string, "kernel", &rest)) {
		span = &source->kernel;
		boot_source_add_words(source, rest);
	} else if (first_word_is(module->string, "package", &rest)) {
		span = &source->package;
	} else {
		report_refuse("a module's string begins neither with \"kernel\" nor with \"package\"");
	}
	if (span->size != 0)
		report_refuse("two modules of one kind");
	if (module->end <= module->start)
		report_refuse("an empty module");
	span->bytes = (const uint8_t *)(uintptr_t)module->start;
	span->size = module->end - module->start;
}

static void read_memory_map(const struct memory_map_tag *map, struct boot_source *source)
{
	if (map->entry_size < sizeof(struct memory_entry))
		report_refuse("multiboot2 memory map entries are too small");
	const uint8_t *end = (const uint8_t *)map + map->tag.size;
	for (const uint8_t *at = map->entries; (size_t)(end - at) >= map->entry_size; at += map->entry_size) {
		struct memory_entry entry;
		memcpy(&entry, at, sizeof(entry));
		boot_source_add_memory(source, entry.base, entry.length, entry.type);
	}
}

static void read_tag(const struct tag *tag, struct boot_source *source)
{
	const uint8_t *body = (const uint8_t *)(tag + 1);
	switch (tag->type) {
	case TAG_COMMAND_LINE:
		boot_source_add_words(source, (const char *)body);
		break;
	case TAG_MODULE:
		read_module((const struct module_tag *)tag, source);
		break;
	case TAG_MEMORY_MAP:
		read_memory_map((const struct memory_map_tag *)tag, source);
		break;
	case TAG_EFI32:
		source->firmware = FIRMWARE_EFI32;
		break;
	case TAG_EFI64:
		source->firmware = FIRMWARE_EFI64;
		break;
	case TAG_RSDP_1:
		if (source->rsdp_bytes == 0)
			boot_source_set_rsdp(source, body);
		break;
	case TAG_RSDP_2:
		boot_source_set_rsdp(source, body);
		break;
	}
}

void multiboot2_read(uint32_t magic, uint32_t information, struct boot_source *source)
{
	if (magic != BOOT_MAGIC)
		report_refuse("not entered by a multiboot2 loader");
	const uint8_t *base = (const uint8_t *)(uintptr_t)information;
	uint32_t total;
	memcpy(&total, base, sizeof(total));
	for (uint32_t offset = 8; offset + sizeof(struct tag) <= total;) {
		const struct tag *tag = (const struct tag *)(const void *)(base + offset);
		if (tag->type == TAG_END)
			return;
		if (tag->size < sizeof(*tag) || tag->size > total - offset)
			break;
		read_tag(tag, source);
		offset += (tag->size + 7u) & ~7u;
	}
	report_refuse("the multiboot2 information has no end tag");
}
