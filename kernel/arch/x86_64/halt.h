/* The ends of the machine. Any CPU, any state, interrupts on or off; other CPUs run on unless there is an emulator. */
#ifndef CAPOS_KERNEL_ARCH_X86_64_HALT_H
#define CAPOS_KERNEL_ARCH_X86_64_HALT_H

#include <stdint.h>

/*
 * End with a code from 0 to 63 (larger ones become 63). QEMU with isa-debug-exit leaves with status (16 + code) * 2 +
 * 1: 33 is success. Bochs leaves too. A real machine stops this CPU.
 */
_Noreturn void machine_halt(uint32_t code);

/* End after a panic: QEMU's status is 31. */
_Noreturn void machine_halt_panic(void);

#endif
