/*
 * The two system calls, as abi/syscall_abi.h says. Each register that SYSCALL or the kernel changes is named, so that
 * the compiler keeps nothing there; "memory" because the kernel writes completions and buffers.
 */
#ifndef CAPOS_USER_RUNTIME_SYSTEM_CALL_H
#define CAPOS_USER_RUNTIME_SYSTEM_CALL_H

#include <stdint.h>

#include "abi/syscall_abi.h"

static inline int64_t system_call(uint64_t number, uint64_t first, uint64_t second)
{
	uint64_t result = number;

	__asm__ volatile("syscall"
			 : "+a"(result), "+D"(first), "+S"(second)
			 :
			 : "rcx", "rdx", "r8", "r9", "r10", "r11", "cc", "memory");
	return (int64_t)result;
}

/*
 * Let the kernel take the submissions, then wait until `min_complete` completions stand in the queue or `timeout_ns`
 * has passed. Returns how many stand there, or a negated enum status.
 */
static inline int64_t system_call_cap_enter(uint64_t min_complete, uint64_t timeout_ns)
{
	return system_call(SYSCALL_CAP_ENTER, min_complete, timeout_ns);
}

static inline _Noreturn void system_call_exit(int code)
{
	(void)system_call(SYSCALL_EXIT, (uint64_t)(int64_t)code, 0);
	for (;;)
		__asm__ volatile("ud2"); /* exit does not return; a kernel that lets it must not run us on */
}

#endif
