#include "kernel/task/program_image.h"

#include "kernel/arch/x86_64/features.h"
#include "kernel/arch/x86_64/interrupt_window.h"
#include "kernel/mem/anonymous.h"
#include "kernel/task/entropy.h"
#include "kernel/task/process_layout.h"
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

/* Pages with bytes of the file have frames at once; what is all zero gets them when it is touched. */
static enum status map_segment(struct address_space *space, const struct elf_source *source,
			       const struct elf_segment *segment)
{
	const struct uaddr_range file = elf_plan_file_pages(segment);
	const struct uaddr_range zero = { file.end, segment->pages.end };

	if (uaddr_range_bytes(file) != 0)
		TRY(anonymous_map_image(space, file, PAGE_IMAGE, segment->protection));
	if (uaddr_range_bytes(zero) != 0)
		TRY(anonymous_map_image_lazy(space, zero, segment->protection));
	return copy_to(space, segment->address, source, segment->file_offset, segment->file_bytes);
}

static uint64_t round_up(uint64_t value, uint64_t align)
{
	return (value + align - 1) & ~(align - 1);
}

/* From the start of the TLS pages to the thread control block: storage that ends aligned. */
static uint64_t storage_bytes(const struct elf_plan *plan)
{
	const uint64_t align = plan->has_tls && plan->tls_alignment > TCB_BYTES ? plan->tls_alignment : TCB_BYTES;

	return plan->has_tls ? round_up(plan->tls_memory_bytes, align) : 0;
}

uint64_t program_image_tls_bytes(const struct elf_plan *plan)
{
	return round_up(storage_bytes(plan) + TCB_BYTES, PAGE_SIZE);
}

/* The last pages of the image; *tls is the address of the thread control block. */
static enum status map_tls(struct process *process, const struct elf_source *source, const struct elf_plan *plan,
			   uint64_t *tls)
{
	const uint64_t end = uaddr_to_u64(process->layout.image.end);
	const uint64_t start = end - program_image_tls_bytes(plan);
	struct address_space *space = &process->space;

	*tls = start + storage_bytes(plan);
	TRY(anonymous_map_image(space, uaddr_range_make(start, end), PAGE_IMAGE, PROTECTION_READ | PROTECTION_WRITE));
	if (plan->has_tls)
		TRY(copy_to(space, *tls - round_up(plan->tls_memory_bytes, plan->tls_alignment), source,
			    plan->tls_file_offset, plan->tls_file_bytes));
	memcpy(page_bytes(space, *tls), tls, sizeof(*tls));
	return STATUS_OK;
}

static enum status map_stack(struct process *process, const struct string_list strings[2], const struct elf_plan *plan,
			     uint64_t *pointer)
{
	const struct uaddr_range range = process->layout.stack;
	const uint64_t pages = uaddr_range_pages(range);
	const struct space_areas areas = process_layout_areas(&process->layout);
	struct user_stack stack = { .arguments = strings[0],
				    .environment = strings[1],
				    .plan = plan,
				    .hwcap = features_get()->hwcap,
				    .top = uaddr_to_u64(range.end) };

	entropy_bytes(stack.random, sizeof(stack.random));
	TRY(anonymous_map_stack(&process->space, &areas, pages < STARTUP_STACK_PAGES ? pages : STARTUP_STACK_PAGES));
	return user_stack_build(&stack, page_bytes(&process->space, stack.top - PAGE_SIZE), pointer);
}

enum status program_image_load(struct process *process, const struct elf_source *source, const struct elf_plan *plan,
			       const struct string_list strings[2], struct thread_start *start)
{
	const struct space_areas areas = process_layout_areas(&process->layout);

	*start = (struct thread_start){ .entry = plan->entry };
	address_space_set_areas(&process->space, &areas);
	for (uint32_t i = 0; i < plan->segments; i++)
		TRY(map_segment(&process->space, source, &plan->segment[i]));
	TRY(map_tls(process, source, plan, &start->tls));
	return map_stack(process, strings, plan, &start->stack);
}
