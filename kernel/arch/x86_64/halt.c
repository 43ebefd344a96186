#include "kernel/arch/x86_64/halt.h"

#include "kernel/arch/x86_64/port.h"
#include "kernel/arch/x86_64/serial.h"
#include "kernel/arch/x86_64/time_limit.h"

#define DEBUG_EXIT_PORT 0xf4u       /* where the runner puts QEMU's isa-debug-exit */
#define BOCHS_SHUTDOWN_PORT 0x8900u /* Bochs ends when it has seen "Shutdown" here */
#define HALT_CODE_MAX 63u

/* Codes of machine_halt begin above all that a panic, or QEMU itself, may leave with. */
#define DEBUG_EXIT_BASE 16u
#define DEBUG_EXIT_PANIC 15u

static _Noreturn void halt_with(uint8_t debug_exit)
{
	serial_drain(); /* the last 16 bytes are still the port's, and would go with the machine */
	outb(DEBUG_EXIT_PORT, debug_exit);
	for (const char *letter = "Shutdown"; *letter; letter++)
		outb(BOCHS_SHUTDOWN_PORT, (uint8_t)*letter);
	for (;;)
		__asm__ volatile("cli; hlt" : : : "memory");
}

_Noreturn void machine_halt(uint32_t code)
{
	time_limit_report();
	halt_with((uint8_t)(DEBUG_EXIT_BASE + (code < HALT_CODE_MAX ? code : HALT_CODE_MAX)));
}

_Noreturn void machine_halt_panic(void)
{
	halt_with(DEBUG_EXIT_PANIC);
}
