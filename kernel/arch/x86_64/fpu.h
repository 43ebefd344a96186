/*
 * x87, SSE and AVX belong to ring 3: the kernel is built without them (page_zero.S puts back the one register it
 * borrows), so a system call or an interrupt leaves them alone.
 */
#ifndef CAPOS_KERNEL_ARCH_X86_64_FPU_H
#define CAPOS_KERNEL_ARCH_X86_64_FPU_H

/* Let ring 3 use them, on this CPU. After features_detect. */
void fpu_init(void);

/* The state of a program that has not begun: control words as the System V ABI says, all registers 0. */
void fpu_reset_user(void);

#endif
