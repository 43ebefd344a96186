/*
 * From a program's file to a running process, all or nothing: on any refusal everything taken is given back, on both
 * sides.
 */
#ifndef CAPOS_KERNEL_TASK_SPAWN_H
#define CAPOS_KERNEL_TASK_SPAWN_H

#include <stdint.h>

#include "abi/capset.h"
#include "abi/process_abi.h"
#include "abi/status.h"
#include "kernel/task/process.h"
#include "kernel/task/process_layout.h"
#include "kernel/task/user_stack.h"
#include "lib/elf_plan.h"

struct spawn_request {
	const char *name;
	struct process *parent; /* who pays, grants and gets the handle; NULL: the machine */
	const struct elf_source *source;
	struct string_list strings[2]; /* arguments, environment */
	const uint64_t *limits;        /* LEDGER_COUNT of them */
	uint32_t priority;
	struct process_layout_wish layout;
	const struct process_grant *grant; /* the kernel's copy */
	uint32_t grants;
	/* For the machine, which has no table to grant from: more holds, of uncounted objects. */
	const struct spawn_extra *extra;
	uint32_t extras;
};

struct spawn_extra {
	const char *name;
	struct cap_hold hold;
};

/*
 * Make a process, which process_start then lets run: the caller first gives back all that it took for the request, so
 * that the program finds none of it missing. With a parent, *handle names the new process in its table. Without one,
 * *process is the new one, with a use that the caller ends. STATUS_ELF_*, LAYOUT_*, BOOTSTRAP_RANGE, OVER_*,
 * OUT_OF_MEMORY, TOO_LONG (strings, grants), BAD_ARGUMENT (strings, kind of a grant, a name twice or not terminated,
 * priority above the parent's, layout), NO_SUCH_CAPABILITY, NOT_TRANSFERABLE.
 */
enum status spawn_process(const struct spawn_request *request, struct process **process, handle_t *handle,
			  uint64_t *process_id);

#endif
