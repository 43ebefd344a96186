/*
 * Into ring 3 and, by SYSCALL, back. The way in by exception or interrupt is trap.h.
 */
#ifndef CAPOS_KERNEL_ARCH_X86_64_USER_MODE_H
#define CAPOS_KERNEL_ARCH_X86_64_USER_MODE_H

#include <stdint.h>

/* SYSCALL registers of this CPU. By cpu_load. */
void user_mode_init(void);

/*
 * The segment state that a new program begins with: null selectors, GS base 0, FS base as given (canonical: a user
 * address). Goes with fpu_reset_user and user_mode_enter.
 */
void user_mode_reset_segments(uint64_t fs_base);

/*
 * Begin at `rip` with the stack `rsp`, all general registers 0, interrupts on. The kernel stack is as
 * cpu_set_kernel_stack says; what is on the current one is lost. Both addresses lie below USER_LIMIT.
 */
_Noreturn void user_mode_enter(uint64_t rip, uint64_t rsp);

/*
 * Upcalls into kernel/task: the two system calls of abi/syscall_abi.h, interrupts off, on the kernel stack. What
 * syscall_cap_enter returns is the program's RAX.
 */
uint64_t syscall_cap_enter(uint64_t min_complete, uint64_t timeout_ns);
_Noreturn void syscall_exit(uint64_t code);

#endif
