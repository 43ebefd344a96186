/* Port I/O. Ring 0 only; no state, no locks. Host tests play the devices behind the ports of a byte. */
#ifndef CAPOS_KERNEL_ARCH_X86_64_PORT_H
#define CAPOS_KERNEL_ARCH_X86_64_PORT_H

#include <stdint.h>

#ifdef CAPOS_HOST

void outb(uint16_t port, uint8_t value);
uint8_t inb(uint16_t port);

#else

static inline void outb(uint16_t port, uint8_t value)
{
	__asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port) : "memory");
}

static inline uint8_t inb(uint16_t port)
{
	uint8_t value;

	__asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port) : "memory");
	return value;
}

#endif

static inline void outw(uint16_t port, uint16_t value)
{
	__asm__ volatile("outw %0, %1" : : "a"(value), "Nd"(port) : "memory");
}

static inline void outl(uint16_t port, uint32_t value)
{
	__asm__ volatile("outl %0, %1" : : "a"(value), "Nd"(port) : "memory");
}

static inline uint16_t inw(uint16_t port)
{
	uint16_t value;

	__asm__ volatile("inw %1, %0" : "=a"(value) : "Nd"(port) : "memory");
	return value;
}

static inline uint32_t inl(uint16_t port)
{
	uint32_t value;

	__asm__ volatile("inl %1, %0" : "=a"(value) : "Nd"(port) : "memory");
	return value;
}

/* About a microsecond, for old devices between two writes: port 80h is the POST code port, which nothing listens to. */
static inline void port_wait(void)
{
	outb(0x80, 0);
}

#endif
