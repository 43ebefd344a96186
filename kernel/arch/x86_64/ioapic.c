#include "kernel/arch/x86_64/ioapic.h"

#include <stddef.h>

#include "kernel/arch/x86_64/mmio.h"
#include "lib/check.h"

/* Two registers are mapped (82093AA, 3.1): the number of another one, and a window to it. */
#define SELECT 0x00u
#define WINDOW 0x10u

/* Those (82093AA, 3.2). An entry is two of them. */
#define VERSION 0x01u
#define ENTRY_LOW(line) (0x10u + 2 * (line))
#define ENTRY_HIGH(line) (0x11u + 2 * (line))

#define NOTHING_ANSWERS UINT32_MAX
#define VERSION_LAST_LINE(version) ((version) >> 16 & 0xff)

#define ENTRY_ACTIVE_LOW (1u << 13)
#define ENTRY_LEVEL (1u << 15)
#define ENTRY_MASKED (1u << 16)
#define ENTRY_TARGET_SHIFT 24u /* of the high half: physical, the id of a local APIC */

#define TARGET_ALL 0xffu

struct ioapic {
	volatile uint8_t *registers;
	uint32_t gsi_base;
	uint32_t last_line;
};

static struct ioapic ioapics[IOAPIC_MAX];
static uint32_t count;

static uint32_t ioapic_read(const struct ioapic *ioapic, uint32_t number)
{
	mmio_write(ioapic->registers, SELECT, number);
	return mmio_read(ioapic->registers, WINDOW);
}

static void ioapic_write(const struct ioapic *ioapic, uint32_t number, uint32_t value)
{
	mmio_write(ioapic->registers, SELECT, number);
	mmio_write(ioapic->registers, WINDOW, value);
}

enum status ioapic_add(volatile void *registers, uint32_t gsi_base)
{
	struct ioapic ioapic = { .registers = registers, .gsi_base = gsi_base };
	uint32_t version;

	GUARD(count < IOAPIC_MAX, STATUS_NO_SPACE);
	version = ioapic_read(&ioapic, VERSION);
	GUARD(version != NOTHING_ANSWERS, STATUS_NOT_FOUND);
	ioapic.last_line = VERSION_LAST_LINE(version);
	for (uint32_t line = 0; line <= ioapic.last_line; line++)
		ioapic_write(&ioapic, ENTRY_LOW(line), ENTRY_MASKED);
	ioapics[count++] = ioapic;
	return STATUS_OK;
}

uint32_t ioapic_count(void)
{
	return count;
}

static const struct ioapic *find(uint32_t gsi)
{
	for (uint32_t i = 0; i < count; i++)
		if (gsi >= ioapics[i].gsi_base && gsi - ioapics[i].gsi_base <= ioapics[i].last_line)
			return &ioapics[i];
	return NULL;
}

enum status ioapic_route(const struct ioapic_route *route)
{
	const struct ioapic *ioapic = find(route->gsi);
	uint32_t low = route->vector;
	uint32_t line;

	GUARD(ioapic != NULL, STATUS_NOT_FOUND);
	GUARD(route->local_apic_id < TARGET_ALL, STATUS_UNSUPPORTED);
	line = route->gsi - ioapic->gsi_base;
	low |= route->is_level ? ENTRY_LEVEL : 0;
	low |= route->is_active_low ? ENTRY_ACTIVE_LOW : 0;
	ioapic_write(ioapic, ENTRY_HIGH(line), route->local_apic_id << ENTRY_TARGET_SHIFT);
	ioapic_write(ioapic, ENTRY_LOW(line), low); /* last: it unmasks */
	return STATUS_OK;
}

enum status ioapic_mask(uint32_t gsi)
{
	const struct ioapic *ioapic = find(gsi);

	GUARD(ioapic != NULL, STATUS_NOT_FOUND);
	ioapic_write(ioapic, ENTRY_LOW(gsi - ioapic->gsi_base), ENTRY_MASKED);
	return STATUS_OK;
}
