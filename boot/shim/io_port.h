/* I/O ports. */
#ifndef CAPOS_SHIM_IO_PORT_H
#define CAPOS_SHIM_IO_PORT_H

#include <stdint.h>

static inline void io_port_write(uint16_t port, uint8_t value)
{
	__asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port) : "memory");
}

static inline uint8_t io_port_read(uint16_t port)
{
	uint8_t value;
	__asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port) : "memory");
	return value;
}

#endif
