#include "kernel/task/user_fault.h"

#include "kernel/arch/x86_64/log.h"
#include "kernel/arch/x86_64/trap.h"
#include "kernel/task/process.h"
#include "lib/fault_name.h"

#define CODE_BASE 128 /* exit code: this and the exception vector */

bool user_fault_is_mendable(enum user_fault_kind kind)
{
	switch (kind) {
	case USER_FAULT_UNRESERVED:
	case USER_FAULT_UNCOMMITTED:
	case USER_FAULT_NO_ACCESS:
	case USER_FAULT_READ_ONLY:
	case USER_FAULT_NO_EXECUTE:
	case USER_FAULT_GUARD:
	case USER_FAULT_STACK_OVERFLOW:
	case USER_FAULT_OUT_OF_MEMORY:
	case USER_FAULT_STACK_QUOTA:
		return true;
	case USER_FAULT_NONE:
	case USER_FAULT_NON_CANONICAL:
	case USER_FAULT_KERNEL_ADDRESS:
	case USER_FAULT_PRIVILEGED:
	case USER_FAULT_EXCEPTION:
	case USER_FAULT_KIND_COUNT:
		break;
	}
	return false;
}

struct process_exit user_fault_exit(const struct user_fault *fault)
{
	return (struct process_exit){
		.code = CODE_BASE + (int64_t)fault->vector,
		.end = PROCESS_FAULTED,
		.fault_kind = fault->kind,
		.fault_address = fault->address,
		.fault_rip = fault->rip,
	};
}

void user_fault_log(const struct process *process, const struct user_fault *fault)
{
	log_line("fault: process %llu %s: %s at 0x%llx rip 0x%llx (%s, error 0x%llx)", (unsigned long long)process->id,
		 process->name, fault_name(fault->kind), (unsigned long long)fault->address,
		 (unsigned long long)fault->rip, trap_name(fault->vector), (unsigned long long)fault->error);
}
