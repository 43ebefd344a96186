/*
 * x87, SSE and AVX belong to ring 3: the kernel is built without them (page_zero.S puts back the one register it
 * borrows), so a system call or an interrupt leaves them alone, and they are exchanged only where one thread follows
 * another on a CPU.
 */
#ifndef CAPOS_KERNEL_ARCH_X86_64_FPU_H
#define CAPOS_KERNEL_ARCH_X86_64_FPU_H

#include <stdint.h>

/*
 * FXSAVE area, XSAVE header, and the AVX state where the standard format has it (SDM vol. 1, 10.5.1, 13.4). A header of
 * zeros says: each component as after reset.
 */
struct fpu_state {
	uint16_t control_word;
	uint16_t status_word;
	uint32_t tags_and_opcode;
	uint64_t instruction_pointer, data_pointer;
	uint32_t mxcsr;
	uint32_t mxcsr_mask;
	uint8_t registers[480];
	uint8_t header[64];
	uint8_t avx[256]; /* upper halves of the vector registers */
} __attribute__((aligned(64)));

/*
 * Let ring 3 use them, on this CPU; AVX only if its state fits struct fpu_state. After features_detect, on the boot CPU
 * first.
 */
void fpu_init(void);

/* The state of a program that has not begun: control words as the System V ABI says, all registers 0. */
void fpu_state_init(struct fpu_state *state);

/*
 * This CPU's registers into `state`, and back; interrupts off. A save leaves out what has not changed since the restore
 * (XSAVEOPT), so it is right only if the last fpu_restore on this CPU was of this very state, and nobody else has
 * written the state since.
 */
void fpu_save(struct fpu_state *state);
void fpu_restore(const struct fpu_state *state);

#endif
