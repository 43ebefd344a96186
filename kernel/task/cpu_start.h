/*
 * Bringing up the CPUs of the machine: each becomes an idle context of the scheduler.
 */
#ifndef CAPOS_KERNEL_TASK_CPU_START_H
#define CAPOS_KERNEL_TASK_CPU_START_H

#include "kernel/boot/boot_info.h"

/*
 * Guard the boot CPU's stacks, and start all further CPUs of the machine; each idles. OUT_OF_MEMORY is logged, and the
 * system goes on with fewer.
 */
void cpu_start_all(const struct boot_info *info);

#endif
