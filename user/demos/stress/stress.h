/*
 * What driver and workers share: the figures that each worker keeps in memory that the driver sees.
 */
#ifndef CAPOS_USER_DEMOS_STRESS_STRESS_H
#define CAPOS_USER_DEMOS_STRESS_STRESS_H

#include <stdint.h>

#define STRESS_WORKERS 16u
#define STRESS_THREADS 4u

/* One a worker, on its page of the object "figures". Atomic, each word. */
struct stress_figures {
	uint64_t operations; /* that were asked for */
	uint64_t faults;     /* of them bad requests, made to be refused */
	uint64_t surprises;  /* answers that there should not be; what one was is printed */
	uint64_t calls;      /* that were answered by another worker */
	uint64_t children;
};

/* The role "worker": arguments seed, number. */
void stress_worker_role(void);

/* The role "leaf": what workers start. */
void stress_leaf_role(void);

#endif
