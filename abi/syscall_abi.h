/*
 * The two system calls, by SYSCALL: number in RAX, arguments in RDI, RSI; result in RAX. RCX and R11 are lost (SDM
 * vol. 2, SYSCALL), RDI, RSI, RDX, R8, R9, R10 come back 0; all others are kept. All other work goes through the ring.
 */
#ifndef CAPOS_ABI_SYSCALL_ABI_H
#define CAPOS_ABI_SYSCALL_ABI_H

#define SYSCALL_CAP_ENTER                                                                                        \
	0u              /* (min_complete, timeout_ns) -> completions that wait in the queue, or a negated status \
			 */
#define SYSCALL_EXIT 1u /* (code) -> does not return */

#define CAP_ENTER_FOREVER UINT64_MAX /* timeout_ns: no timeout */

#endif
