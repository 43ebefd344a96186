/*
 * A program's image in a new address space, where its layout says: ELF segments, the TLS block behind them, the stack
 * above its guard.
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

/* The bytes of a memory object as a file. The caller keeps a use of it. */
struct elf_source program_image_of_object(const struct memory_object *object, uint64_t bytes);

/* Bytes in kernel memory as a file. */
struct memory_file {
	const uint8_t *data;
	uint64_t bytes;
};

struct elf_source program_image_of_file(const struct memory_file *file);

/* Pages behind the last segment for TLS block and thread control block: whole ones, at least one. */
uint64_t program_image_tls_bytes(const struct elf_plan *plan);

/*
 * Into the space of a process that does not run and has its layout; the plan is placed. *start is what its first
 * thread needs (argument and priority are 0). OVER_IMAGE, OVER_PAGE_TABLE, OUT_OF_MEMORY; of the strings:
 * TOO_LONG, BAD_ARGUMENT. What is there at a refusal goes with the space.
 */
enum status program_image_load(struct process *process, const struct elf_source *source, const struct elf_plan *plan,
			       const struct string_list strings[2], struct thread_start *start);

#endif
