/*
 * How a program starts: RIP at e_entry, RSP 16-byte aligned at argc, then argv[], 0, envp[], 0, auxiliary vector, as
 * the System V ABI for x86-64 says (section 3.4.1); RSI is the address of its ring; all other registers 0. FS base
 * points at the thread's TLS block.
 */
#ifndef CAPOS_ABI_STARTUP_H
#define CAPOS_ABI_STARTUP_H

/* Auxiliary vector types of our own, beside the standard ones. */
#define AUX_CAPOS_CAPSET 0x1000u /* address of the CapSet page */
#define AUX_CAPOS_RING 0x1001u   /* address of this thread's ring */

/*
 * Pages of the first thread's stack that are there from the start, if its limit has as many. Further ones come as it
 * touches them, down to the limit; below that is a guard that nothing can be mapped into.
 */
#define STARTUP_STACK_PAGES 4u

#endif
