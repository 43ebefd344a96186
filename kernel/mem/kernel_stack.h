/*
 * Kernel stacks in the stack window: KERNEL_STACK_PAGES each, an unmapped guard page below, slots reused.
 *
 * The last few that were given back stay mapped, up to KERNEL_STACK_CACHE in the system, and are the first to be used
 * again: a thread that begins or ends then maps nothing, and interrupts no other CPU for a flush. Their frames are
 * nobody's: not free (frame_free_count does not have them) and no thread's. So
 *  - who compares free frames before and after threads came and went, adds kernel_stack_cached() * KERNEL_STACK_PAGES
 *    to both, or calls kernel_stack_trim() before both;
 *  - who accounts for every frame, counts so many of FRAME_KERNEL for the cache;
 *  - who is refused a frame, tries again if kernel_stack_trim() gave any back.
 *
 * Locks: one of its own, taken under no other, and not held while a stack is mapped, unmapped or flushed. Any CPU may
 * call, without a lock.
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

#define KERNEL_STACK_CACHE 8u

/*
 * Make the page tables of the window, for as many stacks as this RAM is worth, so that a stack never takes one: what
 * threads leave behind is nothing. Once, after frame_init. OUT_OF_MEMORY.
 */
enum status kernel_stack_init(void);

/* How many stacks there can be at a time. */
uint32_t kernel_stack_limit(void);

/*
 * OUT_OF_MEMORY: no frame, or no slot. *top is 16-byte aligned, for cpu_set_kernel_stack and context_prepare. What is
 * on it is whatever was.
 */
enum status kernel_stack_create(uint64_t *top);

/* Whether that page of the window is a guard: never mapped. */
bool kernel_stack_is_guard(uint64_t address);

/* Nothing may run on it any more, on any CPU. */
void kernel_stack_destroy(uint64_t top);

/* How many stacks the cache holds. */
uint64_t kernel_stack_cached(void);

/* Empty the cache; the frames that came back. Not under the locks of the kernel's page tables. */
uint64_t kernel_stack_trim(void);

/* Each cached stack has a slot of its own, which is in use. */
bool kernel_stack_is_valid(void);

#endif
