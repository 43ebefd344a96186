/*
 * The hardware protection that everything stands on, tried from ring 0: `protection` on the command line. From ring 3
 * the program user/demos/protection does it.
 */
#ifndef CAPOS_KERNEL_DEBUG_PROTECTION_SUITE_H
#define CAPOS_KERNEL_DEBUG_PROTECTION_SUITE_H

/*
 * Every case on every CPU, one after the other, before the first program: what one CPU has switched on says nothing of
 * the next. Panics at the end if any has failed.
 */
void protection_suite_run(void);

#endif
