#include "kernel/arch/x86_64/clock.h"

#include <stddef.h>

#include "kernel/arch/x86_64/apic.h"
#include "kernel/arch/x86_64/features.h"
#include "kernel/arch/x86_64/instructions.h"
#include "kernel/arch/x86_64/panic.h"
#include "kernel/arch/x86_64/port.h"

#define NS_PER_SECOND UINT64_C(1000000000)
#define WINDOW_US 5000u /* length of the measurement */

/* A counter of known speed that goes up, with wrap-around at `mask`. */
struct reference {
	uint32_t (*read)(void);
	uint32_t hz;
	uint32_t mask;
};

/* One look at all three counters. */
struct sample {
	uint64_t tsc;
	uint32_t reference;
	uint32_t timer; /* ticks left */
};

static uint16_t acpi_port;
static enum clock_reference reference_used;
static uint64_t tsc_hz, timer_hz;
static uint64_t tsc_start;
static uint64_t ns_per_tsc;     /* 32.32 fixed point */
static uint64_t alarm_limit_ns; /* the longest time that the timer counts */

static uint32_t read_acpi_timer(void)
{
	return inl(acpi_port);
}

static uint32_t read_apic_timer(void)
{
	return ~apic_timer_left();
}

/* Channel 2, low byte first, after a latch command. It counts down. */
static uint32_t read_pit(void)
{
	uint32_t low, high;

	outb(0x43, 0x80);
	low = inb(0x42);
	high = inb(0x42);
	return ~(high << 8 | low);
}

/* Mode 0 from 65535, gate on, loudspeaker off. */
static void start_pit(void)
{
	outb(0x61, (uint8_t)((inb(0x61) & ~2u) | 1u));
	outb(0x43, 0xb0);
	outb(0x42, 0xff);
	outb(0x42, 0xff);
}

/* Of several looks the one that took the least time, as something else may run between two reads. */
static struct sample take_sample(const struct reference *reference)
{
	struct sample best = { 0 };
	uint64_t best_time = UINT64_MAX;

	for (unsigned attempt = 0; attempt < 5; attempt++) {
		uint64_t before = rdtsc();
		uint32_t now = reference->read();
		uint32_t timer = apic_timer_left();
		uint64_t time = rdtsc() - before;
		if (time < best_time) {
			best_time = time;
			best = (struct sample){ .tsc = before + time / 2, .reference = now, .timer = timer };
		}
	}
	return best;
}

/* Some microseconds without a look at a port, which is slow under emulation. */
static void delay(void)
{
	for (unsigned i = 0; i < 2000; i++)
		__asm__ volatile("");
}

/* False if the reference stands still. */
static bool measure(const struct reference *reference)
{
	uint32_t window = (uint32_t)((uint64_t)reference->hz * WINDOW_US / 1000000);
	uint64_t give_up = rdtsc() + 1000000000; /* a fifth of a second at 5 GHz */
	struct sample start, end;
	uint32_t passed;

	apic_timer_start(UINT32_MAX);
	start = take_sample(reference);
	do {
		if (rdtsc() > give_up)
			return false;
		delay();
		end = take_sample(reference);
		passed = (end.reference - start.reference) & reference->mask;
	} while (passed < window);
	apic_timer_start(0);

	tsc_hz = (end.tsc - start.tsc) * reference->hz / passed;
	timer_hz = (uint64_t)(start.timer - end.timer) * reference->hz / passed;
	return tsc_hz != 0 && timer_hz != 0;
}

static bool measure_by_acpi_timer(void)
{
	/* It may have 24 bits or 32; the window needs 15. */
	static const struct reference acpi = { .read = read_acpi_timer, .hz = 3579545, .mask = 0xffffff };

	reference_used = CLOCK_ACPI_TIMER;
	return acpi_port != 0 && measure(&acpi);
}

static bool measure_by_emulator(void)
{
	static const struct reference apic = {
		.read = read_apic_timer,
		.hz = NS_PER_SECOND / APIC_TIMER_DIVIDER,
		.mask = UINT32_MAX,
	};
	const struct cpu_features *features = features_get();

	reference_used = CLOCK_EMULATOR;
	return (features->hypervisor_is_tcg || features->hypervisor_is_kvm) && measure(&apic);
}

static bool measure_by_pit(void)
{
	static const struct reference pit = { .read = read_pit, .hz = 1193182, .mask = 0xffff };

	reference_used = CLOCK_PIT;
	start_pit();
	return measure(&pit);
}

void clock_init(uint16_t pm_timer_port)
{
	acpi_port = pm_timer_port;
	if (!measure_by_acpi_timer() && !measure_by_emulator() && !measure_by_pit())
		panic("no clock: neither an ACPI timer nor a working interval timer");
	ns_per_tsc = (NS_PER_SECOND << 32) / tsc_hz;
	alarm_limit_ns = (UINT32_MAX - 1) * NS_PER_SECOND / timer_hz; /* its ticks, and one more, fit the register */
	tsc_start = rdtsc();
}

uint64_t clock_now_ns(void)
{
	return (uint64_t)((unsigned __int128)(rdtsc() - tsc_start) * ns_per_tsc >> 32);
}

void clock_wait_ns(uint64_t ns)
{
	uint64_t start = clock_now_ns();

	while (clock_now_ns() - start < ns)
		cpu_pause();
}

void clock_set_alarm(uint64_t deadline_ns)
{
	uint64_t now, left;

	if (deadline_ns == 0) {
		apic_timer_start(0);
		return;
	}
	now = clock_now_ns();
	left = deadline_ns > now ? deadline_ns - now : 0;
	if (left > alarm_limit_ns)
		left = alarm_limit_ns;
	apic_timer_start((uint32_t)(left * timer_hz / NS_PER_SECOND) + 1); /* up: 0 would stop it, and never early */
}

enum clock_reference clock_reference(void)
{
	return reference_used;
}
