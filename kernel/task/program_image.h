/*
 * A program's image in a new address space: ELF segments, stack with its guard, TLS block.
 */
#ifndef CAPOS_KERNEL_TASK_PROGRAM_IMAGE_H
#define CAPOS_KERNEL_TASK_PROGRAM_IMAGE_H

#include "abi/startup.h"
#include "abi/status.h"
#include "kernel/mem/memory_object.h"
#include "kernel/task/process.h"
#include "kernel/task/process_thread.h"
#include "kernel/task/user_stack.h"
#include "lib/elf_plan.h"

#define PROGRAM_STACK_TOP (USER_LIMIT - UINT64_C(0xf000)) /* the last page of a 64 KiB unit stays empty above it */
#define PROGRAM_GUARD_PAGES 16u

/* The bytes of a memory object as a file. The caller keeps a use of it. */
struct elf_source program_image_of_object(const struct memory_object *object, uint64_t bytes);

/* Bytes in kernel memory as a file. */
struct memory_file {
	const uint8_t *data;
	uint64_t bytes;
};

struct elf_source program_image_of_file(const struct memory_file *file);

/*
 * Into the space of a process that does not run; *start is what its first thread needs (argument and priority are 0).
 * OCCUPIED (a segment where stack, guard or TLS block go), OVER_IMAGE, OVER_PAGE_TABLE, OUT_OF_MEMORY; of the strings:
 * TOO_LONG, BAD_ARGUMENT. What is there at a refusal goes with the space.
 */
enum status program_image_load(struct process *process, const struct elf_source *source, const struct elf_plan *plan,
			       const struct string_list strings[2], struct thread_start *start);

#endif
