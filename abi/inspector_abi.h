/*
 * Inspector: look at the whole system, change nothing. For the shell's mem, ps, maps, layout, caps, ledger, ring,
 * check.
 */
#ifndef CAPOS_ABI_INSPECTOR_ABI_H
#define CAPOS_ABI_INSPECTOR_ABI_H

#include <stdint.h>

#include "abi/handle.h"
#include "abi/virtual_memory_abi.h"

enum inspector_operation {
	INSPECTOR_MEMORY = 0,  /* (buffer, bytes): struct inspector_memory */
	INSPECTOR_PROCESS = 1, /* (index, buffer, bytes): struct inspector_process; NOT_FOUND past the last */
	INSPECTOR_REGION =
		2, /* (pid, address, buffer, bytes): first region that ends after address; NOT_FOUND if none */
	INSPECTOR_CAPABILITY = 3, /* (pid, slot, buffer, bytes): first hold at or after slot; NOT_FOUND if none */
	INSPECTOR_LEDGER = 4,     /* (pid, buffer, bytes): struct memory_statistics */
	INSPECTOR_RING = 5,   /* (pid, thread index, buffer, bytes): struct inspector_ring; NOT_FOUND past the last */
	INSPECTOR_CHECK = 6,  /* (buffer, bytes): struct inspector_check; runs every invariant over every object */
	INSPECTOR_ZONE = 7,   /* (index, buffer, bytes): struct inspector_zone, one per range of the memory map */
	INSPECTOR_CPU = 8,    /* (index, buffer, bytes): struct inspector_cpu */
	INSPECTOR_THREAD = 9, /* (pid, thread index, buffer, bytes): struct inspector_thread; NOT_FOUND past the last */
	INSPECTOR_LAYOUT = 10, /* (pid, buffer, bytes): struct inspector_layout; NOT_FOUND if it has ended */
	INSPECTOR_OPERATION_COUNT
};

struct inspector_memory {
	uint64_t total_frames;   /* of RAM; the sum of free, kernel, heap, table and user frames */
	uint64_t free_frames;    /* in the bitmap and on the stacks */
	uint64_t stacked_frames; /* of the free ones: on per-CPU stacks */
	uint64_t kernel_frames;  /* image, bitmap, frame table, kernel page tables, boot package */
	uint64_t heap_frames;    /* kernel heap */
	uint64_t table_frames;   /* user page tables */
	uint64_t user_frames;    /* anonymous, image, bootstrap and object frames */
	uint64_t free_blocks;    /* wholly free 2 MiB blocks */
	uint64_t cpus;
};

#define INSPECTOR_NAME_BYTES 32u

struct inspector_process {
	uint64_t process_id;
	uint64_t parent_id; /* 0: the kernel */
	char name[INSPECTOR_NAME_BYTES];
	uint32_t threads;
	uint32_t ended; /* 1: all it had is given back; only handles name it */
	uint64_t run_ns;
	uint64_t frame_grant_pages, image_pages, page_table_pages;
};

enum inspector_thread_state {
	INSPECTOR_THREAD_READY = 0,
	INSPECTOR_THREAD_RUNNING = 1,
	INSPECTOR_THREAD_BLOCKED = 2,
	INSPECTOR_THREAD_FAULTED = 3, /* stands before an instruction that faulted, until it is resumed */
};

/* `index` counts the live threads of a process from 0. */
struct inspector_thread {
	uint64_t thread_id;
	uint32_t state; /* enum inspector_thread_state */
	uint32_t cpu;   /* where it runs or ran last */
	uint32_t priority;
	uint32_t open_operations;
	uint64_t run_ns;
	uint64_t switches; /* times it was put on a CPU */
};

struct inspector_capability {
	uint32_t slot;
	handle_t capability;
	uint32_t interface;
	uint32_t mode; /* transfer mode: 0 none, 1 copy, 2 move */
	uint64_t badge;
	uint64_t pages;  /* memory objects: page count */
	uint64_t object; /* the same for all holds of one object; of its kind; 0: the interface has no objects */
	uint32_t holds;  /* capabilities that name the object, in all processes */
	uint32_t flags;  /* INSPECTOR_CAPABILITY_* */
	uint64_t origin; /* id of the process that gave it: its holder for what it asked for itself; 0: the kernel */
};

#define INSPECTOR_CAPABILITY_READ_ONLY 1u
#define INSPECTOR_CAPABILITY_PART 2u /* of the object's pages */

struct inspector_ring {
	uint32_t sq_head, sq_tail, cq_head, cq_tail;
	uint64_t submissions, completions; /* since the thread began */
	uint64_t refused;                  /* of them with a negative result */
};

#define INSPECTOR_CHECK_BYTES 96u

struct inspector_check {
	uint64_t checked; /* invariants looked at */
	uint64_t broken;
	char first_broken[INSPECTOR_CHECK_BYTES]; /* name of the first broken one */
};

struct inspector_zone {
	uint64_t start_frame, end_frame; /* [start, end) in frames: an index for reading, no authority */
	uint32_t kind;                   /* enum memory_kind of lib/memory_map.h */
	uint32_t unused;
};

struct inspector_cpu {
	uint32_t local_apic_id;
	uint32_t stacked_frames;
	uint64_t interrupts, shootdowns;
	uint64_t switches; /* of threads */
	uint64_t busy_ns;  /* spent on threads */
};

struct inspector_range {
	uint64_t start, end; /* bytes, [start, end) */
};

/* Where the parts of a process lie, as its spawn decided it (lib/layout.h). */
struct inspector_layout {
	uint32_t kind;        /* enum process_layout, never DEFAULT */
	uint32_t maps_upward; /* 1: mappings without a hint go up from map.start; 0: down from map.end */
	uint64_t gap;         /* FLEXIBLE: between STACK_TOP and the highest mapping, before its offset */
	struct inspector_range hole, window, image, heap, map, guard, stack;
};

_Static_assert(sizeof(struct inspector_memory) == 72, "layout");
_Static_assert(sizeof(struct inspector_process) == 88, "layout");
_Static_assert(sizeof(struct inspector_capability) == 56, "layout");
_Static_assert(sizeof(struct inspector_ring) == 40, "layout");
_Static_assert(sizeof(struct inspector_thread) == 40, "layout");
_Static_assert(sizeof(struct inspector_check) == 112, "layout");
_Static_assert(sizeof(struct inspector_zone) == 24, "layout");
_Static_assert(sizeof(struct inspector_cpu) == 40, "layout");
_Static_assert(sizeof(struct inspector_layout) == 128, "layout");

#endif
