/*
 * All processes: who is whose parent, and whose limits go where.
 */
#ifndef CAPOS_KERNEL_TASK_PROCESS_TREE_H
#define CAPOS_KERNEL_TASK_PROCESS_TREE_H

#include "kernel/task/process.h"

/* Carve `limits` out of the parent's unused limits, all or nothing: OVER_*. */
enum status process_tree_carve(struct process *parent, const uint64_t limits[LEDGER_COUNT]);

/* Undo that, for a child that was not made. */
void process_tree_carve_undo(struct process *parent, const uint64_t limits[LEDGER_COUNT]);

/* Limits that were carved go back to the parent, whoever that is now. */
void process_tree_return_limits(struct process *process);

/* Visible from now on. */
void process_tree_add(struct process *process);

/* It has ended: its children become its parent's. */
void process_tree_orphan(struct process *process);

/* Not visible any more; and when its record is freed, not counted either. */
void process_tree_remove(struct process *process);
void process_tree_count_down(void);

/* A number for a new process; never used twice. */
uint64_t process_tree_next_id(void);

/* The `index`th, or the one with an id: NOT_FOUND. With a use, which the caller ends. */
enum status process_tree_at(uint64_t index, struct process **process);
enum status process_tree_find(uint64_t id, struct process **process);

/* 0: no parent. */
uint64_t process_tree_parent_id(struct process *process);

/* How many are there, ended ones with handles included. */
uint64_t process_tree_count(void);

/* Have this thread woken whenever a process has ended. One thread, once. */
void process_tree_watch(struct thread *thread);
void process_tree_tell_watcher(void);

/* No child has more than its parent could have given; links agree. At rest. */
bool process_tree_is_valid(void);

#endif
