/*
 * I/O APICs (Intel 82093AA): each takes the interrupts of some global numbers (GSI), from its base on, and sends them
 * on to a local APIC. All is masked but what was routed.
 *
 * At boot, by the boot CPU alone: nothing changes afterwards, so there is no lock.
 */
#ifndef CAPOS_KERNEL_ARCH_X86_64_IOAPIC_H
#define CAPOS_KERNEL_ARCH_X86_64_IOAPIC_H

#include <stdbool.h>
#include <stdint.h>

#include "abi/status.h"

#define IOAPIC_MAX 16u
#define IOAPIC_REGISTER_BYTES 0x14u

/* How a line is wired, and where it goes. */
struct ioapic_route {
	uint32_t gsi;
	bool is_level;      /* else edge */
	bool is_active_low; /* else high */
	uint8_t vector;
	uint32_t local_apic_id;
};

/*
 * One more, which has GSIs from `gsi_base` on; `registers`: an uncached mapping of its IOAPIC_REGISTER_BYTES, for good.
 * All its lines are masked. NOT_FOUND: nothing answers there. NO_SPACE: IOAPIC_MAX are known.
 */
enum status ioapic_add(volatile void *registers, uint32_t gsi_base);

uint32_t ioapic_count(void);

/*
 * From now on the line interrupts that CPU. NOT_FOUND: no I/O APIC has that GSI. UNSUPPORTED: the target's id has more
 * than 8 bits, or is the one for all.
 */
enum status ioapic_route(const struct ioapic_route *route);

/* No longer: NOT_FOUND. */
enum status ioapic_mask(uint32_t gsi);

#endif
