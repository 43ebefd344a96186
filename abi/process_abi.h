/*
 * ProcessSpawner and ProcessHandle.
 *
 * A new process has what its spawner grants by name, and nothing else: no capability, no quota, no environment is
 * inherited. Its limits are carved out of the spawner's own unused limits and go back when it has ended; if the
 * spawner has ended before, to the spawner's spawner. A spawn that fails has changed nothing.
 */
#ifndef CAPOS_ABI_PROCESS_ABI_H
#define CAPOS_ABI_PROCESS_ABI_H

#include <stdint.h>

#include "abi/handle.h"
#include "abi/virtual_memory_abi.h"

enum process_spawner_operation {
	/*
	 * (request, bytes of it) -> process id; transfer record: a ProcessHandle. BAD_ARGUMENT, TOO_LONG, BUFFER_FAULT:
	 * the request or what it points to; NOT_FOUND: no such program; STATUS_ELF_*: the program; OVER_*: the
	 * spawner's or, for what it needs to start, the child's own limits; LAYOUT_*, BOOTSTRAP_RANGE: no layout of
	 * that kind has room for image and stack; NO_SUCH_CAPABILITY, NOT_TRANSFERABLE: a grant; OUT_OF_MEMORY.
	 */
	PROCESS_SPAWNER_SPAWN = 0,
	PROCESS_SPAWNER_OPERATION_COUNT
};

enum process_handle_operation {
	/*
	 * (buffer, bytes) -> exit code, and struct process_exit. Completes when the process has ended and all it had
	 * has been given back. Any number of times. The buffer may be 0 with 0 bytes.
	 */
	PROCESS_HANDLE_WAIT = 0,
	PROCESS_HANDLE_KILL = 1,       /* (): begins its end; WAIT tells when it is over. Ended ones: 0, too */
	PROCESS_HANDLE_STATISTICS = 2, /* (buffer, bytes): struct process_statistics */
	PROCESS_HANDLE_OPERATION_COUNT
};

/* Where the parts of the child lie: docs/layouts.md. */
enum process_layout {
	PROCESS_LAYOUT_DEFAULT = 0,        /* FLEXIBLE */
	PROCESS_LAYOUT_CLASSIC = 1,        /* mappings from a third of the address space upward, never at an offset */
	PROCESS_LAYOUT_CLASSIC_RANDOM = 2, /* at a random offset */
	PROCESS_LAYOUT_FLEXIBLE = 3,       /* mappings from below the stack downward */
	PROCESS_LAYOUT_COUNT
};

/* Of a layout; without them stack, mappings (unless CLASSIC) and a position-independent image lie at random offsets. */
#define PROCESS_LAYOUT_FIXED 1u       /* no random offset at all; alone */
#define PROCESS_LAYOUT_SEEDED 2u      /* the offsets are those of layout_seed: the same seed, the same layout */
#define PROCESS_LAYOUT_HEAP_OFFSET 4u /* the heap begins at a random offset too */

#define PROCESS_NAME_BYTES 32u         /* with the terminating 0 */
#define PROCESS_MAX_STRING_BYTES 3072u /* arguments and environment together, with their 0s */
#define PROCESS_MAX_STRINGS 64u

/* What the program is. */
enum process_source {
	PROCESS_FROM_PACKAGE = 0, /* the boot package's file `program` */
	PROCESS_FROM_OBJECT = 1,  /* the first `image_bytes` bytes of the memory object `image` */
};

enum process_grant_kind {
	PROCESS_GRANT_COPY = 1, /* of the spawner's `capability` */
	PROCESS_GRANT_MOVE = 2,
	PROCESS_GRANT_OWN =
		3, /* a new capability bound to the child: `interface` VIRTUAL_MEMORY, THREAD_CONTROL, PARK_SPACE */
};

struct process_grant {
	char name[32];       /* in the child's CapSet; 0-terminated */
	uint32_t kind;       /* enum process_grant_kind */
	handle_t capability; /* COPY, MOVE */
	uint32_t interface;  /* OWN; else 0 */
	uint32_t unused;     /* 0 */
};

struct process_spawn_request {
	char name[PROCESS_NAME_BYTES]; /* 0-terminated */
	char program[64];              /* FROM_PACKAGE: file name, 0-terminated */
	uint32_t source;               /* enum process_source */
	handle_t image;                /* FROM_OBJECT */
	uint64_t image_bytes;
	uint64_t arguments;   /* address of the 0-terminated strings, one behind the other */
	uint64_t environment; /* the same */
	uint32_t argument_count, argument_bytes;
	uint32_t environment_count, environment_bytes;
	uint64_t grants; /* address of struct process_grant [grant_count] */
	uint32_t grant_count;
	uint32_t priority; /* the highest that its threads may have; at most the spawner's own */
	uint64_t limit[LEDGER_COUNT];
	uint32_t layout;       /* enum process_layout */
	uint32_t layout_flags; /* PROCESS_LAYOUT_* */
	uint64_t layout_seed;  /* SEEDED; else 0 */
	uint64_t stack_limit;  /* bytes that the first thread's stack may grow to; 0: 8 MiB */
};

enum process_end {
	PROCESS_EXITED = 0,  /* it called exit, or its last thread ended */
	PROCESS_FAULTED = 1, /* a thread did what it may not: fault_kind, fault_address */
	PROCESS_KILLED = 2,
};

struct process_exit {
	uint64_t process_id;
	int64_t code;        /* EXITED: its own; FAULTED: 128 + exception vector; KILLED: 137 */
	uint32_t end;        /* enum process_end */
	uint32_t fault_kind; /* enum user_fault_kind */
	uint64_t fault_address;
	uint64_t fault_rip;
	uint64_t run_ns; /* of all threads, on a CPU */
};

struct process_statistics {
	uint64_t process_id;
	uint32_t threads;
	uint32_t ended; /* 1: it has */
	uint64_t run_ns;
	struct memory_statistics memory;
};

_Static_assert(sizeof(struct process_grant) == 48, "layout");
_Static_assert(sizeof(struct process_spawn_request) == 232, "layout");
_Static_assert(sizeof(struct process_exit) == 48, "layout");
_Static_assert(sizeof(struct process_statistics) == 184, "layout");

#endif
