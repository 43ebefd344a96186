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
		[USER_FAULT_GUARD] = "stack overflow",
		[USER_FAULT_NON_CANONICAL] = "non-canonical address",
		[USER_FAULT_KERNEL_ADDRESS] = "access to a kernel address",
		[USER_FAULT_PRIVILEGED] = "privileged instruction",
		[USER_FAULT_EXCEPTION] = "processor exception",
	};

	return kind < USER_FAULT_KIND_COUNT ? text[kind] : "fault of an unknown kind";
}

static void show_how(const struct last_exit *last)
{
	print("%.*s (process %lu) ", (int)sizeof(last->name), last->name, last->process_id);
	if (last->load_status != STATUS_OK)
		print("could not be started: %s", status_name((enum status)last->load_status));
	else if (last->fault_kind != 0)
		print("was ended: %s at 0x%lx, vector %ld", fault_text(last->fault_kind), last->fault_address,
		      last->code - FAULT_CODE_BASE);
	else
		print("ended with code %ld", last->code);
}

bool exit_report_show(struct shell *shell)
{
	struct last_exit last;
	enum status status = system_control_client_last_exit(shell->system, &last);

	if (status == STATUS_NOT_FOUND)
		return false;
	if (status != STATUS_OK) {
		print("the end of the last program is not known: %s\n", status_name(status));
		return true;
	}
	show_how(&last);
	if (last.frames_before == last.frames_after)
		print("; %lu frames free, as before\n", last.frames_after);
	else
		print("; FRAMES DIFFER: %lu free before, %lu after\n", last.frames_before, last.frames_after);
	return true;
}
