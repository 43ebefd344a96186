/*
 * Into ring 3 and, by SYSCALL, back. The way in by exception or interrupt is trap.h.
 */
#ifndef CAPOS_KERNEL_ARCH_X86_64_USER_MODE_H
#define CAPOS_KERNEL_ARCH_X86_64_USER_MODE_H

#include <stdint.h>

/* SYSCALL registers of this CPU. By cpu_load. */
void user_mode_init(void);

/* Bases of a thread's segments: canonical, since the CPU had them or they are user addresses. */
struct user_segments {
	uint64_t fs_base;
	uint64_t gs_base; /* in ring 3; in the kernel it waits in the MSR that SWAPGS exchanges with */
};

/*
 * The bases that the program has on this CPU, and back; interrupts off. Loading also makes DS, ES, FS and GS null,
 * which is what a program begins with: selectors that it loaded itself do not outlive its turn on a CPU.
 */
void user_mode_save_segments(struct user_segments *segments);
void user_mode_load_segments(const struct user_segments *segments);

/*
 * Begin at `rip` with the stack `rsp`, these values in RDI and RSI, all other general registers 0, interrupts on. The
 * kernel stack is as cpu_set_kernel_stack says; what is on the current one is lost. Segments and vector registers are
 * loaded already. `rip` and `rsp` lie below USER_LIMIT.
 */
_Noreturn void user_mode_enter(uint64_t rip, uint64_t rsp, uint64_t rdi, uint64_t rsi);

/*
 * Upcalls into kernel/task: the two system calls of abi/syscall_abi.h, interrupts off, on the kernel stack. What
 * syscall_cap_enter returns is the program's RAX.
 */
uint64_t syscall_cap_enter(uint64_t min_complete, uint64_t timeout_ns);
_Noreturn void syscall_exit(uint64_t code);

#endif
