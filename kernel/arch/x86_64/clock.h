/*
 * Time since boot, from the time-stamp counter, and one alarm per CPU, from the local APIC timer.
 */
#ifndef CAPOS_KERNEL_ARCH_X86_64_CLOCK_H
#define CAPOS_KERNEL_ARCH_X86_64_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

/* What the counters are measured against. */
enum clock_reference {
	CLOCK_ACPI_TIMER, /* the ACPI power-management timer */
	CLOCK_EMULATOR,   /* none at hand: the local APIC timer of QEMU and KVM runs at 1 GHz by definition */
	CLOCK_PIT,        /* channel 2 of the programmable interval timer */
};

/*
 * Measure both counters, for at most 10 ms. `pm_timer_port` as in struct boot_info: 0 if there is none. On the boot
 * CPU, once, after apic_init and features_detect. Time starts here.
 */
void clock_init(uint16_t pm_timer_port);

/* Nanoseconds since clock_init. The same on every CPU, as their counters are; never goes back on one CPU. */
uint64_t clock_now_ns(void);

/* Busy-wait. */
void clock_wait_ns(uint64_t ns);

/*
 * Interrupt this CPU, with CPU_ATTENTION_TIMER set (cpu_local.h), at `deadline_ns` of clock_now_ns, replacing the alarm
 * before; 0 cancels. It may come early, when the deadline is further away than the timer counts (a minute): look at the
 * clock, and set it again. A deadline that has passed comes at once.
 */
void clock_set_alarm(uint64_t deadline_ns);

/* What clock_init found. */
enum clock_reference clock_reference(void);

#endif
