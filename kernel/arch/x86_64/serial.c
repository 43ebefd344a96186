#include "kernel/arch/x86_64/serial.h"

#include "kernel/arch/x86_64/port.h"

#define COM1 0x3f8u

/* Registers of the 16550, as offsets. With DLAB set the first two are the divisor. */
enum serial_register {
	SERIAL_DATA = 0,
	SERIAL_INTERRUPT_ENABLE = 1,
	SERIAL_DIVISOR_LOW = 0,
	SERIAL_DIVISOR_HIGH = 1,
	SERIAL_FIFO_CONTROL = 2,
	SERIAL_LINE_CONTROL = 3,
	SERIAL_MODEM_CONTROL = 4,
	SERIAL_LINE_STATUS = 5,
	SERIAL_SCRATCH = 7,
};

#define LINE_CONTROL_8N1 0x03u
#define LINE_CONTROL_DLAB 0x80u
#define LINE_STATUS_DATA_READY 0x01u
#define LINE_STATUS_ROOM 0x20u
#define LINE_STATUS_ALL_SENT 0x40u
#define FIFO_ENABLE_AND_CLEAR 0x07u
#define MODEM_DTR_RTS_OUT2 0x0bu
#define DIVISOR_115200 1u

/* A full FIFO of 16 bytes drains in 1.4 ms at this speed; a port read takes about a microsecond. */
#define ROOM_POLLS 50000u

static bool present;

static uint8_t serial_read(enum serial_register which)
{
	return inb((uint16_t)(COM1 + which));
}

static void serial_write(enum serial_register which, uint8_t value)
{
	outb((uint16_t)(COM1 + which), value);
}

/* Where there is no port the bus floats high and the scratch register keeps nothing. */
static bool serial_answers(void)
{
	serial_write(SERIAL_SCRATCH, 0x5a);
	if (serial_read(SERIAL_SCRATCH) != 0x5a)
		return false;
	serial_write(SERIAL_SCRATCH, 0xa5);
	return serial_read(SERIAL_SCRATCH) == 0xa5;
}

void serial_init(void)
{
	present = serial_answers();
	if (!present)
		return;
	serial_write(SERIAL_INTERRUPT_ENABLE, 0);
	serial_write(SERIAL_LINE_CONTROL, LINE_CONTROL_DLAB);
	serial_write(SERIAL_DIVISOR_LOW, DIVISOR_115200);
	serial_write(SERIAL_DIVISOR_HIGH, 0);
	serial_write(SERIAL_LINE_CONTROL, LINE_CONTROL_8N1);
	serial_write(SERIAL_FIFO_CONTROL, FIFO_ENABLE_AND_CLEAR);
	serial_write(SERIAL_MODEM_CONTROL, MODEM_DTR_RTS_OUT2);
}

void serial_write_byte(uint8_t byte)
{
	if (!present)
		return;
	for (uint32_t polls = 0; polls < ROOM_POLLS; polls++) {
		if (serial_read(SERIAL_LINE_STATUS) & LINE_STATUS_ROOM) {
			serial_write(SERIAL_DATA, byte);
			return;
		}
	}
}

void serial_drain(void)
{
	for (uint32_t polls = 0; present && polls < ROOM_POLLS; polls++)
		if (serial_read(SERIAL_LINE_STATUS) & LINE_STATUS_ALL_SENT)
			return;
}

bool serial_read_byte(uint8_t *byte)
{
	if (!present || !(serial_read(SERIAL_LINE_STATUS) & LINE_STATUS_DATA_READY))
		return false;
	*byte = serial_read(SERIAL_DATA);
	return true;
}
