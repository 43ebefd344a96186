/* Timer: monotonic time since boot. */
#ifndef CAPOS_ABI_TIMER_ABI_H
#define CAPOS_ABI_TIMER_ABI_H

enum timer_operation {
	TIMER_NOW = 0,   /* () -> nanoseconds since boot */
	TIMER_SLEEP = 1, /* (nanoseconds): completes when they have passed */
	TIMER_OPERATION_COUNT
};

#endif
