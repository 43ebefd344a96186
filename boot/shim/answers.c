#include "boot/shim/answers.h"

#include <stdbool.h>
#include <stddef.h>

#include "boot/shim/report.h"
#include "lib/check.h"
#include "lib/string.h"

#define LOADER_NAME "capos-shim"
#define LOADER_VERSION "1"
#define BASE_REVISION 2u
#define MAX_STACK_BYTES (UINT64_C(16) << 20)

#define ENTRY_POINT_ID UINT64_C(0x13d86c035a1cd3e1), UINT64_C(0x2b0caa89d8f3026a)
#define STACK_SIZE_ID UINT64_C(0x224ef0460a8e8926), UINT64_C(0xe1cb0fc25f46ea3d)

struct info_response {
	uint64_t revision;
	const char *name, *version;
};

/* One number after the revision: firmware type, direct-map offset, paging mode, RSDP, or a string's address. */
struct word_response {
	uint64_t revision;
	uint64_t value;
};

struct list_response {
	uint64_t revision;
	uint64_t count;
	void **entries;
};

struct address_response {
	uint64_t revision;
	uint64_t physical, virtual;
};

struct map_entry {
	uint64_t base, length, type;
};

struct file {
	uint64_t revision;
	const uint8_t *address;
	uint64_t size;
	const char *path, *string;
	uint32_t media_type, unused;
	uint32_t tftp_ip, tftp_port, partition, mbr_disk_id;
	uint8_t uuids[3][16];
};

struct file_response {
	uint64_t revision;
	const struct file *file;
};

_Static_assert(sizeof(struct file) == 112, "size of a Limine file");

static const uint8_t type_of_kind[] = {
	[MEMORY_USABLE] = 0,      [MEMORY_LOADER_RECLAIMABLE] = 5, [MEMORY_BOOT_PACKAGE] = 6, [MEMORY_KERNEL_IMAGE] = 6,
	[MEMORY_RESERVED] = 1,    [MEMORY_ACPI_RECLAIMABLE] = 2,   [MEMORY_ACPI_NVS] = 3,     [MEMORY_BAD] = 4,
	[MEMORY_FRAMEBUFFER] = 7,
};
_Static_assert(COUNT_OF(type_of_kind) == MEMORY_KIND_COUNT, "a Limine type for each kind");

void *answers_allocate(struct answers *answers, uint64_t bytes)
{
	uint64_t rounded = (bytes + 15) & ~UINT64_C(15);
	if (rounded > (uint64_t)(answers->arena_end - answers->arena))
		report_refuse("out of memory for answers");
	void *block = answers->arena;
	answers->arena += rounded;
	memset(block, 0, rounded);
	return block;
}

static const char *copy_string(struct answers *answers, const char *string)
{
	size_t bytes = strlen(string) + 1;
	char *copy = answers_allocate(answers, bytes);
	memcpy(copy, string, bytes);
	return copy;
}

static void *word_answer(struct answers *answers, uint64_t value)
{
	struct word_response *response = answers_allocate(answers, sizeof(*response));
	response->value = value;
	return response;
}

/* An answer for one request; false leaves the request as it was. */
typedef bool (*answer_function)(struct answers *answers, const uint64_t *request, void **response);

static bool answer_info(struct answers *answers, const uint64_t *request, void **response)
{
	(void)request;
	struct info_response *info = answers_allocate(answers, sizeof(*info));
	info->name = copy_string(answers, LOADER_NAME);
	info->version = copy_string(answers, LOADER_VERSION);
	*response = info;
	return true;
}

static bool answer_firmware(struct answers *answers, const uint64_t *request, void **response)
{
	(void)request;
	*response = word_answer(answers, (uint64_t)answers->facts->source->firmware);
	return true;
}

/* The stack itself was made before, of answers_stack_bytes(). The answer is its own presence. */
static bool answer_stack_size(struct answers *answers, const uint64_t *request, void **response)
{
	(void)request;
	*response = answers_allocate(answers, sizeof(uint64_t));
	return true;
}

static bool answer_direct_map(struct answers *answers, const uint64_t *request, void **response)
{
	(void)request;
	*response = word_answer(answers, answers->facts->direct_map);
	return true;
}

/* Always four levels (mode 0). From request revision 1 on the third extra word is the least mode the kernel can use. */
static bool answer_paging_mode(struct answers *answers, const uint64_t *request, void **response)
{
	if (request[REQUEST_REVISION] >= 1 && requests_extra(answers->requests, request, 2) > 0)
		report_refuse("the kernel wants five-level paging");
	*response = word_answer(answers, 0);
	return true;
}

/*
 * One more entry than there is memory to tell of: it lies unaligned within a reserved one, since the protocol lets all
 * entries but usable and reclaimable ones be unaligned and overlap.
 */
static bool answer_memory_map(struct answers *answers, const uint64_t *request, void **response)
{
	(void)request;
	const struct memory_map *map = answers->facts->map;
	struct list_response *list = answers_allocate(answers, sizeof(*list));
	list->entries = answers_allocate(answers, (map->count + 1) * sizeof(void *));
	bool overlapped = false;
	for (uint32_t i = 0; i < map->count; i++) {
		struct map_entry *entry = answers_allocate(answers, sizeof(*entry));
		entry->base = paddr_to_u64(paddr_from_frame(map->entry[i].frames.start));
		entry->length = frame_range_count(map->entry[i].frames) << PAGE_SHIFT;
		entry->type = type_of_kind[map->entry[i].kind];
		list->entries[list->count++] = entry;
		if (map->entry[i].kind == MEMORY_RESERVED && entry->length > PAGE_SIZE && !overlapped) {
			struct map_entry *inner = answers_allocate(answers, sizeof(*inner));
			inner->base = entry->base + 0x123;
			inner->length = entry->length - 0x456;
			inner->type = type_of_kind[MEMORY_ACPI_RECLAIMABLE];
			list->entries[list->count++] = inner;
			overlapped = true;
		}
	}
	*response = list;
	return true;
}

static bool answer_entry_point(struct answers *answers, const uint64_t *request, void **response)
{
	answers->entry = requests_extra(answers->requests, request, 0);
	*response = answers_allocate(answers, sizeof(uint64_t));
	return true;
}

static struct file *make_file(struct answers *answers, struct byte_span span, const char *path, const char *string)
{
	struct file *file = answers_allocate(answers, sizeof(*file));
	file->address = span.bytes;
	file->size = span.size;
	file->path = copy_string(answers, path);
	file->string = copy_string(answers, string);
	return file;
}

static bool answer_executable_file(struct answers *answers, const uint64_t *request, void **response)
{
	(void)request;
	struct file_response *answer = answers_allocate(answers, sizeof(*answer));
	const struct boot_facts *facts = answers->facts;
	answer->file = make_file(answers, facts->kernel_file, "/boot/kernel.elf", facts->source->command_line);
	*response = answer;
	return true;
}

static bool answer_command_line(struct answers *answers, const uint64_t *request, void **response)
{
	(void)request;
	const char *line = copy_string(answers, answers->facts->source->command_line);
	*response = word_answer(answers, (uintptr_t)line);
	return true;
}

static bool answer_modules(struct answers *answers, const uint64_t *request, void **response)
{
	if (request[REQUEST_REVISION] >= 1 && requests_extra(answers->requests, request, 0) > 0)
		report_refuse("the kernel asks for modules by name, which this loader cannot find");
	struct list_response *list = answers_allocate(answers, sizeof(*list));
	list->count = 1;
	list->entries = answers_allocate(answers, sizeof(void *));
	list->entries[0] = make_file(answers, answers->facts->package, "/boot/boot.cpio", "package");
	*response = list;
	return true;
}

static bool answer_rsdp(struct answers *answers, const uint64_t *request, void **response)
{
	(void)request;
	const struct boot_source *source = answers->facts->source;
	if (source->rsdp_bytes == 0)
		return false;
	void *copy = answers_allocate(answers, source->rsdp_bytes);
	memcpy(copy, source->rsdp, source->rsdp_bytes);
	*response = word_answer(answers, (uintptr_t)copy);
	return true;
}

static bool answer_executable_address(struct answers *answers, const uint64_t *request, void **response)
{
	(void)request;
	struct address_response *address = answers_allocate(answers, sizeof(*address));
	address->physical = answers->facts->image_physical;
	address->virtual = answers->facts->image_virtual;
	*response = address;
	return true;
}

static const struct {
	uint64_t id[2];
	answer_function answer;
} known[] = {
	{ { UINT64_C(0xf55038d8e2a1202f), UINT64_C(0x279426fcf5f59740) }, answer_info },
	{ { UINT64_C(0x8c2f75d90bef28a8), UINT64_C(0x7045a4688eac00c3) }, answer_firmware },
	{ { STACK_SIZE_ID }, answer_stack_size },
	{ { UINT64_C(0x48dcf1cb8ad2b852), UINT64_C(0x63984e959a98244b) }, answer_direct_map },
	{ { UINT64_C(0x95c1a0edab0944cb), UINT64_C(0xa4e5cb3842f7488a) }, answer_paging_mode },
	{ { UINT64_C(0x67cf3d9d378a806f), UINT64_C(0xe304acdfc50c3c62) }, answer_memory_map },
	{ { ENTRY_POINT_ID }, answer_entry_point },
	{ { UINT64_C(0xad97e90e83f1ed67), UINT64_C(0x31eb5d1c5ff23b69) }, answer_executable_file },
	{ { UINT64_C(0x4b161536e598651e), UINT64_C(0xb390ad4a2f1f303a) }, answer_command_line },
	{ { UINT64_C(0x3e7e279702be32af), UINT64_C(0xca1c4f3bd1280cee) }, answer_modules },
	{ { UINT64_C(0xc5e77b6b397e7b43), UINT64_C(0x27637845accdcf3c) }, answer_rsdp },
	{ { UINT64_C(0x71ba76863cc55f63), UINT64_C(0xb2644a48c516a487) }, answer_executable_address },
};

uint64_t answers_stack_bytes(const struct requests *requests)
{
	static const uint64_t id[2] = { STACK_SIZE_ID };
	uint64_t *request;
	if (!requests_find(requests, id, &request))
		return ANSWERS_MIN_STACK_BYTES;
	uint64_t bytes = requests_extra(requests, request, 0);
	if (bytes > MAX_STACK_BYTES)
		report_refuse("the kernel asks for a stack of more than 16 MiB");
	if (bytes < ANSWERS_MIN_STACK_BYTES)
		return ANSWERS_MIN_STACK_BYTES;
	return (bytes + PAGE_SIZE - 1) & ~(uint64_t)(PAGE_SIZE - 1);
}

/* A tag that asks for another revision stays as it is: the kernel finds out and stops. */
static void answer_base_revision(uint64_t *tag)
{
	if (tag[2] == BASE_REVISION)
		tag[2] = 0;
}

void answers_write(struct answers *answers)
{
	for (size_t i = 0; i < COUNT_OF(known); i++) {
		uint64_t *request;
		void *response;
		if (!requests_find(answers->requests, known[i].id, &request))
			continue;
		if (known[i].answer(answers, request, &response))
			request[REQUEST_RESPONSE] = (uintptr_t)response;
	}
	answer_base_revision(answers->requests->base_revision);
}
