/*
 * The first serial port (COM1, 16550), polled: 115200 baud, 8 bits, no parity. Needs no memory, no interrupts and no
 * other part of the kernel. A machine without the port loses the output and is none the slower. No lock: log.h has one;
 * whoever writes bytes on his own keeps others away.
 */
#ifndef CAPOS_KERNEL_ARCH_X86_64_SERIAL_H
#define CAPOS_KERNEL_ARCH_X86_64_SERIAL_H

#include <stdbool.h>
#include <stdint.h>

/* Once, before all else. Until then bytes written are lost and none are read. */
void serial_init(void);

/* Waits for room at most some tens of milliseconds; then the byte is lost. */
void serial_write_byte(uint8_t byte);

/* Wait until all that was written has left the port, at most some tens of milliseconds. */
void serial_drain(void);

/* False if no byte has arrived; never waits. */
bool serial_read_byte(uint8_t *byte);

#endif
