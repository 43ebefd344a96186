/*
 * The local APIC of the CPU that executes, by MMIO, or by MSR where the firmware left x2APIC mode on.
 */
#ifndef CAPOS_KERNEL_ARCH_X86_64_APIC_H
#define CAPOS_KERNEL_ARCH_X86_64_APIC_H

#include <stdbool.h>
#include <stdint.h>

/* Divider of the timer's input clock: at 1 GHz a tick is 16 ns and the longest alarm 68 s. */
#define APIC_TIMER_DIVIDER 16u

/*
 * On the boot CPU, once: mask the legacy interrupt controller, remember `mapped` (an uncached mapping of one page at
 * the address in MSR_APIC_BASE, or NULL if that MSR says x2APIC), and do apic_init_cpu.
 */
void apic_init(volatile void *mapped);

/* On each further CPU: the same mode, accept interrupts, all local sources but the timer masked. */
void apic_init_cpu(void);

/* Whether the firmware left x2APIC mode on, so that there is no page to map. */
bool apic_is_x2apic(void);

uint32_t apic_id(void);

/* End of interrupt. */
void apic_end(void);

/* Interrupt one CPU. */
void apic_send(uint32_t local_apic_id, uint8_t vector);

/* Non-maskable interrupt to every CPU but this one. */
void apic_send_nmi_to_others(void);

/* INIT and start-up (SDM vol. 3, 9.4); the CPU starts in real mode at `page` << 12. */
void apic_send_init(uint32_t local_apic_id);
void apic_send_startup(uint32_t local_apic_id, uint8_t page);

/* One-shot timer on vector TRAP_TIMER in `ticks` of the divided clock; 0 stops it. */
void apic_timer_start(uint32_t ticks);

/* Ticks left. */
uint32_t apic_timer_left(void);

#endif
