/*
 * The Limine boot protocol, base revision 2, as far as the kernel uses it: what it asks for, and the answers' layout.
 * All answers are written by the loader before the kernel runs; who reads them treats every word as a claim.
 */
#ifndef CAPOS_KERNEL_ARCH_X86_64_BOOT_LIMINE_H
#define CAPOS_KERNEL_ARCH_X86_64_BOOT_LIMINE_H

#include <stdint.h>

#define LIMINE_BASE_REVISION 2u
#define LIMINE_ENTROPY_WORDS 4u

/* A loader address: in the loader's direct map or, from some loaders for some answers, physical. 0: no answer. */
typedef uint64_t limine_address_t;

struct limine_request {
	uint64_t id[4];
	uint64_t revision;
	limine_address_t response;
};

/*
 * All requests between the two markers that bound the loader's search. A loader that knows the base revision sets
 * base_revision[2] to 0.
 */
struct limine_requests {
	uint64_t start_marker[4];
	uint64_t base_revision[3];
	struct limine_request direct_map;
	struct limine_request memory_map;
	struct limine_request image_address;
	struct limine_request modules;
	struct limine_request rsdp;
	struct limine_request loader;
	struct limine_request command_line;
	struct limine_request image_file;
	struct limine_request entropy;
	uint64_t entropy_words; /* belongs to the request before it: how many it asks for */
	uint64_t end_marker[2];
};

/* Volatile: the loader writes it behind the compiler's back. */
extern volatile struct limine_requests boot_limine_requests;

/* Every response begins with its revision; revisions only add fields at the end. */

struct limine_direct_map {
	uint64_t revision;
	uint64_t offset; /* virtual address of physical 0 */
};

struct limine_memory_map {
	uint64_t revision;
	uint64_t count;
	limine_address_t entries; /* of an array of addresses of entries */
};

enum limine_memory_type {
	LIMINE_MEMORY_USABLE = 0,
	LIMINE_MEMORY_RESERVED = 1,
	LIMINE_MEMORY_ACPI_RECLAIMABLE = 2,
	LIMINE_MEMORY_ACPI_NVS = 3,
	LIMINE_MEMORY_BAD = 4,
	LIMINE_MEMORY_LOADER_RECLAIMABLE = 5,
	LIMINE_MEMORY_IMAGE_AND_MODULES = 6,
	LIMINE_MEMORY_FRAMEBUFFER = 7,
	LIMINE_MEMORY_RESERVED_MAPPED = 8,
};

struct limine_memory_entry {
	uint64_t base;
	uint64_t length;
	uint64_t type; /* enum limine_memory_type, or one that is not known yet */
};

struct limine_image_address {
	uint64_t revision;
	uint64_t physical_base;
	uint64_t virtual_base;
};

struct limine_modules {
	uint64_t revision;
	uint64_t count;
	limine_address_t files; /* of an array of addresses of files */
};

struct limine_file {
	uint64_t revision;
	limine_address_t address;
	uint64_t bytes;
	limine_address_t path;
	limine_address_t string;
};

/* Response to both the RSDP and the command-line request. */
struct limine_one_address {
	uint64_t revision;
	limine_address_t address;
};

struct limine_entropy {
	uint64_t revision;
	uint64_t count;
	limine_address_t words; /* of an array of them */
};

struct limine_loader {
	uint64_t revision;
	limine_address_t name;
	limine_address_t version;
};

_Static_assert(sizeof(struct limine_request) == 48, "the loader's layout");
_Static_assert(sizeof(struct limine_memory_entry) == 24, "the loader's layout");
_Static_assert(sizeof(struct limine_file) == 40, "the loader's layout, up to the media fields");

#endif
