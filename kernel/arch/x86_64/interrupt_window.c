#include "kernel/arch/x86_64/interrupt_window.h"

#include "kernel/arch/x86_64/instructions.h"
#include "kernel/arch/x86_64/lock_watch.h"
#include "kernel/arch/x86_64/time_limit.h"

void interrupt_window_open(void)
{
	lock_watch_window();
	time_limit_interrupts_on();
	sti_nop_cli();
	time_limit_interrupts_off();
}

void interrupt_window_halt(void)
{
	lock_watch_none_held();
	time_limit_interrupts_on();
	sti_hlt_cli();
	time_limit_interrupts_off();
}
