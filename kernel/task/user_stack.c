#include "kernel/task/user_stack.h"

#include <elf.h>

#include "abi/memory_layout.h"
#include "abi/startup.h"
#include "lib/check.h"
#include "lib/string.h"

#define VECTOR_ENTRIES 20u

/* What is free of the page: [0, used_from) ; addresses of what was put there are stack->top - (4096 - offset). */
struct builder {
	const struct user_stack *stack;
	uint8_t *page;
	uint64_t used_from;
};

static uint64_t address_at(const struct builder *builder, uint64_t offset)
{
	return builder->stack->top - PAGE_SIZE + offset;
}

static enum status push_bytes(struct builder *builder, const void *bytes, uint64_t count, uint64_t *address)
{
	GUARD(count <= builder->used_from, STATUS_TOO_LONG);
	builder->used_from -= count;
	memcpy(builder->page + builder->used_from, bytes, count);
	*address = address_at(builder, builder->used_from);
	return STATUS_OK;
}

static void add(Elf64_auxv_t *vector, uint32_t *count, uint64_t type, uint64_t value)
{
	CHECK(*count < VECTOR_ENTRIES);
	vector[*count].a_type = type;
	vector[*count].a_un.a_val = value;
	(*count)++;
}

static uint32_t fill_vector(const struct user_stack *stack, Elf64_auxv_t *vector, uint64_t name, uint64_t random)
{
	uint32_t count = 0;

	add(vector, &count, AT_PHDR, stack->plan->program_headers);
	add(vector, &count, AT_PHENT, sizeof(Elf64_Phdr));
	add(vector, &count, AT_PHNUM, stack->plan->program_header_count);
	add(vector, &count, AT_PAGESZ, PAGE_SIZE);
	add(vector, &count, AT_ENTRY, stack->plan->entry);
	add(vector, &count, AT_BASE, 0);
	add(vector, &count, AT_RANDOM, random);
	add(vector, &count, AT_EXECFN, name);
	add(vector, &count, AT_UID, 0);
	add(vector, &count, AT_EUID, 0);
	add(vector, &count, AT_GID, 0);
	add(vector, &count, AT_EGID, 0);
	add(vector, &count, AT_SECURE, 0);
	add(vector, &count, AT_HWCAP, 0);
	add(vector, &count, AT_CLKTCK, 100);
	add(vector, &count, AUX_CAPOS_CAPSET, CAPSET_ADDRESS);
	add(vector, &count, AUX_CAPOS_RING, RING_ADDRESS);
	add(vector, &count, AT_NULL, 0);
	return count;
}

/* argc, argv[], 0, envp[] (none), 0, in the order of rising addresses. */
static enum status push_table(struct builder *builder, const uint64_t *argument)
{
	uint64_t table[USER_STACK_MAX_ARGUMENTS + 3] = { 0 };
	uint64_t words = builder->stack->arguments + 3u;
	uint64_t ignored;

	CHECK((builder->used_from - words * 8) % 16 == 0); /* RSP is 16-byte aligned where argc lies */
	table[0] = builder->stack->arguments;
	for (uint32_t i = 0; i < builder->stack->arguments; i++)
		table[i + 1] = argument[i];
	return push_bytes(builder, table, words * 8, &ignored);
}

enum status user_stack_build(const struct user_stack *stack, uint8_t *page, uint64_t *pointer)
{
	struct builder builder = { stack, page, PAGE_SIZE };
	uint64_t argument[USER_STACK_MAX_ARGUMENTS] = { 0 };
	Elf64_auxv_t vector[VECTOR_ENTRIES];
	uint64_t random;
	uint64_t vector_bytes;
	uint64_t ignored;

	GUARD(stack->arguments <= USER_STACK_MAX_ARGUMENTS, STATUS_TOO_LONG);
	memset(page, 0, PAGE_SIZE);
	for (uint32_t i = stack->arguments; i-- > 0;)
		TRY(push_bytes(&builder, stack->argument[i], string_length(stack->argument[i], PAGE_SIZE) + 1,
			       &argument[i]));
	TRY(push_bytes(&builder, stack->random, sizeof(stack->random), &random));
	vector_bytes = fill_vector(stack, vector, argument[0], random) * sizeof(vector[0]);
	GUARD(builder.used_from >= vector_bytes + (stack->arguments + UINT64_C(4)) * 8, STATUS_TOO_LONG);
	builder.used_from &= ~UINT64_C(15); /* the vector is a multiple of 16 bytes; what is odd goes above it */
	if ((stack->arguments + 3u) % 2 != 0)
		builder.used_from -= 8;
	TRY(push_bytes(&builder, vector, vector_bytes, &ignored));
	TRY(push_table(&builder, argument));
	*pointer = address_at(&builder, builder.used_from);
	return STATUS_OK;
}
