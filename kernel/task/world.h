/*
 * Holding all other CPUs at a point where no thread is inside the kernel but asleep: so that a check sees nothing half
 * done.
 */
#ifndef CAPOS_KERNEL_TASK_WORLD_H
#define CAPOS_KERNEL_TASK_WORLD_H

/*
 * Until world_start, no other CPU changes anything but its own translations. No locks held; takes as long as the
 * longest call that is under way. Two callers: one waits for the other.
 */
void world_stop(void);
void world_start(void);

/* The point where a CPU is held, if it is asked to (CPU_ATTENTION_STOP). No locks held. */
void world_park(void);

#endif
