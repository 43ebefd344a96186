/*
 * The memory operand of the instruction that a program faulted on, for the fault report: general-protection faults
 * carry no address.
 */
#ifndef CAPOS_KERNEL_ARCH_X86_64_INSTRUCTION_OPERAND_H
#define CAPOS_KERNEL_ARCH_X86_64_INSTRUCTION_OPERAND_H

#include <stdbool.h>
#include <stdint.h>

#include "kernel/arch/x86_64/trap.h"

#define INSTRUCTION_BYTES 15u /* the longest (SDM vol. 2A, 2.3.11) */

/*
 * The effective address of a ModRM memory operand (one- and two-byte opcodes), or the target of a PUSH, POP, CALL or
 * RET stack access, without segment bases. False if the instruction has none that this decoder knows.
 */
bool instruction_operand_address(const uint8_t code[INSTRUCTION_BYTES], const struct trap_frame *frame,
				 uint64_t *address);

/* Where an instruction that jumps, calls or returns gets its target from. */
struct instruction_branch {
	bool is_in_memory;
	uint64_t value; /* the target; if it is in memory, its address */
};

/*
 * Whether the instruction is a near jump or call through a register or a word of memory, or a return: the processor may
 * refuse it for its target (SDM vol. 2, JMP, CALL, RET).
 */
bool instruction_operand_branch(const uint8_t code[INSTRUCTION_BYTES], const struct trap_frame *frame,
				struct instruction_branch *branch);

#endif
