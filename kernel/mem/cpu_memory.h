/*
 * What each CPU has for itself (struct cpu_memory, kernel/arch/x86_64/cpu_local.h), with the guards of its stacks
 * unmapped: in the stack window, behind the slots of kernel_stack.c; the boot CPU's in the image.
 */
#ifndef CAPOS_KERNEL_MEM_CPU_MEMORY_H
#define CAPOS_KERNEL_MEM_CPU_MEMORY_H

#include <stdbool.h>
#include <stdint.h>

#include "abi/status.h"
#include "kernel/arch/x86_64/cpu_local.h"

/*
 * Memory for CPU `index`, from boot_memory and for good: OUT_OF_MEMORY. On the boot CPU, before frame_init, once for
 * each index from 1 to CPU_MAX - 1.
 */
enum status cpu_memory_create(uint32_t index, struct cpu_memory **memory);

/* Whether that page is the guard of a CPU's stack: not mapped, once cpu_memory_guard_boot has run. */
bool cpu_memory_guards(uint64_t address);

/* Unmap the guards of the boot CPU's stacks. Once, on the boot CPU, after paging_init. */
void cpu_memory_guard_boot(void);

#endif
