/*
 * Long kernel work runs with interrupts off in bounded steps; between two steps it opens this window. Locks may be
 * held: no interrupt handler takes any. Only after the interrupt table is loaded.
 */
#ifndef CAPOS_KERNEL_ARCH_X86_64_INTERRUPT_WINDOW_H
#define CAPOS_KERNEL_ARCH_X86_64_INTERRUPT_WINDOW_H

void interrupt_window_open(void);

/* Sleep until an interrupt has come and gone. By the idle loop: no lock is held. */
void interrupt_window_halt(void);

#endif
