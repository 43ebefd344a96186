/*
 * The first serial port (COM1, 16550): 115200 baud, 8 bits, no parity. Writing is polled, and needs no memory, no
 * interrupts and no other part of the kernel. A machine without the port loses the output and is none the slower. No
 * lock: log.h has one; whoever writes bytes on his own keeps others away.
 *
 * Reading begins polled. After serial_start_interrupts a handler takes what arrives into a queue (lib/byte_queue.h).
 * When that is full, what arrives stays in the port, which does not interrupt until somebody has read: the sender
 * waits, if the line has flow control or is an emulator's; else what its 16 bytes do not hold is lost.
 */
#ifndef CAPOS_KERNEL_ARCH_X86_64_SERIAL_H
#define CAPOS_KERNEL_ARCH_X86_64_SERIAL_H

#include <stdbool.h>
#include <stdint.h>

#define SERIAL_ISA_INTERRUPT 4u

/* Once, before all else. Until then bytes written are lost and none are read. */
void serial_init(void);

/* Waits for room at most some tens of milliseconds; then the byte is lost. */
void serial_write_byte(uint8_t byte);

/* Wait until all that was written has left the port, at most some tens of milliseconds. */
void serial_drain(void);

/*
 * Once, on the CPU that its interrupt is routed to, with the interrupt table loaded: let it interrupt, if that works.
 * The port raises two interrupts, which are waited for, at most some tens of milliseconds each, in interrupt windows.
 * False: they did not arrive, and it stays polled.
 */
bool serial_start_interrupts(void);

/* Whether nobody is told when a byte arrives. */
bool serial_is_polled(void);

/* The handler: whether bytes have come. They can be read; interrupts that come from now on are other ones. */
bool serial_interrupt(void);

/* False if no byte has arrived; never waits. One caller at a time. */
bool serial_read_byte(uint8_t *byte);

#endif
