/* Why a program was ended: struct process_exit.fault_kind. */
#ifndef CAPOS_ABI_USER_FAULT_ABI_H
#define CAPOS_ABI_USER_FAULT_ABI_H

/* Numbers never change once published. */
enum user_fault_kind {
	USER_FAULT_NONE = 0,
	USER_FAULT_UNRESERVED = 1,     /* nothing is at the address */
	USER_FAULT_UNCOMMITTED = 2,    /* reserved, no frame */
	USER_FAULT_NO_ACCESS = 3,      /* committed, protection NONE */
	USER_FAULT_READ_ONLY = 4,      /* write to a page without write permission */
	USER_FAULT_NO_EXECUTE = 5,     /* execute of a page without execute permission */
	USER_FAULT_GUARD = 6,          /* guard page: the stack is at its end */
	USER_FAULT_NON_CANONICAL = 7,  /* an address that no 48-bit address extends to */
	USER_FAULT_KERNEL_ADDRESS = 8, /* the kernel's half */
	USER_FAULT_PRIVILEGED = 9,     /* general protection: privileged instruction, bad selector ... */
	USER_FAULT_EXCEPTION = 10,     /* any other processor exception */
	/* The first touch of a page that was promised: nothing is wrong with the access. */
	USER_FAULT_STACK_OVERFLOW = 11, /* in the guard below the stack, which has grown to its limit */
	USER_FAULT_OUT_OF_MEMORY = 12,  /* no frame is free anywhere in the system */
	USER_FAULT_STACK_QUOTA = 13,    /* a ledger has no room for the stack to grow */
	USER_FAULT_KIND_COUNT
};

#endif
