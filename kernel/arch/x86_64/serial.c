#include "kernel/arch/x86_64/serial.h"

#include "kernel/arch/x86_64/interrupt_window.h"
#include "kernel/arch/x86_64/port.h"
#include "lib/byte_queue.h"

#define COM1 0x3f8u

/* Registers of the 16550, as offsets. With DLAB set the first two are the divisor. */
enum serial_register {
	SERIAL_DATA = 0,
	SERIAL_INTERRUPT_ENABLE = 1,
	SERIAL_DIVISOR_LOW = 0,
	SERIAL_DIVISOR_HIGH = 1,
	SERIAL_FIFO_CONTROL = 2,             /* written */
	SERIAL_INTERRUPT_IDENTIFICATION = 2, /* read */
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
#define INTERRUPT_NONE 0x00u
#define INTERRUPT_RECEIVED 0x01u
#define INTERRUPT_EMPTY 0x02u /* there is room to write */
#define FIFO_ENABLE_AND_CLEAR 0x07u
#define FIFO_INTERRUPT_AT_8 0x80u /* of 16 bytes, or when the line has been still for the time of four */
#define MODEM_DTR_RTS_OUT2 0x0bu  /* on a PC OUT2 lets the interrupt through */
#define DIVISOR_115200 1u

/* A full FIFO of 16 bytes drains in 1.4 ms at this speed; a port read takes about a microsecond. */
#define ROOM_POLLS 50000u

/* As many, for an interrupt that comes when the FIFO is empty. */
#define INTERRUPT_POLLS ROOM_POLLS

/* Bytes that one interrupt takes: four times what the port holds, so a line never has so many. An emulator may. */
#define INTERRUPT_STEP 64u

static bool present;
static bool has_interrupt; /* fixed once serial_start_interrupts is over */
static bool interrupted;   /* atomic: since it was cleared */

/* What the handler took from the port, which is full at 16: the port's interrupt is off while the queue is full. */
static struct byte_queue received;
static bool is_off; /* atomic */

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
	serial_write(SERIAL_INTERRUPT_ENABLE, INTERRUPT_NONE);
	serial_write(SERIAL_LINE_CONTROL, LINE_CONTROL_DLAB);
	serial_write(SERIAL_DIVISOR_LOW, DIVISOR_115200);
	serial_write(SERIAL_DIVISOR_HIGH, 0);
	serial_write(SERIAL_LINE_CONTROL, LINE_CONTROL_8N1);
	serial_write(SERIAL_FIFO_CONTROL, FIFO_ENABLE_AND_CLEAR | FIFO_INTERRUPT_AT_8);
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

static bool take_from_port(uint8_t *byte)
{
	if (!(serial_read(SERIAL_LINE_STATUS) & LINE_STATUS_DATA_READY))
		return false;
	*byte = serial_read(SERIAL_DATA);
	return true;
}

/*
 * Handler and reader, on two CPUs, may be here at one time. The handler turns the interrupt off, says so, and on again
 * if there is room; the reader makes room and looks then whether it is off. Whoever takes the word back turns it on
 * afterwards. So it never stays off while there is room.
 */
static void turn_on(void)
{
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (__atomic_load_n(&is_off, __ATOMIC_RELAXED) && __atomic_exchange_n(&is_off, false, __ATOMIC_SEQ_CST))
		serial_write(SERIAL_INTERRUPT_ENABLE, INTERRUPT_RECEIVED);
}

static void turn_off(void)
{
	serial_write(SERIAL_INTERRUPT_ENABLE, INTERRUPT_NONE);
	(void)__atomic_exchange_n(&is_off, true, __ATOMIC_SEQ_CST);
	if (!byte_queue_is_full(&received))
		turn_on();
}

/* False: the port may have more. Whether the queue is full may change at any time, so that is asked once. */
static bool take_all(bool *has_come)
{
	uint8_t byte;

	for (uint32_t left = INTERRUPT_STEP; left != 0 && !byte_queue_is_full(&received); left--) {
		if (!take_from_port(&byte))
			return true;
		byte_queue_put(&received, byte);
		*has_come = true;
	}
	return false;
}

/*
 * If the port has none left, a byte that comes later is another edge of its line. Else its interrupt must be off and
 * on again, or there would be no edge.
 */
bool serial_interrupt(void)
{
	bool has_come = false;

	(void)serial_read(SERIAL_INTERRUPT_IDENTIFICATION); /* ends INTERRUPT_EMPTY, which comes once */
	__atomic_store_n(&interrupted, true, __ATOMIC_RELAXED);
	if (!take_all(&has_come))
		turn_off();
	return has_come;
}

/* Whether one that the port raises by itself gets here. */
static bool interrupt_arrives(void)
{
	__atomic_store_n(&interrupted, false, __ATOMIC_RELAXED);
	serial_write(SERIAL_INTERRUPT_ENABLE, INTERRUPT_EMPTY);
	for (uint32_t polls = 0; polls < INTERRUPT_POLLS; polls++) {
		interrupt_window_open();
		if (__atomic_load_n(&interrupted, __ATOMIC_RELAXED))
			break;
		(void)serial_read(SERIAL_LINE_STATUS); /* for the time that it takes */
	}
	serial_write(SERIAL_INTERRUPT_ENABLE, INTERRUPT_NONE);
	return __atomic_load_n(&interrupted, __ATOMIC_RELAXED);
}

bool serial_start_interrupts(void)
{
	/* The second comes only if the first was ended. */
	has_interrupt = present && interrupt_arrives() && interrupt_arrives();
	if (has_interrupt)
		serial_write(SERIAL_INTERRUPT_ENABLE, INTERRUPT_RECEIVED);
	return has_interrupt;
}

bool serial_is_polled(void)
{
	return !has_interrupt;
}

bool serial_read_byte(uint8_t *byte)
{
	if (byte_queue_take(&received, byte)) {
		turn_on();
		return true;
	}
	return !has_interrupt && present && take_from_port(byte);
}
