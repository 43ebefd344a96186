/*
 * The last step: from the loader's address space to the kernel's. The code is position independent and runs from a copy
 * in loader-reclaimable memory, at its direct-map address, which both address spaces have; so the kernel's tables need
 * no identity mapping, and the loader's own image can be wiped while the code runs.
 */
#ifndef CAPOS_SHIM_HANDOVER_H
#define CAPOS_SHIM_HANDOVER_H

#include <stddef.h>
#include <stdint.h>

#define HANDOVER_GDT_ENTRIES 7u

/* Read by handover.S; offsets asserted below. All addresses but `root` are direct-map or kernel addresses. */
struct handover {
	uint64_t root;       /* physical address of the kernel's PML4 */
	uint64_t stack;      /* highest address of the stack, 16-byte aligned */
	uint64_t entry;      /* first instruction of the kernel */
	uint64_t wipe_start; /* the loader's own image */
	uint64_t wipe_words; /* in units of 8 bytes */
	uint64_t wipe_pattern;
	uint8_t gdt_pointer[16]; /* limit (2 bytes) and base (8 bytes), as LGDT takes them */
	uint8_t idt_pointer[16]; /* all zero: any exception before the kernel has its own IDT resets the machine */
	uint64_t gdt[HANDOVER_GDT_ENTRIES];
};

_Static_assert(offsetof(struct handover, stack) == 8, "handover.S");
_Static_assert(offsetof(struct handover, entry) == 16, "handover.S");
_Static_assert(offsetof(struct handover, wipe_start) == 24, "handover.S");
_Static_assert(offsetof(struct handover, wipe_words) == 32, "handover.S");
_Static_assert(offsetof(struct handover, wipe_pattern) == 40, "handover.S");
_Static_assert(offsetof(struct handover, gdt_pointer) == 48, "handover.S");
_Static_assert(offsetof(struct handover, idt_pointer) == 64, "handover.S");

/* The code to copy. Called at the copy's address with the address of a struct handover; does not return. */
extern const uint8_t handover_code[], handover_code_end[];

#endif
