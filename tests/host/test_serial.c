/* links: kernel/arch/x86_64/serial.c */
/*
 * The serial port's driver on a 16550 with its 16 bytes, whose interrupt comes by edge or by level. The sender waits
 * while the port is full, as an emulator's does; bytes come, and the driver's other side runs, between any two
 * accesses.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "kernel/arch/x86_64/interrupt_window.h"
#include "kernel/arch/x86_64/port.h"
#include "kernel/arch/x86_64/serial.h"
#include "lib/byte_queue.h"
#include "lib/check.h"
#include "tests/host/host_support.h"

#define COM1 0x3f8u
#define FIFO_BYTES 16u
#define STILL_AFTER 4u /* accesses without a byte, as four characters' time */

enum wiring {
	NOT_WIRED,
	WIRED_ONCE, /* the first interrupt is the last: nobody ended it */
	BY_EDGE,
	BY_LEVEL,
};

static struct {
	bool is_there;
	uint8_t scratch, enable, line_control, modem_control, trigger;
	bool is_empty_pending; /* room to write, not told yet */
	uint32_t still;        /* accesses since the last byte came or went */
	uint8_t fifo[FIFO_BYTES];
	uint32_t count;

	enum wiring wiring;
	bool is_high, has_risen;
	uint32_t interrupts;
	bool has_told; /* what the last one said */

	uint64_t sent, sent_limit, read; /* bytes of the sequence */
} uart;

static struct host_random random_steps;
static bool is_random, in_handler, in_reader;

static uint8_t byte_at(uint64_t index)
{
	return (uint8_t)(index * 37 ^ index >> 8);
}

/* ---- the port ---- */

static void look_at_line(void)
{
	const bool is_due = uart.count >= uart.trigger || (uart.count != 0 && uart.still >= STILL_AFTER);
	const bool was_high = uart.is_high;

	uart.is_high = (uart.modem_control & 8) != 0 &&
		       (((uart.enable & 1) != 0 && is_due) || ((uart.enable & 2) != 0 && uart.is_empty_pending));
	uart.has_risen |= uart.is_high && !was_high;
}

static void send(uint64_t bytes)
{
	for (; bytes != 0 && uart.sent < uart.sent_limit && uart.count < FIFO_BYTES; bytes--) {
		uart.fifo[uart.count++] = byte_at(uart.sent++);
		uart.still = 0;
	}
	look_at_line();
}

/* The CPU takes one, if there is one: the driver's handler. */
static void deliver(void)
{
	const bool is_due = uart.wiring == BY_LEVEL ? uart.is_high : uart.has_risen;

	if (!is_due || in_handler || uart.wiring == NOT_WIRED)
		return;
	if (uart.wiring == WIRED_ONCE && uart.interrupts != 0)
		return;
	uart.has_risen = false;
	uart.interrupts++;
	in_handler = true;
	uart.has_told = serial_interrupt();
	in_handler = false;
}

static void read_some(uint64_t most)
{
	uint8_t byte;

	in_reader = true;
	for (; most != 0 && serial_read_byte(&byte); most--)
		assert_int_equal(byte, byte_at(uart.read++));
	in_reader = false;
}

/* What comes and what others do between two accesses of one side. */
static void meanwhile(void)
{
	uart.still++;
	look_at_line();
	if (!is_random)
		return;
	if (host_random_once_in(&random_steps, 3))
		send(host_random_below(&random_steps, FIFO_BYTES));
	if (in_handler && !in_reader && host_random_once_in(&random_steps, 4))
		read_some(host_random_below(&random_steps, 8));
	if (in_reader && !in_handler && host_random_once_in(&random_steps, 2))
		deliver();
}

static uint8_t take_byte(void)
{
	const uint8_t byte = uart.fifo[0];

	if (uart.count == 0)
		return 0;
	uart.count--;
	memmove(uart.fifo, uart.fifo + 1, uart.count);
	uart.still = 0;
	return byte;
}

static uint8_t identify(void)
{
	const bool had = uart.is_empty_pending;

	uart.is_empty_pending = false;
	return had ? 2 : 1;
}

static uint8_t read_register(uint32_t which)
{
	switch (which) {
	case 0:
		return take_byte();
	case 2:
		return identify();
	case 5:
		return 0x60 | (uart.count != 0);
	case 7:
		return uart.scratch;
	default:
		fail_msg("register %u is read", which);
		return 0;
	}
}

uint8_t inb(uint16_t port)
{
	uint8_t value = 0xff;

	meanwhile();
	if (uart.is_there)
		value = read_register(port - COM1);
	look_at_line();
	return value;
}

static void enable(uint8_t causes)
{
	uart.is_empty_pending = (causes & 2) != 0 && (uart.enable & 2) == 0;
	uart.enable = causes;
}

static void write_register(uint32_t which, uint8_t value)
{
	static const uint8_t triggers[] = { 1, 4, 8, 14 };

	if (which == 1 && (uart.line_control & 0x80) == 0)
		enable(value);
	else if (which == 2)
		uart.trigger = triggers[value >> 6];
	else if (which == 3)
		uart.line_control = value;
	else if (which == 4)
		uart.modem_control = value;
	else if (which == 7)
		uart.scratch = value;
}

void outb(uint16_t port, uint8_t value)
{
	meanwhile();
	if (uart.is_there)
		write_register(port - COM1, value);
	look_at_line();
}

void interrupt_window_open(void)
{
	deliver();
}

/* ---- tests ---- */

static void begin(enum wiring wiring, bool is_there)
{
	uint8_t byte;

	memset(&uart, 0, sizeof(uart));
	is_random = false;
	uart.is_there = true;
	while (serial_read_byte(&byte)) /* of the test before */
		continue;
	uart.is_there = is_there;
	uart.wiring = wiring;
	uart.sent_limit = UINT64_MAX;
	serial_init();
}

static void test_no_port(void **state)
{
	(void)state;
	begin(BY_EDGE, false);
	assert_false(serial_start_interrupts());
	assert_true(serial_is_polled());
	read_some(1);
	assert_int_equal(uart.read, 0);
	assert_int_equal(uart.interrupts, 0);
}

static void expect_polled(enum wiring wiring, uint32_t interrupts)
{
	begin(wiring, true);
	assert_false(serial_start_interrupts());
	assert_true(serial_is_polled());
	assert_int_equal(uart.enable, 0);
	send(10);
	interrupt_window_open();
	read_some(UINT64_MAX);
	assert_int_equal(uart.read, 10);
	assert_int_equal(uart.interrupts, interrupts);
}

/* One that never comes, or comes once and is not ended: better to poll. */
static void test_no_interrupt(void **state)
{
	(void)state;
	expect_polled(NOT_WIRED, 0);
	expect_polled(WIRED_ONCE, 1);
}

static void begin_with_interrupts(enum wiring wiring)
{
	begin(wiring, true);
	assert_true(serial_start_interrupts());
	assert_false(serial_is_polled());
	assert_int_equal(uart.interrupts, 2);
	assert_false(uart.has_told);
	assert_int_equal(uart.enable, 1);
}

/* Few bytes interrupt when the line is still, many at once; each time all are taken. */
static void test_each_byte(void **state)
{
	(void)state;
	for (enum wiring wiring = BY_EDGE; wiring <= BY_LEVEL; wiring++) {
		begin_with_interrupts(wiring);
		for (uint32_t bytes = 1; bytes <= FIFO_BYTES; bytes++) {
			uart.interrupts = 0;
			send(bytes);
			uart.still = STILL_AFTER;
			look_at_line();
			deliver();
			deliver();
			assert_int_equal(uart.interrupts, 1);
			assert_true(uart.has_told);
			assert_int_equal(uart.count, 0);
			assert_false(uart.is_high);
			read_some(UINT64_MAX);
			assert_int_equal(uart.read, uart.sent);
		}
	}
}

/* The port keeps what does not fit, in silence, until somebody reads. */
static void test_full(void **state)
{
	(void)state;
	for (enum wiring wiring = BY_EDGE; wiring <= BY_LEVEL; wiring++) {
		begin_with_interrupts(wiring);
		while (uart.sent < BYTE_QUEUE_BYTES + FIFO_BYTES) {
			assert_int_equal(uart.enable, uart.sent <= BYTE_QUEUE_BYTES - FIFO_BYTES ? 1 : uart.enable);
			send(FIFO_BYTES);
			deliver();
		}
		assert_int_equal(uart.count, FIFO_BYTES);
		assert_int_equal(uart.enable, 0);
		assert_false(uart.is_high);
		read_some(1);
		assert_int_equal(uart.enable, 1);
		deliver();
		assert_int_equal(uart.count, FIFO_BYTES - 1);
		assert_int_equal(uart.enable, 0);
		while (uart.read < uart.sent) {
			const uint64_t before = uart.read;

			read_some(100);
			assert_true(uart.read > before);
			uart.still = STILL_AFTER;
			look_at_line();
			deliver();
		}
		assert_int_equal(uart.enable, 1);
	}
}

/* Nobody comes by: what is there interrupts, and a reader gets all of it. */
static void settle(void)
{
	is_random = false;
	for (uint32_t round = 0; round < 4 * BYTE_QUEUE_BYTES && uart.read < uart.sent; round++) {
		uart.still = STILL_AFTER;
		look_at_line();
		deliver();
		read_some(BYTE_QUEUE_BYTES);
	}
	assert_int_equal(uart.read, uart.sent);
	assert_int_equal(uart.count, 0);
	assert_int_equal(uart.enable, 1);
}

/* Fast senders and slow readers, and the other way round: nothing is lost, nothing comes twice, nothing gets stuck. */
static void test_random(void **state)
{
	(void)state;
	host_random_init(&random_steps, __func__, 21);
	for (enum wiring wiring = BY_EDGE; wiring <= BY_LEVEL; wiring++) {
		begin_with_interrupts(wiring);
		for (uint64_t round = host_rounds(60); round > 0; round--) {
			const uint64_t reads = host_random_below(&random_steps, 3) * 6;

			is_random = true;
			for (uint32_t step = 0; step < 2000; step++) {
				send(host_random_below(&random_steps, FIFO_BYTES));
				uart.still += (uint32_t)host_random_below(&random_steps, 3);
				look_at_line();
				deliver();
				read_some(host_random_below(&random_steps, reads + 1));
			}
			settle();
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_no_port), cmocka_unit_test(test_no_interrupt), cmocka_unit_test(test_each_byte),
		cmocka_unit_test(test_full),    cmocka_unit_test(test_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
