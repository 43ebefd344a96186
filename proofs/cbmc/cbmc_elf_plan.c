/*
 * lib/elf_plan: a file of any size and any bytes, each read answering what it likes (others may write the file at the
 * same time), with up to PROGRAM_HEADERS program headers. What is accepted keeps the promise of elf_plan.h; two
 * segments that are arbitrary stand for each pair, a byte that is arbitrary for each.
 *
 * links: lib/elf_plan.c lib/range.c
 * options elf_plan_of_any_file: --unwind 4 --external-sat-solver cadical
 */
#include <elf.h>

#include "lib/elf_plan.h"
#include "proofs/cbmc/cbmc_support.h"

#define PROGRAM_HEADERS 2u

static uint64_t file_bytes;

Elf64_Ehdr nondet_header(void);
Elf64_Phdr nondet_program(void);

static enum status read_any(const void *context, uint64_t offset, uint64_t bytes, void *to)
{
	PROVE(bytes != 0 && offset <= file_bytes && bytes <= file_bytes - offset);
	(void)context;
	if (bytes == sizeof(Elf64_Ehdr)) {
		Elf64_Ehdr *header = to;

		*header = nondet_header();
		ASSUME(header->e_phnum <= PROGRAM_HEADERS);
	} else {
		PROVE(bytes == sizeof(Elf64_Phdr));
		*(Elf64_Phdr *)to = nondet_program();
	}
	return nondet_bool() ? STATUS_OK : STATUS_BUFFER_FAULT;
}

static void prove_segment(const struct elf_segment *segment, uint64_t byte)
{
	const uint32_t wx = PROTECTION_WRITE | PROTECTION_EXECUTE;

	PROVE((segment->protection & wx) != wx && (segment->protection & PROTECTION_READ) != 0);
	PROVE(segment->file_bytes <= file_bytes && segment->file_offset <= file_bytes - segment->file_bytes);
	PROVE(segment->file_bytes == 0 || (segment->address >= segment->pages.start.raw &&
					   segment->file_bytes <= segment->pages.end.raw - segment->address));
	if (uaddr_range_contains(segment->pages, uaddr_from_u64(byte)))
		PROVE(byte >= USER_START && byte < USER_LIMIT && (byte < BOOTSTRAP_START || byte >= BOOTSTRAP_END));
}

PROOF(elf_plan_of_any_file)
{
	static struct elf_plan plan;
	const uint32_t i = nondet_u32(), j = nondet_u32();
	const uint64_t byte = nondet_u64();
	struct elf_source source = { .read = read_any };

	file_bytes = nondet_u64();
	source.size = file_bytes;
	if (elf_plan_make_from(&source, &plan) != STATUS_OK)
		return;
	PROVE(elf_plan_is_valid(&plan, file_bytes));
	PROVE(plan.segments >= 1 && plan.segments <= PROGRAM_HEADERS && plan.image_pages <= ELF_PLAN_MAX_PAGES);
	PROVE(plan.tls_file_bytes <= plan.tls_memory_bytes && plan.tls_memory_bytes <= ELF_PLAN_MAX_TLS_BYTES);
	ASSUME(i < j && j < plan.segments);
	prove_segment(&plan.segment[i], byte);
	PROVE(!uaddr_range_contains(plan.segment[i].pages, uaddr_from_u64(byte)) ||
	      !uaddr_range_contains(plan.segment[j].pages, uaddr_from_u64(byte)));
}
