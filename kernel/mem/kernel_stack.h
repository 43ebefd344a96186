/*
 * Kernel stacks in the stack window: KERNEL_STACK_PAGES each, an unmapped guard page below, slots reused.
 */
#ifndef CAPOS_KERNEL_MEM_KERNEL_STACK_H
#define CAPOS_KERNEL_MEM_KERNEL_STACK_H

#include <stdbool.h>
#include <stdint.h>

#include "abi/memory_layout.h"
#include "abi/status.h"

#define KERNEL_STACK_PAGES 4u

/* The window, from STACK_WINDOW_START. In a slot the guard page comes first. */
#define KERNEL_STACK_SLOTS 4096u
#define KERNEL_STACK_SLOT_BYTES ((KERNEL_STACK_PAGES + 1u) * PAGE_SIZE)

/* OUT_OF_MEMORY: no frame, or no slot. *top is 16-byte aligned, for cpu_set_kernel_stack and context_prepare. */
enum status kernel_stack_create(uint64_t *top);

/* Whether that page of the window is a guard: never mapped. */
bool kernel_stack_is_guard(uint64_t address);

/* Nothing may run on it any more, on any CPU. */
void kernel_stack_destroy(uint64_t top);

#endif
