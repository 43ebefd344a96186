#include "kernel/arch/x86_64/interrupt_window.h"

void interrupt_window_open(void)
{
	__asm__ volatile("sti\n\tnop\n\tcli" ::: "memory"); /* STI holds interrupts off for one instruction */
}
