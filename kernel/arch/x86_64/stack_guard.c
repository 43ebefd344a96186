#include "kernel/arch/x86_64/stack_guard.h"

#ifdef __SSP_STRONG__

#include "kernel/arch/x86_64/panic.h"
#include "kernel/arch/x86_64/random.h"

uint64_t __stack_chk_guard;

/* The lowest byte stays 0, so that no string can run over the word and leave it as it was. */
__attribute__((no_stack_protector)) void stack_guard_init(void)
{
	__stack_chk_guard = random_timer() & ~UINT64_C(0xff);
}

/* The call is the last thing in the function, so the address after it may be in the next one. */
void __stack_chk_fail(void)
{
	panic("a buffer on the stack was overrun by the function at 0x%lx", (uint64_t)__builtin_return_address(0) - 1);
}

#endif
