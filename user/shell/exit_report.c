#include "user/shell/exit_report.h"

#include "abi/user_fault_abi.h"
#include "lib/status.h"
#include "user/runtime/print.h"

#define FAULT_CODE_BASE 128 /* exit code of a fault: this and the exception vector (SDM vol. 3, table 6-1) */

static const char *fault_text(uint32_t kind)
{
	static const char *const text[USER_FAULT_KIND_COUNT] = {
		[USER_FAULT_NONE] = "no fault",
		[USER_FAULT_UNRESERVED] = "access to unreserved memory",
		[USER_FAULT_UNCOMMITTED] = "access to uncommitted memory",
		[USER_FAULT_NO_ACCESS] = "access to memory without access",
		[USER_FAULT_READ_ONLY] = "write to read-only memory",
		[USER_FAULT_NO_EXECUTE] = "execution of data",
		[USER_FAULT_GUARD] = "access to a guard page",
		[USER_FAULT_NON_CANONICAL] = "non-canonical address",
		[USER_FAULT_KERNEL_ADDRESS] = "access to a kernel address",
		[USER_FAULT_PRIVILEGED] = "privileged instruction",
		[USER_FAULT_EXCEPTION] = "processor exception",
		[USER_FAULT_STACK_OVERFLOW] = "stack overflow",
		[USER_FAULT_OUT_OF_MEMORY] = "no memory for a page that was promised",
		[USER_FAULT_STACK_QUOTA] = "no room in a ledger for the stack to grow",
	};

	return kind < USER_FAULT_KIND_COUNT ? text[kind] : "fault of an unknown kind";
}

void exit_report_show(const struct job *job)
{
	const struct process_exit *end = &job->exit;

	print("%s (process %lu) ", job->name, job->process.process_id);
	if (job->status != STATUS_OK)
		print("has ended, nobody knows how: %s", status_name(job->status));
	else if (end->end == PROCESS_EXITED)
		print("ended with code %ld", end->code);
	else if (end->end == PROCESS_FAULTED)
		print("was ended: %s at 0x%lx, vector %ld, by the instruction at 0x%lx", fault_text(end->fault_kind),
		      end->fault_address, end->code - FAULT_CODE_BASE, end->fault_rip);
	else if (end->end == PROCESS_KILLED)
		print("was killed");
	else
		print("ended in an unknown way");
}

void exit_report_frames(uint64_t before, uint64_t after)
{
	if (before == after)
		print("; %lu frames free, as before\n", after);
	else
		print("; FRAMES DIFFER: %lu free before, %lu after\n", before, after);
}
