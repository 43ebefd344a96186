#include "boot/shim/report.h"

#include "boot/shim/io_port.h"
#include "lib/check.h"

#define COM1 0x3f8u
#define COM1_INTERRUPT_ENABLE (COM1 + 1)
#define COM1_DIVISOR_HIGH (COM1 + 1)
#define COM1_FIFO_CONTROL (COM1 + 2)
#define COM1_LINE_CONTROL (COM1 + 3)
#define COM1_MODEM_CONTROL (COM1 + 4)
#define COM1_LINE_STATUS (COM1 + 5)

#define LINE_CONTROL_8N1 0x03u
#define LINE_CONTROL_DIVISOR 0x80u
#define LINE_STATUS_EMPTY 0x20u
#define BUSY_LIMIT 100000u /* a port that never drains must not stop the boot */

#define EXIT_PORT 0xf4u
#define EXIT_REFUSED 14u

void report_init(void)
{
	io_port_write(COM1_INTERRUPT_ENABLE, 0);
	io_port_write(COM1_LINE_CONTROL, LINE_CONTROL_DIVISOR);
	io_port_write(COM1, 1);
	io_port_write(COM1_DIVISOR_HIGH, 0);
	io_port_write(COM1_LINE_CONTROL, LINE_CONTROL_8N1);
	io_port_write(COM1_FIFO_CONTROL, 0xc7);  /* on, cleared, trigger at 14 bytes */
	io_port_write(COM1_MODEM_CONTROL, 0x03); /* DTR, RTS */
}

static void put(char character)
{
	for (uint32_t tries = 0; tries < BUSY_LIMIT; tries++) {
		if (io_port_read(COM1_LINE_STATUS) & LINE_STATUS_EMPTY)
			break;
	}
	io_port_write(COM1, (uint8_t)character);
}

void report_text(const char *text)
{
	for (; *text != '\0'; text++) {
		if (*text == '\n')
			put('\r');
		put(*text);
	}
}

void report_number(uint64_t value)
{
	report_text("0x");
	int shift = 60;
	while (shift > 0 && (value >> shift) == 0)
		shift -= 4;
	for (; shift >= 0; shift -= 4)
		put("0123456789abcdef"[(value >> shift) & 15]);
}

static _Noreturn void stop(void)
{
	io_port_write(EXIT_PORT, EXIT_REFUSED);
	for (;;)
		__asm__ volatile("cli; hlt");
}

_Noreturn void report_refuse(const char *why)
{
	report_text("shim: ");
	report_text(why);
	report_text("\n");
	stop();
}

_Noreturn void report_exception(uint64_t fault_address)
{
	report_text("shim: processor exception in the loader, cr2 ");
	report_number(fault_address);
	report_text("\n");
	stop();
}

/* For lib/check.h. */
_Noreturn void check_failed(const char *expression, const char *file, int line)
{
	report_text("shim: broken promise: ");
	report_text(expression);
	report_text(", ");
	report_text(file);
	report_text(" line ");
	report_number((uint64_t)line);
	report_text("\n");
	stop();
}
