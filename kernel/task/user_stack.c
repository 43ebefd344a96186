#include "kernel/task/user_stack.h"

#include <elf.h>

#include "abi/memory_layout.h"
#include "abi/process_abi.h"
#include "abi/startup.h"
#include "lib/check.h"
#include "lib/string.h"

#define VECTOR_ENTRIES 18u
#define POINTERS (PROCESS_MAX_STRINGS + 3u) /* argc, and a 0 behind either list */

_Static_assert(PROCESS_MAX_STRING_BYTES + (POINTERS + 1u) * 8u + VECTOR_ENTRIES * sizeof(Elf64_auxv_t) + 16u + 16u <=
		       PAGE_SIZE,
	       "whatever passes check_lists fits");

static enum status check_list(const struct string_list *list)
{
	uint32_t ends = 0;

	for (uint32_t i = 0; i < list->bytes; i++)
		ends += list->text[i] == 0;
	GUARD(ends == list->count, STATUS_BAD_ARGUMENT);
	GUARD(list->bytes == 0 || list->text[list->bytes - 1] == 0, STATUS_BAD_ARGUMENT);
	return STATUS_OK;
}

static enum status check_lists(const struct user_stack *stack)
{
	uint64_t bytes = (uint64_t)stack->arguments.bytes + stack->environment.bytes;
	uint64_t count = (uint64_t)stack->arguments.count + stack->environment.count;

	GUARD(bytes <= PROCESS_MAX_STRING_BYTES && count <= PROCESS_MAX_STRINGS, STATUS_TOO_LONG);
	TRY(check_list(&stack->arguments));
	return check_list(&stack->environment);
}

static void add(Elf64_auxv_t *vector, uint32_t *count, uint64_t type, uint64_t value)
{
	CHECK(*count < VECTOR_ENTRIES);
	vector[*count].a_type = type;
	vector[*count].a_un.a_val = value;
	(*count)++;
}

static void fill_vector(const struct user_stack *stack, Elf64_auxv_t *vector, uint64_t name, uint64_t random)
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
	add(vector, &count, AT_HWCAP, stack->hwcap);
	add(vector, &count, AT_CLKTCK, 100);
	add(vector, &count, AUX_CAPOS_CAPSET, CAPSET_ADDRESS);
	add(vector, &count, AUX_CAPOS_RING, RING_ADDRESS);
	add(vector, &count, AT_NULL, 0);
	CHECK(count == VECTOR_ENTRIES);
}

/* What is free of the page: [0, used_from). */
struct builder {
	uint8_t *page;
	uint64_t bottom; /* user address of the page */
	uint64_t used_from;
};

/* Returns the user address. */
static uint64_t push(struct builder *builder, const void *bytes, uint64_t count)
{
	CHECK(count <= builder->used_from);
	builder->used_from -= count;
	if (count != 0) /* an empty list has no bytes to point to */
		memcpy(builder->page + builder->used_from, bytes, count);
	return builder->bottom + builder->used_from;
}

/* Addresses of the strings of a list that lies at `address`, and a 0. Returns how many words. */
static uint32_t list_pointers(const struct string_list *list, uint64_t address, uint64_t *pointer)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < list->bytes; i++)
		if (i == 0 || list->text[i - 1] == 0)
			pointer[count++] = address + i;
	pointer[count] = 0;
	return count + 1;
}

enum status user_stack_build(const struct user_stack *stack, uint8_t *page, uint64_t *pointer)
{
	struct builder builder = { page, stack->top - PAGE_SIZE, PAGE_SIZE };
	Elf64_auxv_t vector[VECTOR_ENTRIES];
	uint64_t table[POINTERS];
	uint64_t arguments, environment, random;
	uint32_t words = 1;

	TRY(check_lists(stack));
	environment = push(&builder, stack->environment.text, stack->environment.bytes);
	arguments = push(&builder, stack->arguments.text, stack->arguments.bytes);
	random = push(&builder, stack->random, sizeof(stack->random));
	fill_vector(stack, vector, stack->arguments.count != 0 ? arguments : 0, random);
	table[0] = stack->arguments.count;
	words += list_pointers(&stack->arguments, arguments, table + words);
	words += list_pointers(&stack->environment, environment, table + words);
	/* RSP is 16-byte aligned where argc lies: the vector is a multiple of 16, what is odd goes above it. */
	builder.used_from &= ~UINT64_C(15);
	if (words % 2 != 0)
		builder.used_from -= 8;
	(void)push(&builder, vector, sizeof(vector));
	*pointer = push(&builder, table, words * sizeof(table[0]));
	return STATUS_OK;
}
