/* Control, debug and model-specific registers: what the CPU does not take from ring 0 either. */
#ifndef CAPOS_KERNEL_DEBUG_PROTECTION_REGISTERS_H
#define CAPOS_KERNEL_DEBUG_PROTECTION_REGISTERS_H

/* Each register is as before, afterwards. */
void protection_registers_run(void);

#endif
