/*
 * The first stack of a program, as the System V ABI for x86-64 wants it (abi/startup.h): argc, argv, envp, auxiliary
 * vector, and the strings. Built in a page of the caller's, to be copied to the top of the stack.
 */
#ifndef CAPOS_KERNEL_TASK_USER_STACK_H
#define CAPOS_KERNEL_TASK_USER_STACK_H

#include <stdint.h>

#include "abi/status.h"
#include "lib/elf_plan.h"

/* `count` strings, each 0-terminated, one behind the other in `bytes` bytes. */
struct string_list {
	const char *text;
	uint32_t count, bytes;
};

struct user_stack {
	struct string_list arguments, environment;
	const struct elf_plan *plan;
	uint32_t hwcap; /* what the CPU can do, in the words of AT_HWCAP */
	uint64_t top;   /* user address of the end of the page that is built */
	uint64_t random[2];
};

/*
 * Fill `page` (4096 bytes, all of them zero) from its end; *pointer is then the user's RSP. TOO_LONG: more strings or
 * bytes than abi/process_abi.h allows; BAD_ARGUMENT: not `count` strings in `bytes` bytes.
 */
enum status user_stack_build(const struct user_stack *stack, uint8_t *page, uint64_t *pointer);

#endif
