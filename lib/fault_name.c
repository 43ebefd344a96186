#include "lib/fault_name.h"

#include <stdint.h>

const char *fault_name(enum user_fault_kind kind)
{
	static const char *const name[USER_FAULT_KIND_COUNT] = {
		[USER_FAULT_NONE] = "none",
		[USER_FAULT_UNRESERVED] = "unreserved",
		[USER_FAULT_UNCOMMITTED] = "uncommitted",
		[USER_FAULT_NO_ACCESS] = "no access",
		[USER_FAULT_READ_ONLY] = "write to read-only",
		[USER_FAULT_NO_EXECUTE] = "execute of NX",
		[USER_FAULT_GUARD] = "guard",
		[USER_FAULT_NON_CANONICAL] = "non-canonical",
		[USER_FAULT_KERNEL_ADDRESS] = "kernel address",
		[USER_FAULT_PRIVILEGED] = "privileged",
		[USER_FAULT_EXCEPTION] = "exception",
		[USER_FAULT_STACK_OVERFLOW] = "stack overflow",
		[USER_FAULT_OUT_OF_MEMORY] = "out of memory",
		[USER_FAULT_STACK_QUOTA] = "stack growth over its ledger",
	};

	return (uint32_t)kind < USER_FAULT_KIND_COUNT ? name[kind] : "unknown";
}
