/* Interrupts for what comes over the serial line. */
#ifndef CAPOS_KERNEL_TASK_CONSOLE_START_H
#define CAPOS_KERNEL_TASK_CONSOLE_START_H

#include <stdbool.h>

#include "kernel/boot/acpi.h"

/*
 * Once, on the boot CPU, with its local APIC on and the kernel's page tables. All lines of the I/O APICs are masked,
 * and the serial port's is led to this CPU. If that cannot be, or is not wanted (`polled`), one line says why, and the
 * port is polled.
 */
void console_start(const struct acpi_interrupts *interrupts, bool polled);

#endif
