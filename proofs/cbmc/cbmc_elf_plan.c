/*
 * lib/elf_plan, step by step: any plan that is good so far, one step with any numbers, and it is good again. So the
 * number of headers has no bound; that of segments is SEGMENTS. Two segments that are arbitrary stand for all. The file
 * is included for its steps.
 *
 * links: lib/range.c
 * options each: --unwind 4 -DELF_PLAN_MAX_SEGMENTS=2u --external-sat-solver cadical
 */
#include "lib/elf_plan.c"

#include "lib/bits.h"
#include "proofs/cbmc/cbmc_support.h"

#define SEGMENTS ELF_PLAN_MAX_SEGMENTS
#define PROGRAM_HEADERS 3u

Elf64_Ehdr nondet_file_header(void);
Elf64_Phdr nondet_program_header(void);
struct elf_plan nondet_plan(void);
struct elf_scan nondet_scan(void);

/* W^X, inside the user half, clear of the window, whole pages around its bytes, which are the file's. */
static bool segment_is_good(const struct elf_segment *segment, uint64_t file_size, bool is_movable)
{
	const uint64_t start = uaddr_to_u64(segment->pages.start), end = uaddr_to_u64(segment->pages.end);
	const bool writes = (segment->protection & PROTECTION_WRITE) != 0;
	const bool executes = (segment->protection & PROTECTION_EXECUTE) != 0;

	return !(writes && executes) && (segment->protection & PROTECTION_READ) != 0 && start < end &&
	       (start & (PAGE_SIZE - 1)) == 0 && (end & (PAGE_SIZE - 1)) == 0 && end <= USER_LIMIT &&
	       (is_movable || (start >= USER_START && (end <= BOOTSTRAP_START || start >= BOOTSTRAP_END))) &&
	       segment->file_offset <= file_size && segment->file_bytes <= file_size - segment->file_offset &&
	       segment->address >= start && segment->address < end && segment->file_bytes <= end - segment->address;
}

static bool is_below(const struct elf_segment *one, const struct elf_segment *other)
{
	return uaddr_to_u64(one->pages.end) <= uaddr_to_u64(other->pages.start);
}

/* Whether a segment that may be executed has the address. */
static bool runs_at(const struct elf_plan *plan, uint64_t address)
{
	for (uint32_t i = 0; i < plan->segments; i++) {
		if (uaddr_range_contains(plan->segment[i].pages, uaddr_from_u64(address)) &&
		    (plan->segment[i].protection & PROTECTION_EXECUTE) != 0)
			return true;
	}
	return false;
}

static uint64_t pages_of(const struct elf_plan *plan)
{
	uint64_t pages = 0;

	for (uint32_t i = 0; i < plan->segments; i++)
		pages += uaddr_range_pages(plan->segment[i].pages);
	return pages;
}

static struct elf_plan any_plan(uint64_t file_size, bool is_movable)
{
	const struct elf_plan plan = nondet_plan();

	ASSUME(plan.segments <= SEGMENTS && plan.image_pages == pages_of(&plan));
	ASSUME(plan.image_pages <= ELF_PLAN_MAX_PAGES && plan.alignment >= PAGE_SIZE);
	ASSUME((plan.alignment & (plan.alignment - 1)) == 0);
	for (uint32_t i = 0; i < plan.segments; i++) {
		ASSUME(segment_is_good(&plan.segment[i], file_size, is_movable));
		ASSUME(i == 0 || is_below(&plan.segment[i - 1], &plan.segment[i]));
	}
	return plan;
}

static void prove_plan(const struct elf_plan *plan, uint64_t file_size, bool is_movable)
{
	const uint32_t one = nondet_u32(), other = nondet_u32();

	PROVE(plan->segments <= SEGMENTS && plan->image_pages == pages_of(plan));
	PROVE(plan->image_pages <= ELF_PLAN_MAX_PAGES && plan->alignment >= PAGE_SIZE);
	PROVE((plan->alignment & (plan->alignment - 1)) == 0);
	ASSUME(one < plan->segments && other < plan->segments);
	PROVE(segment_is_good(&plan->segment[one], file_size, is_movable));
	PROVE(one >= other || is_below(&plan->segment[one], &plan->segment[other]));
}

/* Any program header: what was good stays so, and an entry that is said to be executable is. */
PROOF(elf_plan_one_header)
{
	const Elf64_Phdr program = nondet_program_header();
	struct elf_scan scan = nondet_scan();
	const bool is_movable = scan.header.e_type == ET_DYN;
	struct elf_plan plan = any_plan(scan.file_size, is_movable);

	ASSUME(!scan.entry_is_executable || runs_at(&plan, scan.header.e_entry));
	if (scan_one(&program, &scan, &plan) != STATUS_OK)
		return;
	prove_plan(&plan, scan.file_size, is_movable);
	PROVE(!scan.entry_is_executable || runs_at(&plan, scan.header.e_entry));
}

/* Addresses of a movable plan count from 0, and it is as good as before. */
PROOF(elf_plan_movable)
{
	const uint64_t size = nondet_u64(), entry = nondet_u64();
	struct elf_plan plan = any_plan(size, true);

	ASSUME(plan.segments != 0 && runs_at(&plan, entry));
	plan.entry = entry;
	if (plan_movable(&plan) != STATUS_OK)
		return;
	prove_plan(&plan, size, true);
	PROVE(plan.is_movable && runs_at(&plan, plan.entry));
	PROVE(uaddr_to_u64(plan.segment[0].pages.start) < plan.alignment);
}

/* The initial image of a thread's block lies in the file, and no block is large or oddly aligned. */
PROOF(elf_plan_tls)
{
	const uint64_t size = nondet_u64();
	const Elf64_Phdr tls = nondet_program_header();
	struct elf_plan plan = any_plan(size, nondet_bool());

	plan.tls_file_offset = plan.tls_file_bytes = 0;
	if (plan_tls(&tls, &plan) != STATUS_OK)
		return;
	PROVE(plan.has_tls && plan.tls_file_bytes <= plan.tls_memory_bytes);
	PROVE(plan.tls_memory_bytes <= ELF_PLAN_MAX_TLS_BYTES);
	PROVE(plan.tls_file_bytes == 0 ||
	      (plan.tls_file_offset <= size && plan.tls_file_bytes <= size - plan.tls_file_offset));
	PROVE(bits_is_power_of_two(plan.tls_alignment) && plan.tls_alignment <= PAGE_SIZE);
}

/* A movable plan, whatever place is asked for: it is a plan like any other there, or as it was. */
PROOF(elf_plan_placed)
{
	const uint64_t size = nondet_u64(), start = nondet_u64();
	const uint32_t one = nondet_u32();
	struct elf_plan plan = any_plan(size, true);

	ASSUME(plan.segments != 0 && one < plan.segments && plan.is_movable);
	ASSUME(runs_at(&plan, plan.entry));

	const struct elf_segment before = plan.segment[one];

	if (elf_plan_place(&plan, start) == STATUS_OK) {
		prove_plan(&plan, size, false);
		PROVE(!plan.is_movable && runs_at(&plan, plan.entry) && (start & (plan.alignment - 1)) == 0);
		PROVE(uaddr_to_u64(plan.segment[one].pages.start) == uaddr_to_u64(before.pages.start) + start);
	} else {
		PROVE(plan.is_movable && plan.segment[one].address == before.address);
		PROVE(uaddr_to_u64(plan.segment[one].pages.start) == uaddr_to_u64(before.pages.start));
	}
}

/* A source that gives any header at each read: a read is of one header and lies within the file. */
static enum status read_any(const void *context, uint64_t offset, uint64_t bytes, void *to)
{
	const uint64_t *size = context;

	PROVE(offset <= *size && bytes <= *size - offset);
	if (nondet_bool())
		return STATUS_BUFFER_FAULT;
	if (bytes == sizeof(Elf64_Ehdr)) {
		const Elf64_Ehdr header = nondet_file_header();

		ASSUME(header.e_phnum <= PROGRAM_HEADERS);
		*(Elf64_Ehdr *)to = header;
		return STATUS_OK;
	}
	PROVE(bytes == sizeof(Elf64_Phdr));
	*(Elf64_Phdr *)to = nondet_program_header();
	return STATUS_OK;
}

PROOF(elf_plan_reads)
{
	const uint64_t size = nondet_u64();
	const struct elf_source source = { .read = read_any, .context = &size, .size = size };
	struct elf_plan plan;

	if (elf_plan_make_from(&source, &plan) == STATUS_OK)
		PROVE(plan.segments >= 1 && plan.segments <= SEGMENTS);
}
