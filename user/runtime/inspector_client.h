/*
 * Inspector: look at the whole system, change nothing. NOT_FOUND: past the last entry, or no such process.
 */
#ifndef CAPOS_USER_RUNTIME_INSPECTOR_CLIENT_H
#define CAPOS_USER_RUNTIME_INSPECTOR_CLIENT_H

#include <stdint.h>

#include "abi/handle.h"
#include "abi/inspector_abi.h"
#include "abi/status.h"

struct inspector_client {
	handle_t handle;
};

enum status inspector_client_memory(struct inspector_client client, struct inspector_memory *memory);

enum status inspector_client_process(struct inspector_client client, uint64_t index, struct inspector_process *process);

/* The first region that ends after `address`. */
enum status inspector_client_region(struct inspector_client client, uint64_t process_id, uint64_t address,
				    struct virtual_memory_region *region);

/* The first hold at or after `slot`. */
enum status inspector_client_capability(struct inspector_client client, uint64_t process_id, uint64_t from_slot,
					struct inspector_capability *capability);

enum status inspector_client_layout(struct inspector_client client, uint64_t process_id,
				    struct inspector_layout *layout);

enum status inspector_client_ledger(struct inspector_client client, uint64_t process_id,
				    struct memory_statistics *statistics);

/* `thread` counts the live threads of the process from 0. */
enum status inspector_client_ring(struct inspector_client client, uint64_t process_id, uint64_t thread,
				  struct inspector_ring *ring);

enum status inspector_client_thread(struct inspector_client client, uint64_t process_id, uint64_t thread,
				    struct inspector_thread *state);

/* Run every invariant of the kernel over every object. */
enum status inspector_client_check(struct inspector_client client, struct inspector_check *check);

enum status inspector_client_zone(struct inspector_client client, uint64_t index, struct inspector_zone *zone);

enum status inspector_client_cpu(struct inspector_client client, uint64_t index, struct inspector_cpu *cpu);

#endif
