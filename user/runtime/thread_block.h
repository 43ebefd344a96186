/*
 * Thread-local storage of one thread, as the System V ABI for x86-64 lays it out (TLS variant II): a copy of the
 * program's image, zeros, and right behind it the control block that FS points at, whose first word is its own address.
 */
#ifndef CAPOS_USER_RUNTIME_THREAD_BLOCK_H
#define CAPOS_USER_RUNTIME_THREAD_BLOCK_H

#include <elf.h>
#include <stdint.h>

#define THREAD_BLOCK_CONTROL_BYTES 64u

/* What the program's PT_TLS says; all 0 if it has none. alignment is a power of two. */
struct thread_image {
	const void *bytes;
	uint64_t file_bytes, memory_bytes, alignment;
};

/* The image of a program, by its headers where they lie (load_offset.h). */
struct thread_image thread_block_image(const Elf64_Phdr *headers, uint64_t count);

/* Copy the image once more into the storage below a control block, for a program that has relocated it. */
void thread_block_renew(const struct thread_image *image, uint64_t control);

/* Bytes below any end that thread_block_build may write. */
uint64_t thread_block_bytes(const struct thread_image *image);

/*
 * Build the storage in zeroed memory, as high below `end` as it goes. Returns the control block's address, for FS.
 * *start: the lowest byte of the storage, 16-byte aligned: what lies below is free.
 */
uint64_t thread_block_build(const struct thread_image *image, void *end, void **start);

#endif
