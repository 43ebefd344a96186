#include "user/runtime/thread_block.h"

#include "lib/string.h"
#include "user/runtime/load_offset.h"

#define STACK_ALIGNMENT 16u

static uint64_t round_up(uint64_t value, uint64_t alignment)
{
	return (value + alignment - 1) & ~(alignment - 1);
}

/* Of the control block: the image's own, and a cache line. */
static uint64_t control_alignment(const struct thread_image *image)
{
	return image->alignment > THREAD_BLOCK_CONTROL_BYTES ? image->alignment : THREAD_BLOCK_CONTROL_BYTES;
}

/* The linker counts offsets of variables from the image's end, rounded up to its alignment. */
static uint64_t storage_bytes(const struct thread_image *image)
{
	return image->memory_bytes == 0 ? 0 : round_up(image->memory_bytes, image->alignment);
}

struct thread_image thread_block_image(const Elf64_Phdr *headers, uint64_t count)
{
	const uint64_t offset = load_offset_of(headers, count);

	for (uint64_t i = 0; i < count; i++) {
		const Elf64_Phdr *header = &headers[i];

		if (header->p_type == PT_TLS)
			return (struct thread_image){ (const void *)(header->p_vaddr + offset), header->p_filesz,
						      header->p_memsz, header->p_align > 0 ? header->p_align : 1 };
	}
	return (struct thread_image){ 0 };
}

uint64_t thread_block_bytes(const struct thread_image *image)
{
	return THREAD_BLOCK_CONTROL_BYTES + control_alignment(image) + storage_bytes(image) + STACK_ALIGNMENT;
}

void thread_block_renew(const struct thread_image *image, uint64_t control)
{
	if (image->file_bytes > 0)
		memcpy((void *)(control - storage_bytes(image)), image->bytes, image->file_bytes);
}

uint64_t thread_block_build(const struct thread_image *image, void *end, void **start)
{
	const uint64_t control = ((uint64_t)end - THREAD_BLOCK_CONTROL_BYTES) & ~(control_alignment(image) - 1);
	const uint64_t storage = control - storage_bytes(image);

	memcpy((void *)control, &control, sizeof(control));
	thread_block_renew(image, control);
	*start = (void *)(storage & ~(uint64_t)(STACK_ALIGNMENT - 1));
	return control;
}
