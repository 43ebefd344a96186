#include "kernel/arch/x86_64/apic.h"

#include <stddef.h>

#include "kernel/arch/x86_64/cpu_local.h"
#include "kernel/arch/x86_64/instructions.h"
#include "kernel/arch/x86_64/mmio.h"
#include "kernel/arch/x86_64/port.h"
#include "kernel/arch/x86_64/trap.h"
#include "lib/check.h"

#define MSR_APIC_BASE 0x1bu
#define APIC_BASE_X2APIC (UINT64_C(1) << 10)
#define APIC_BASE_ENABLE (UINT64_C(1) << 11)

/* Registers (SDM vol. 3, table 11-1): offsets in the page; the MSR of x2APIC mode is 800h + offset / 16. */
enum apic_register {
	APIC_ID = 0x20,
	APIC_TASK_PRIORITY = 0x80,
	APIC_END = 0xb0,
	APIC_SPURIOUS = 0xf0,
	APIC_ERROR_STATUS = 0x280,
	APIC_COMMAND = 0x300,
	APIC_COMMAND_TARGET = 0x310,
	APIC_LVT_TIMER = 0x320,
	APIC_LVT_THERMAL = 0x330,
	APIC_LVT_PERFORMANCE = 0x340,
	APIC_LVT_LINT0 = 0x350,
	APIC_LVT_LINT1 = 0x360,
	APIC_LVT_ERROR = 0x370,
	APIC_TIMER_INITIAL = 0x380,
	APIC_TIMER_CURRENT = 0x390,
	APIC_TIMER_DIVIDE = 0x3e0,
};

#define X2APIC_MSR 0x800u

#define APIC_SPURIOUS_ENABLE (1u << 8)
#define APIC_LVT_MASKED (1u << 16)
#define APIC_LVT_NMI (4u << 8)
#define APIC_DIVIDE_BY_16 3u

#define COMMAND_NMI (4u << 8)
#define COMMAND_INIT (5u << 8)
#define COMMAND_STARTUP (6u << 8)
#define COMMAND_PENDING (1u << 12)
#define COMMAND_ASSERT (1u << 14)
#define COMMAND_ALL_OTHERS (3u << 18)

_Static_assert(APIC_TIMER_DIVIDER == 16, "APIC_DIVIDE_BY_16");

static volatile uint8_t *registers;
static bool x2apic;

static uint32_t apic_read(enum apic_register which)
{
	if (x2apic)
		return (uint32_t)rdmsr(X2APIC_MSR + (uint32_t)which / 16);
	return mmio_read(registers, which);
}

static void apic_write(enum apic_register which, uint32_t value)
{
	if (x2apic)
		wrmsr(X2APIC_MSR + (uint32_t)which / 16, value);
	else
		mmio_write(registers, which, value);
}

/* The command register sends when its low word is written. The wait for the one before is bounded by the bus. */
static void command(uint32_t local_apic_id, uint32_t low)
{
	if (x2apic) {
		memory_fence(); /* this MSR does not wait for stores (SDM vol. 3, 11.12.3), which the target will read
				 */
		wrmsr(X2APIC_MSR + APIC_COMMAND / 16, (uint64_t)local_apic_id << 32 | low);
		return;
	}
	while ((apic_read(APIC_COMMAND) & COMMAND_PENDING) != 0)
		cpu_pause();
	apic_write(APIC_COMMAND_TARGET, local_apic_id << 24);
	apic_write(APIC_COMMAND, low);
}

/*
 * The legacy controllers: moved away from the exceptions, because a spurious interrupt comes even from a masked one,
 * then masked. A machine without them does not notice.
 */
static void mask_legacy_controllers(void)
{
	static const struct {
		uint16_t port;
		uint8_t value;
	} writes[] = {
		{ 0x20, 0x11 },        { 0xa0, 0x11 },            /* initialise, four words */
		{ 0x21, TRAP_LEGACY }, { 0xa1, TRAP_LEGACY + 8 }, /* vectors */
		{ 0x21, 4 },           { 0xa1, 2 },               /* the second one is on line 2 of the first */
		{ 0x21, 1 },           { 0xa1, 1 },               /* 8086 mode */
		{ 0x21, 0xff },        { 0xa1, 0xff },            /* mask all */
	};

	for (size_t i = 0; i < COUNT_OF(writes); i++) {
		outb(writes[i].port, writes[i].value);
		port_wait();
	}
}

bool apic_is_x2apic(void)
{
	return (rdmsr(MSR_APIC_BASE) & APIC_BASE_X2APIC) != 0;
}

void apic_init(volatile void *mapped)
{
	mask_legacy_controllers();
	x2apic = apic_is_x2apic();
	registers = mapped;
	CHECK(x2apic || registers);
	apic_init_cpu();
}

void apic_init_cpu(void)
{
	uint64_t base = rdmsr(MSR_APIC_BASE) | APIC_BASE_ENABLE;

	/* x2APIC mode can only be entered from xAPIC mode (SDM vol. 3, 11.12.5), hence two writes. */
	wrmsr(MSR_APIC_BASE, base);
	if (x2apic)
		wrmsr(MSR_APIC_BASE, base | APIC_BASE_X2APIC);

	apic_write(APIC_SPURIOUS, APIC_SPURIOUS_ENABLE | TRAP_SPURIOUS);
	apic_write(APIC_TASK_PRIORITY, 0);
	apic_write(APIC_LVT_LINT0, APIC_LVT_MASKED);
	apic_write(APIC_LVT_LINT1, APIC_LVT_NMI);
	apic_write(APIC_LVT_ERROR, APIC_LVT_MASKED | TRAP_SPURIOUS);
	apic_write(APIC_TIMER_DIVIDE, APIC_DIVIDE_BY_16);
	apic_write(APIC_LVT_TIMER, TRAP_TIMER);
	apic_write(APIC_TIMER_INITIAL, 0);
	apic_end();
	cpu_current()->local_apic_id = apic_id();
}

uint32_t apic_id(void)
{
	return x2apic ? apic_read(APIC_ID) : apic_read(APIC_ID) >> 24;
}

void apic_end(void)
{
	apic_write(APIC_END, 0);
}

void apic_send(uint32_t local_apic_id, uint8_t vector)
{
	command(local_apic_id, COMMAND_ASSERT | vector);
}

void apic_send_nmi_to_others(void)
{
	command(0, COMMAND_ASSERT | COMMAND_ALL_OTHERS | COMMAND_NMI);
}

void apic_send_init(uint32_t local_apic_id)
{
	command(local_apic_id, COMMAND_ASSERT | COMMAND_INIT);
}

void apic_send_startup(uint32_t local_apic_id, uint8_t page)
{
	command(local_apic_id, COMMAND_ASSERT | COMMAND_STARTUP | page);
}

void apic_timer_start(uint32_t ticks)
{
	apic_write(APIC_TIMER_INITIAL, ticks);
}

uint32_t apic_timer_left(void)
{
	return apic_read(APIC_TIMER_CURRENT);
}
