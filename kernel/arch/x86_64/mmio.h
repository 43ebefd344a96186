/* Device registers of 32 bits. Ring 0 only; no state, no locks. Host tests play the devices. */
#ifndef CAPOS_KERNEL_ARCH_X86_64_MMIO_H
#define CAPOS_KERNEL_ARCH_X86_64_MMIO_H

#include <stdint.h>

#ifdef CAPOS_HOST

uint32_t mmio_read(const volatile uint8_t *registers, uint32_t offset);
void mmio_write(volatile uint8_t *registers, uint32_t offset, uint32_t value);

#else

static inline uint32_t mmio_read(const volatile uint8_t *registers, uint32_t offset)
{
	return *(const volatile uint32_t *)(registers + offset);
}

static inline void mmio_write(volatile uint8_t *registers, uint32_t offset, uint32_t value)
{
	*(volatile uint32_t *)(registers + offset) = value;
}

#endif

#endif
