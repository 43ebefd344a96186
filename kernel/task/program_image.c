#include "kernel/task/program_image.h"

#include "kernel/arch/x86_64/interrupt_window.h"
#include "kernel/arch/x86_64/random.h"
#include "kernel/mem/anonymous.h"
#include "lib/check.h"
#include "lib/string.h"

#define STEP_PAGES 64u /* copied between two looks at interrupts */
#define TCB_BYTES 64u  /* the first word points to itself (System V ABI, x86-64 TLS variant II) */

/* ---- files ---- */

static enum status read_object(const void *context, uint64_t offset, uint64_t bytes, void *to)
{
	const struct memory_object *object = context;
	uint8_t *at = to;

	while (bytes > 0) {
		uint64_t in_page = offset & (PAGE_SIZE - 1);
		uint64_t part = PAGE_SIZE - in_page < bytes ? PAGE_SIZE - in_page : bytes;
		frame_t frame = memory_object_frame(object, offset >> PAGE_SHIFT);

		memcpy(at, (const uint8_t *)direct_map_of_frame(frame) + in_page, part);
		offset += part;
		at += part;
		bytes -= part;
	}
	return STATUS_OK;
}

struct elf_source program_image_of_object(const struct memory_object *object, uint64_t bytes)
{
	return (struct elf_source){ read_object, object, bytes };
}

static enum status read_file(const void *context, uint64_t offset, uint64_t bytes, void *to)
{
	const struct memory_file *file = context;

	memcpy(to, file->data + offset, bytes);
	return STATUS_OK;
}

struct elf_source program_image_of_file(const struct memory_file *file)
{
	return (struct elf_source){ read_file, file, file->bytes };
}

/* ---- pages ---- */

static struct uaddr_range range_of(uint64_t start, uint64_t end)
{
	return (struct uaddr_range){ uaddr_from_u64(start), uaddr_from_u64(end) };
}

/* The bytes behind a mapped address of a space that does not run yet, up to the end of its page. */
static uint8_t *page_bytes(struct address_space *space, uint64_t address)
{
	unsigned level;
	pte_t entry = address_space_entry(space, address, &level);

	CHECK(level == 1 && pte_is_present(entry));
	return (uint8_t *)direct_map_of_frame(pte_frame(entry)) + (address & (PAGE_SIZE - 1));
}

static enum status copy_to(struct address_space *space, uint64_t address, const struct elf_source *source,
			   uint64_t offset, uint64_t count)
{
	while (count > 0) {
		uint64_t part = PAGE_SIZE - (address & (PAGE_SIZE - 1));

		if (part > count)
			part = count;
		if ((address >> PAGE_SHIFT) % STEP_PAGES == 0)
			interrupt_window_open();
		TRY(source->read(source->context, offset, part, page_bytes(space, address)));
		address += part;
		offset += part;
		count -= part;
	}
	return STATUS_OK;
}

static enum status map_segments(struct address_space *space, const struct elf_source *source,
				const struct elf_plan *plan)
{
	for (uint32_t i = 0; i < plan->segments; i++) {
		const struct elf_segment *segment = &plan->segment[i];

		TRY(anonymous_map_image(space, segment->pages, PAGE_IMAGE, segment->protection));
		TRY(copy_to(space, segment->address, source, segment->file_offset, segment->file_bytes));
	}
	return STATUS_OK;
}

static uint64_t round_up(uint64_t value, uint64_t align)
{
	return (value + align - 1) & ~(align - 1);
}

/* TLS block and thread control block, below the stack's guard; *tls is the address of the latter. */
static enum status map_tls(struct address_space *space, const struct elf_source *source, const struct elf_plan *plan,
			   uint64_t *tls)
{
	uint64_t end = PROGRAM_STACK_TOP - (STARTUP_STACK_PAGES + PROGRAM_GUARD_PAGES) * PAGE_SIZE;
	uint64_t align = plan->has_tls && plan->tls_alignment > TCB_BYTES ? plan->tls_alignment : TCB_BYTES;
	uint64_t memory = plan->has_tls ? round_up(plan->tls_memory_bytes, align) : 0;
	uint64_t start = (end - TCB_BYTES - memory) & ~(PAGE_SIZE - 1);

	start &= ~(align - 1);
	*tls = start + memory;
	TRY(anonymous_map_image(space, range_of(start, end), PAGE_IMAGE, PROTECTION_READ | PROTECTION_WRITE));
	if (plan->has_tls)
		TRY(copy_to(space, *tls - round_up(plan->tls_memory_bytes, plan->tls_alignment), source,
			    plan->tls_file_offset, plan->tls_file_bytes));
	memcpy(page_bytes(space, *tls), tls, sizeof(*tls));
	return STATUS_OK;
}

static enum status map_stack(struct address_space *space, const struct string_list strings[2],
			     const struct elf_plan *plan, uint64_t *pointer)
{
	uint64_t bottom = PROGRAM_STACK_TOP - STARTUP_STACK_PAGES * PAGE_SIZE;
	struct user_stack stack = { strings[0], strings[1], plan, PROGRAM_STACK_TOP, { random_u64(), random_u64() } };

	TRY(anonymous_map_guard(space, range_of(bottom - PROGRAM_GUARD_PAGES * PAGE_SIZE, bottom)));
	TRY(anonymous_map_image(space, range_of(bottom, PROGRAM_STACK_TOP), PAGE_IMAGE,
				PROTECTION_READ | PROTECTION_WRITE));
	return user_stack_build(&stack, page_bytes(space, PROGRAM_STACK_TOP - PAGE_SIZE), pointer);
}

enum status program_image_load(struct process *process, const struct elf_source *source, const struct elf_plan *plan,
			       const struct string_list strings[2], struct thread_start *start)
{
	*start = (struct thread_start){ .entry = plan->entry };
	TRY(map_segments(&process->space, source, plan));
	TRY(map_tls(&process->space, source, plan, &start->tls));
	return map_stack(&process->space, strings, plan, &start->stack);
}
