/*
 * A process with a thread that may be the handler of faults, and others that fault and stand, as the kernel has them
 * asleep.
 */
#ifndef CAPOS_TESTS_HOST_FAULT_SCENE_H
#define CAPOS_TESTS_HOST_FAULT_SCENE_H

#include <stdbool.h>
#include <stdint.h>

#include "abi/status.h"
#include "abi/thread_control_abi.h"
#include "kernel/task/user_fault.h"
#include "tests/host/actor.h"

#define FAULT_SCENE_THREADS 6u
#define FAULT_SCENE_RESULT ACTOR_MEMORY
#define FAULT_SCENE_RIP(i) (UINT64_C(0x400000) + (i)*16)
#define FAULT_SCENE_ADDRESS(i) (UINT64_C(0x10000000) + (i)*PAGE_SIZE)

struct fault_scene {
	struct actor actor; /* its first thread, of id 0, makes the calls below */
	struct thread *thread[FAULT_SCENE_THREADS];
	handle_t control;
};

extern struct fault_scene fault_scene;

void fault_scene_begin(void);

/* The process ends now; or it has ended, and nothing of it is left. */
void fault_scene_end(void);
void fault_scene_ended(void);

/* A call of ThreadControl, which completes at once. */
enum status fault_scene_call(struct thread *caller, uint16_t operation, uint64_t first, uint64_t second);
enum status fault_scene_set_handler(uint64_t id);
enum status fault_scene_resume(uint64_t id, uint64_t action);

uint64_t fault_scene_id_of(const struct thread *of);

/* An open FAULT_WAIT, with the report to `place` of the results; its user data. */
uint64_t fault_scene_submit_wait(struct thread *caller, uint64_t place);

/* The next completion: its status; that there is none; that it tells of the fault of thread `i`. */
enum status fault_scene_take_status(struct thread *caller);
bool fault_scene_nothing_came(struct thread *caller);
void fault_scene_expect_told(struct thread *caller, uint64_t place, uint32_t i);

/* A FAULT_WAIT of the first thread completes at once with that. */
void fault_scene_expect_wait_tells(uint32_t i);

/* What thread `i` does wrong; it does, and sleeps. */
struct user_fault fault_scene_fault_of(uint32_t i);
void fault_scene_stand(uint32_t i);

bool fault_scene_was_woken(const struct thread *of);

#endif
