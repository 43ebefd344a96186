/* Where both boot doors end: on the boot CPU, on the boot stack, interrupts off, early page tables. */
#ifndef CAPOS_KERNEL_MAIN_H
#define CAPOS_KERNEL_MAIN_H

_Noreturn void kernel_main(void);

#endif
