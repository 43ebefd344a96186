#include "lib/elf_plan.h"

#include <elf.h>

#include "lib/check.h"

#define MAX_PROGRAM_HEADERS 64u /* linkers write about a dozen */

/* The copies of the headers that the plan is made of, and what the program headers say beside the plan itself. */
struct elf_scan {
	uint64_t file_size;
	Elf64_Ehdr header;
	Elf64_Phdr tls;
	bool has_tls;
	bool entry_is_executable;
};

static bool is_within(uint64_t offset, uint64_t bytes, uint64_t size)
{
	return offset <= size && bytes <= size - offset;
}

static enum status source_read(const struct elf_source *source, uint64_t offset, void *to, uint64_t bytes)
{
	GUARD(is_within(offset, bytes, source->size), STATUS_ELF_TRUNCATED);
	return source->read(source->context, offset, bytes, to);
}

static enum status header_check(const Elf64_Ehdr *header, uint64_t file_size)
{
	GUARD(header->e_ident[EI_MAG0] == ELFMAG0, STATUS_ELF_BAD_MAGIC);
	GUARD(header->e_ident[EI_MAG1] == ELFMAG1, STATUS_ELF_BAD_MAGIC);
	GUARD(header->e_ident[EI_MAG2] == ELFMAG2, STATUS_ELF_BAD_MAGIC);
	GUARD(header->e_ident[EI_MAG3] == ELFMAG3, STATUS_ELF_BAD_MAGIC);
	GUARD(header->e_ident[EI_CLASS] == ELFCLASS64, STATUS_ELF_NOT_64_BIT);
	GUARD(header->e_ident[EI_DATA] == ELFDATA2LSB, STATUS_ELF_NOT_LITTLE_ENDIAN);
	GUARD(header->e_ident[EI_VERSION] == EV_CURRENT, STATUS_ELF_BAD_VERSION);
	GUARD(header->e_version == EV_CURRENT, STATUS_ELF_BAD_VERSION);
	GUARD(header->e_type == ET_EXEC || header->e_type == ET_DYN, STATUS_ELF_NOT_EXECUTABLE);
	GUARD(header->e_machine == EM_X86_64, STATUS_ELF_WRONG_MACHINE);
	GUARD(header->e_ehsize == sizeof(Elf64_Ehdr), STATUS_ELF_BAD_HEADER_SIZE);
	GUARD(header->e_phnum != 0, STATUS_ELF_NO_SEGMENTS);
	GUARD(header->e_phentsize == sizeof(Elf64_Phdr), STATUS_ELF_BAD_HEADER_SIZE);
	GUARD(header->e_phnum <= MAX_PROGRAM_HEADERS, STATUS_ELF_TOO_MANY_SEGMENTS);
	GUARD(is_within(header->e_phoff, header->e_phnum * sizeof(Elf64_Phdr), file_size), STATUS_ELF_TRUNCATED);
	return STATUS_OK;
}

/* gABI: 0 and 1 mean no constraint. */
static bool is_good_alignment(const Elf64_Phdr *program)
{
	const uint64_t align = program->p_align;

	return align <= 1 ||
	       ((align & (align - 1)) == 0 && ((program->p_offset ^ program->p_vaddr) & (align - 1)) == 0);
}

static enum status load_protection(const Elf64_Phdr *program, uint32_t *protection)
{
	GUARD((program->p_flags & (PF_W | PF_X)) != (PF_W | PF_X), STATUS_ELF_WRITE_AND_EXECUTE);
	GUARD((program->p_flags & PF_R) != 0, STATUS_ELF_SEGMENT_UNREADABLE);
	*protection = PROTECTION_READ;
	if ((program->p_flags & PF_W) != 0)
		*protection |= PROTECTION_WRITE;
	if ((program->p_flags & PF_X) != 0)
		*protection |= PROTECTION_EXECUTE;
	return STATUS_OK;
}

/* Whole pages where a program may lie: not below USER_START, clear of the bootstrap window. They are below USER_LIMIT.
 */
static enum status check_place(struct uaddr_range pages)
{
	struct uaddr_range checked;
	const enum status status = uaddr_range_of_pages(uaddr_to_u64(pages.start), uaddr_range_bytes(pages), &checked);

	GUARD(status != STATUS_BOOTSTRAP_RANGE, STATUS_ELF_SEGMENT_ON_BOOTSTRAP);
	GUARD(status != STATUS_NOT_USER_ADDRESS, STATUS_ELF_SEGMENT_NOT_USER);
	CHECK(status == STATUS_OK);
	return STATUS_OK;
}

/* The whole pages under a load. Where those of a movable file may lie is for elf_plan_place to say. */
static enum status load_pages(const Elf64_Phdr *program, bool is_movable, struct uaddr_range *pages)
{
	const uint64_t mask = PAGE_SIZE - 1;

	GUARD(program->p_memsz <= UINT64_MAX - program->p_vaddr, STATUS_ELF_SEGMENT_WRAPS);

	const uint64_t end = program->p_vaddr + program->p_memsz;

	GUARD(end <= USER_LIMIT, STATUS_ELF_SEGMENT_NOT_USER);
	*pages = uaddr_range_make(program->p_vaddr & ~mask, (end + mask) & ~mask);
	return is_movable ? STATUS_OK : check_place(*pages);
}

static enum status load_decode(const Elf64_Phdr *program, const struct elf_scan *scan, struct elf_segment *segment)
{
	const uint64_t file_size = scan->file_size;

	GUARD(is_good_alignment(program), STATUS_ELF_BAD_ALIGNMENT);
	GUARD(is_within(program->p_offset, program->p_filesz, file_size), STATUS_ELF_SEGMENT_OUTSIDE_FILE);
	TRY(load_pages(program, scan->header.e_type == ET_DYN, &segment->pages));
	TRY(load_protection(program, &segment->protection));
	segment->file_offset = program->p_offset;
	segment->file_bytes = program->p_filesz;
	segment->address = program->p_vaddr;
	return STATUS_OK;
}

/* Into its place by address. */
static enum status plan_insert(struct elf_plan *plan, const struct elf_segment *segment)
{
	uint32_t place = plan->segments;

	GUARD(plan->segments < ELF_PLAN_MAX_SEGMENTS, STATUS_ELF_TOO_MANY_SEGMENTS);
	for (uint32_t i = 0; i < plan->segments; i++)
		GUARD(!uaddr_range_overlaps(plan->segment[i].pages, segment->pages), STATUS_ELF_SEGMENTS_OVERLAP);
	while (place > 0 && plan->segment[place - 1].address > segment->address) {
		plan->segment[place] = plan->segment[place - 1];
		place--;
	}
	plan->segment[place] = *segment;
	plan->segments++;

	/* No sum of disjoint user ranges can wrap. */
	plan->image_pages += uaddr_range_pages(segment->pages);
	GUARD(plan->image_pages <= ELF_PLAN_MAX_PAGES, STATUS_ELF_TOO_LARGE);
	return STATUS_OK;
}

static enum status scan_load(const Elf64_Phdr *program, struct elf_scan *scan, struct elf_plan *plan)
{
	struct elf_segment segment = { .address = 0 };

	GUARD(program->p_filesz <= program->p_memsz, STATUS_ELF_FILE_LARGER_THAN_MEMORY);
	if (program->p_memsz == 0)
		return STATUS_OK;
	TRY(load_decode(program, scan, &segment));
	TRY(plan_insert(plan, &segment));
	if (program->p_align > plan->alignment)
		plan->alignment = program->p_align;
	if ((segment.protection & PROTECTION_EXECUTE) != 0 &&
	    is_within(scan->header.e_entry - program->p_vaddr, 1, program->p_memsz))
		scan->entry_is_executable = true;
	return STATUS_OK;
}

static enum status scan_one(const Elf64_Phdr *program, struct elf_scan *scan, struct elf_plan *plan)
{
	switch (program->p_type) {
	case PT_LOAD:
		return scan_load(program, scan, plan);
	case PT_INTERP:
		return STATUS_ELF_HAS_INTERPRETER;
	case PT_TLS:
		GUARD(!scan->has_tls, STATUS_ELF_TWO_TLS);
		scan->has_tls = true;
		scan->tls = *program;
		return STATUS_OK;
	case PT_GNU_STACK:
		GUARD((program->p_flags & PF_X) == 0, STATUS_ELF_EXECUTABLE_STACK);
		return STATUS_OK;
	default: /* notes, hints, and what the program itself reads (PT_DYNAMIC, PT_GNU_RELRO): nothing to load */
		return STATUS_OK;
	}
}

/* The load whose file bytes hold all of [offset, offset + bytes). */
static bool find_file_bytes(const struct elf_plan *plan, uint64_t offset, uint64_t bytes, uint32_t *index)
{
	for (uint32_t i = 0; i < plan->segments; i++) {
		const struct elf_segment *segment = &plan->segment[i];

		if (offset >= segment->file_offset &&
		    is_within(offset - segment->file_offset, bytes, segment->file_bytes)) {
			*index = i;
			return true;
		}
	}
	return false;
}

/*
 * The initial image must be bytes of a load, at the address that the load gives them. A program's offsets from the
 * thread pointer count on a block that starts aligned (ELF Handling for TLS, variant II).
 */
static enum status plan_tls(const Elf64_Phdr *tls, struct elf_plan *plan)
{
	const uint64_t align = tls->p_align == 0 ? 1 : tls->p_align;
	uint32_t index = 0;

	GUARD(tls->p_filesz <= tls->p_memsz && tls->p_memsz <= ELF_PLAN_MAX_TLS_BYTES, STATUS_ELF_BAD_TLS);
	GUARD((align & (align - 1)) == 0 && align <= PAGE_SIZE, STATUS_ELF_BAD_TLS);
	GUARD((tls->p_vaddr & (align - 1)) == 0, STATUS_ELF_BAD_TLS);
	plan->has_tls = true;
	plan->tls_memory_bytes = tls->p_memsz;
	plan->tls_alignment = align;
	if (tls->p_filesz == 0)
		return STATUS_OK;

	GUARD(find_file_bytes(plan, tls->p_offset, tls->p_filesz, &index), STATUS_ELF_BAD_TLS);

	const struct elf_segment *segment = &plan->segment[index];

	GUARD(tls->p_vaddr - segment->address == tls->p_offset - segment->file_offset, STATUS_ELF_BAD_TLS);
	plan->tls_file_offset = tls->p_offset;
	plan->tls_file_bytes = tls->p_filesz;
	return STATUS_OK;
}

static void plan_program_headers(const Elf64_Ehdr *header, struct elf_plan *plan)
{
	uint32_t index = 0;

	plan->program_header_count = header->e_phnum;
	if (find_file_bytes(plan, header->e_phoff, header->e_phnum * sizeof(Elf64_Phdr), &index))
		plan->program_headers =
			plan->segment[index].address + (header->e_phoff - plan->segment[index].file_offset);
}

/* All addresses by `delta`, modulo 2^64. */
static void plan_shift(struct elf_plan *plan, uint64_t delta)
{
	for (uint32_t i = 0; i < plan->segments; i++) {
		struct elf_segment *segment = &plan->segment[i];

		segment->pages = uaddr_range_make(uaddr_to_u64(segment->pages.start) + delta,
						  uaddr_to_u64(segment->pages.end) + delta);
		segment->address += delta;
	}
	plan->entry += delta;
	if (plan->program_headers != 0)
		plan->program_headers += delta;
}

/* Addresses count from 0, wherever the file counts them from; what is a multiple of the alignment stays one. */
static enum status plan_movable(struct elf_plan *plan)
{
	const uint64_t first = uaddr_to_u64(plan->segment[0].pages.start);

	GUARD(plan->alignment <= ELF_PLAN_MAX_ALIGNMENT, STATUS_ELF_BAD_ALIGNMENT);
	plan->is_movable = true;
	plan_shift(plan, 0 - (first & ~(plan->alignment - 1)));
	return STATUS_OK;
}

enum status elf_plan_make_from(const struct elf_source *source, struct elf_plan *plan)
{
	struct elf_scan scan = { .file_size = source->size };

	*plan = (struct elf_plan){ .alignment = PAGE_SIZE };
	TRY(source_read(source, 0, &scan.header, sizeof(scan.header)));
	TRY(header_check(&scan.header, scan.file_size));
	for (uint32_t i = 0; i < scan.header.e_phnum; i++) {
		Elf64_Phdr program = { .p_type = PT_NULL };

		TRY(source_read(source, scan.header.e_phoff + i * sizeof(program), &program, sizeof(program)));
		TRY(scan_one(&program, &scan, plan));
	}
	GUARD(plan->segments != 0, STATUS_ELF_NO_SEGMENTS);
	GUARD(scan.entry_is_executable, STATUS_ELF_ENTRY_NOT_EXECUTABLE);
	if (scan.has_tls)
		TRY(plan_tls(&scan.tls, plan));
	plan->entry = scan.header.e_entry;
	plan_program_headers(&scan.header, plan);
	if (scan.header.e_type == ET_DYN)
		TRY(plan_movable(plan));
	ASSERT(elf_plan_is_valid(plan, scan.file_size));
	return STATUS_OK;
}

/* Byte by byte: headers in a file may stand at any address. */
static enum status memory_read(const void *context, uint64_t offset, uint64_t bytes, void *to)
{
	const uint8_t *file = context;
	uint8_t *target = to;

	for (uint64_t i = 0; i < bytes; i++)
		target[i] = file[offset + i];
	return STATUS_OK;
}

enum status elf_plan_make(const void *bytes, size_t size, struct elf_plan *plan)
{
	const struct elf_source source = { .read = memory_read, .context = bytes, .size = size };

	return elf_plan_make_from(&source, plan);
}

struct uaddr_range elf_plan_range(const struct elf_plan *plan)
{
	const struct elf_segment *first = &plan->segment[0], *last = &plan->segment[plan->segments - 1];

	return uaddr_range_make(plan->is_movable ? 0 : uaddr_to_u64(first->pages.start), uaddr_to_u64(last->pages.end));
}

enum status elf_plan_place(struct elf_plan *plan, uint64_t start)
{
	const uint64_t bytes = uaddr_range_bytes(elf_plan_range(plan));

	CHECK(plan->is_movable);
	GUARD((start & (plan->alignment - 1)) == 0, STATUS_MISALIGNED);
	GUARD(start <= USER_LIMIT && bytes <= USER_LIMIT - start, STATUS_ELF_SEGMENT_NOT_USER);
	for (uint32_t i = 0; i < plan->segments; i++)
		TRY(check_place(uaddr_range_make(start + uaddr_to_u64(plan->segment[i].pages.start),
						 start + uaddr_to_u64(plan->segment[i].pages.end))));
	plan_shift(plan, start);
	plan->is_movable = false;
	return STATUS_OK;
}

struct uaddr_range elf_plan_file_pages(const struct elf_segment *segment)
{
	const uint64_t start = uaddr_to_u64(segment->pages.start);
	const uint64_t end = segment->address + segment->file_bytes;

	return uaddr_range_make(start, segment->file_bytes == 0 ? start : (end + PAGE_SIZE - 1) & ~(PAGE_SIZE - 1));
}

/* Whole pages, not empty, where the plan may have them. */
static bool pages_are_valid(const struct elf_plan *plan, struct uaddr_range range)
{
	const uint64_t start = uaddr_to_u64(range.start), end = uaddr_to_u64(range.end);
	struct uaddr_range pages;

	if (plan->is_movable)
		return u64_is_page_aligned(start | end) && start < end && end <= USER_LIMIT;
	return start < end && uaddr_range_of_pages(start, end - start, &pages) == STATUS_OK;
}

static bool segment_is_valid(const struct elf_plan *plan, const struct elf_segment *segment, uint64_t file_size)
{
	const uint64_t start = uaddr_to_u64(segment->pages.start);

	if (!pages_are_valid(plan, segment->pages))
		return false;
	if (protection_check(segment->protection) != STATUS_OK || segment->protection == PROTECTION_NONE)
		return false;
	return is_within(segment->file_offset, segment->file_bytes, file_size) &&
	       uaddr_range_contains(segment->pages, uaddr_from_u64(segment->address)) &&
	       is_within(segment->address - start, segment->file_bytes, uaddr_range_bytes(segment->pages));
}

static bool segments_are_valid(const struct elf_plan *plan, uint64_t file_size)
{
	uint64_t pages = 0;

	if (plan->segments == 0 || plan->segments > ELF_PLAN_MAX_SEGMENTS)
		return false;
	for (uint32_t i = 0; i < plan->segments; i++) {
		const struct elf_segment *segment = &plan->segment[i];

		if (!segment_is_valid(plan, segment, file_size))
			return false;
		if (i > 0 && uaddr_to_u64(plan->segment[i - 1].pages.end) > uaddr_to_u64(segment->pages.start))
			return false;
		pages += uaddr_range_pages(segment->pages);
	}
	return pages == plan->image_pages && pages <= ELF_PLAN_MAX_PAGES;
}

static bool entry_is_valid(const struct elf_plan *plan)
{
	for (uint32_t i = 0; i < plan->segments; i++) {
		if (uaddr_range_contains(plan->segment[i].pages, uaddr_from_u64(plan->entry)))
			return (plan->segment[i].protection & PROTECTION_EXECUTE) != 0;
	}
	return false;
}

static bool tls_is_valid(const struct elf_plan *plan)
{
	const uint64_t align = plan->tls_alignment;
	uint32_t index = 0;

	if (!plan->has_tls)
		return plan->tls_file_bytes == 0 && plan->tls_memory_bytes == 0;
	if (plan->tls_file_bytes > plan->tls_memory_bytes || plan->tls_memory_bytes > ELF_PLAN_MAX_TLS_BYTES)
		return false;
	if (align == 0 || align > PAGE_SIZE || (align & (align - 1)) != 0)
		return false;
	return plan->tls_file_bytes == 0 || find_file_bytes(plan, plan->tls_file_offset, plan->tls_file_bytes, &index);
}

static bool program_headers_are_valid(const struct elf_plan *plan)
{
	const uint64_t bytes = plan->program_header_count * sizeof(Elf64_Phdr);

	if (plan->program_header_count == 0 || plan->program_header_count > MAX_PROGRAM_HEADERS)
		return false;
	if (plan->program_headers == 0)
		return true;
	for (uint32_t i = 0; i < plan->segments; i++) {
		const struct elf_segment *segment = &plan->segment[i];

		if (plan->program_headers >= segment->address &&
		    is_within(plan->program_headers - segment->address, bytes, segment->file_bytes))
			return true;
	}
	return false;
}

/* A movable plan begins within the first multiple of its alignment. */
static bool alignment_is_valid(const struct elf_plan *plan)
{
	if (plan->alignment < PAGE_SIZE || (plan->alignment & (plan->alignment - 1)) != 0)
		return false;
	return !plan->is_movable || (plan->alignment <= ELF_PLAN_MAX_ALIGNMENT &&
				     uaddr_to_u64(plan->segment[0].pages.start) < plan->alignment);
}

bool elf_plan_is_valid(const struct elf_plan *plan, uint64_t file_size)
{
	return segments_are_valid(plan, file_size) && alignment_is_valid(plan) && entry_is_valid(plan) &&
	       tls_is_valid(plan) && program_headers_are_valid(plan);
}
