/*
 * Instructions that may fault in the kernel, and where to go on then. trap.c looks here before it panics; registers and
 * flags (AC too) are as they were at the fault. The table is collected by kernel.ld.
 */
#ifndef CAPOS_KERNEL_ARCH_X86_64_FIXUP_H
#define CAPOS_KERNEL_ARCH_X86_64_FIXUP_H

#include <stdint.h>

struct fixup {
	uint64_t fault;  /* address of the instruction */
	uint64_t resume; /* where to go on */
};

/* Inside an asm statement, at its end; both are labels such as "1b". */
#define FIXUP(fault, resume)                               \
	".pushsection __fixup_table, \"a\", @progbits\n\t" \
	".quad " fault ", " resume "\n\t"                  \
	".popsection\n\t"

extern const struct fixup fixup_table_start[];
extern const struct fixup fixup_table_end[];

#endif
