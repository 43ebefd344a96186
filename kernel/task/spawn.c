#include "kernel/task/spawn.h"

#include "abi/startup.h"
#include "kernel/arch/x86_64/random.h"
#include "kernel/mem/anonymous.h"
#include "kernel/task/user_stack.h"
#include "lib/check.h"
#include "lib/elf_plan.h"
#include "lib/ring.h"
#include "lib/string.h"

#define TCB_BYTES 64u /* the first word points to itself (System V ABI, x86-64 TLS variant II) */

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

static void copy_to(struct address_space *space, uint64_t address, const uint8_t *bytes, uint64_t count)
{
	while (count > 0) {
		uint64_t part = PAGE_SIZE - (address & (PAGE_SIZE - 1));

		if (part > count)
			part = count;
		memcpy(page_bytes(space, address), bytes, part);
		address += part;
		bytes += part;
		count -= part;
	}
}

static enum status map_segments(struct address_space *space, const struct spawn_request *request,
				const struct elf_plan *plan)
{
	for (uint32_t i = 0; i < plan->segments; i++) {
		const struct elf_segment *segment = &plan->segment[i];

		TRY(anonymous_map_image(space, segment->pages, PAGE_IMAGE, segment->protection));
		copy_to(space, segment->address, (const uint8_t *)request->image + segment->file_offset,
			segment->file_bytes);
	}
	return STATUS_OK;
}

/* TLS block and thread control block, below the stack's guard; fs_base is the address of the latter. */
static enum status map_tls(struct process *process, const struct spawn_request *request, const struct elf_plan *plan)
{
	uint64_t end = SPAWN_STACK_TOP - (STARTUP_STACK_PAGES + SPAWN_GUARD_PAGES) * (uint64_t)PAGE_SIZE;
	uint64_t align = plan->has_tls && plan->tls_alignment > TCB_BYTES ? plan->tls_alignment : TCB_BYTES;
	uint64_t memory = plan->has_tls ? (plan->tls_memory_bytes + align - 1) & ~(align - 1) : 0;
	uint64_t start = (end - TCB_BYTES - memory) & ~(uint64_t)(PAGE_SIZE - 1);
	uint64_t block;

	start &= ~(align - 1);
	process->thread.fs_base = start + memory;
	TRY(anonymous_map_image(&process->space, range_of(start, end), PAGE_IMAGE, PROTECTION_READ | PROTECTION_WRITE));
	if (plan->has_tls) {
		block = process->thread.fs_base -
			((plan->tls_memory_bytes + plan->tls_alignment - 1) & ~(plan->tls_alignment - 1));
		copy_to(&process->space, block, (const uint8_t *)request->image + plan->tls_file_offset,
			plan->tls_file_bytes);
	}
	copy_to(&process->space, process->thread.fs_base, (const uint8_t *)&process->thread.fs_base, 8);
	return STATUS_OK;
}

static enum status map_stack(struct process *process, const struct spawn_request *request, const struct elf_plan *plan)
{
	uint64_t bottom = SPAWN_STACK_TOP - STARTUP_STACK_PAGES * (uint64_t)PAGE_SIZE;
	struct user_stack stack = { request->argument, request->arguments, plan, SPAWN_STACK_TOP, { 0, 0 } };

	stack.random[0] = random_u64();
	stack.random[1] = random_u64();
	TRY(anonymous_map_guard(&process->space, range_of(bottom - SPAWN_GUARD_PAGES * (uint64_t)PAGE_SIZE, bottom)));
	TRY(anonymous_map_image(&process->space, range_of(bottom, SPAWN_STACK_TOP), PAGE_IMAGE,
				PROTECTION_READ | PROTECTION_WRITE));
	return user_stack_build(&stack, page_bytes(&process->space, SPAWN_STACK_TOP - PAGE_SIZE),
				&process->thread.user_stack);
}

static enum status map_bootstrap(struct process *process, spawn_grant_t *grant)
{
	struct capset_page *capset;

	TRY(anonymous_map_image(&process->space, range_of(RING_ADDRESS, RING_ADDRESS + PAGE_SIZE), PAGE_BOOTSTRAP,
				PROTECTION_READ | PROTECTION_WRITE));
	TRY(anonymous_map_image(&process->space, range_of(CAPSET_ADDRESS, CAPSET_ADDRESS + PAGE_SIZE), PAGE_BOOTSTRAP,
				PROTECTION_READ));
	process->thread.ring = (struct ring_page *)(void *)page_bytes(&process->space, RING_ADDRESS);
	ring_init(process->thread.ring);
	capset = (struct capset_page *)(void *)page_bytes(&process->space, CAPSET_ADDRESS);
	capset->magic = CAPSET_MAGIC;
	capset->version = CAPSET_VERSION;
	capset->entry_bytes = sizeof(struct capset_entry);
	capset->process_id = process->id;
	return grant(process, capset);
}

enum status spawn_grant_capability(struct process *process, struct capset_page *capset, const char *name,
				   const struct cap_hold *hold)
{
	struct capset_entry *entry = &capset->entry[capset->count];

	GUARD(capset->count < CAPSET_MAX, STATUS_TOO_LONG);
	TRY(process_add_capability(process, hold, &entry->capability));
	(void)string_copy(entry->name, sizeof(entry->name), name);
	entry->interface = hold->interface;
	capset->count++;
	return STATUS_OK;
}

static enum status fill_process(struct process *process, const struct spawn_request *request,
				const struct elf_plan *plan, spawn_grant_t *grant)
{
	process->thread.entry = plan->entry;
	TRY(map_segments(&process->space, request, plan));
	TRY(map_tls(process, request, plan));
	TRY(map_stack(process, request, plan));
	return map_bootstrap(process, grant);
}

enum status spawn_process(const struct spawn_request *request, spawn_grant_t *grant, struct process **process)
{
	struct elf_plan plan;
	enum status status;

	TRY(elf_plan_make(request->image, request->image_bytes, &plan));
	TRY(process_create(request->name, request->limits, process));
	status = fill_process(*process, request, &plan, grant);
	if (status != STATUS_OK)
		process_destroy(*process);
	return status;
}
