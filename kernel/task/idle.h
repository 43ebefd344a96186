/*
 * CPUs that have nothing to run.
 */
#ifndef CAPOS_KERNEL_TASK_IDLE_H
#define CAPOS_KERNEL_TASK_IDLE_H

#include "kernel/boot/boot_info.h"

/*
 * Guard the boot CPU's stacks, and start all further CPUs of the machine; each idles. OUT_OF_MEMORY is logged, and the
 * system goes on with fewer.
 */
void idle_start_cpus(const struct boot_info *info);

#endif
