#include "kernel/arch/x86_64/log.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernel/arch/x86_64/instructions.h"
#include "kernel/arch/x86_64/panic.h"
#include "kernel/arch/x86_64/serial.h"
#include "kernel/arch/x86_64/tlb.h"
#include "lib/format.h"

#define LOG_LINE_BYTES 256u

/* The longest line needs 25 ms at 115200 baud; a pause takes 10 to 100 ns. */
#define LOG_LOCK_SPINS 10000000u

static bool locked;

/* Who waits answers TLB shootdowns, as at any lock; but a panic, which may have no CPU structure to find them in. */
static void log_lock(void)
{
	for (uint32_t spins = 0; spins < LOG_LOCK_SPINS; spins++) {
		if (!__atomic_exchange_n(&locked, true, __ATOMIC_ACQUIRE))
			return;
		cpu_pause();
		if (!panic_is_on())
			tlb_poll();
	}
	/* Its holder is dead, or this CPU was interrupted in the middle of a line: the lock is ours now. */
}

static void log_unlock(void)
{
	__atomic_store_n(&locked, false, __ATOMIC_RELEASE);
}

static void log_write(const char *text)
{
	for (; *text; text++)
		serial_write_byte((uint8_t)*text);
}

void log_line(const char *format, ...)
{
	char line[LOG_LINE_BYTES];
	va_list arguments;

	va_start(arguments, format);
	(void)format_v(line, sizeof(line), format, arguments);
	va_end(arguments);

	log_lock();
	log_write("capos: ");
	log_write(line);
	log_write("\n");
	log_unlock();
}

void log_raw(const char *format, ...)
{
	char text[LOG_LINE_BYTES];
	va_list arguments;

	va_start(arguments, format);
	(void)format_v(text, sizeof(text), format, arguments);
	va_end(arguments);

	log_lock();
	log_write(text);
	log_unlock();
}

void log_bytes(const uint8_t *bytes, uint64_t count)
{
	log_lock();
	for (uint64_t i = 0; i < count; i++)
		serial_write_byte(bytes[i]);
	log_unlock();
}
