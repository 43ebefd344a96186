/*
 * A program of the boot package becomes a process: ELF segments, stack with guard, TLS, ring and CapSet pages. All or
 * nothing: on any refusal everything taken is given back.
 */
#ifndef CAPOS_KERNEL_TASK_SPAWN_H
#define CAPOS_KERNEL_TASK_SPAWN_H

#include <stdint.h>

#include "abi/capset.h"
#include "abi/status.h"
#include "kernel/task/process.h"

#define SPAWN_STACK_TOP (USER_LIMIT - UINT64_C(0xf000)) /* the last page of a 64 KiB unit stays empty above it */
#define SPAWN_GUARD_PAGES 16u

struct spawn_request {
	const char *name;
	const void *image; /* ELF bytes */
	uint64_t image_bytes;
	const char *const *argument;
	uint32_t arguments;
	const uint64_t *limits; /* LEDGER_COUNT of them */
};

/*
 * What the process may do at its start: called with everything else in place, to add capabilities and name them in the
 * CapSet (CapSet entries beyond CAPSET_MAX: TOO_LONG). A refusal undoes the whole spawn.
 */
typedef enum status spawn_grant_t(struct process *process, struct capset_page *capset);

/*
 * STATUS_ELF_*, OCCUPIED (a segment where stack, guard or TLS block go), OVER_*, OUT_OF_MEMORY, TOO_LONG (arguments),
 * and what `grant` refuses.
 */
enum status spawn_process(const struct spawn_request *request, spawn_grant_t *grant, struct process **process);

/* Add a named capability to a CapSet page and to the process. For a spawn_grant_t. */
enum status spawn_grant_capability(struct process *process, struct capset_page *capset, const char *name,
				   const struct cap_hold *hold);

#endif
