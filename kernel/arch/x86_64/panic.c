#include "kernel/arch/x86_64/panic.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>

#include "abi/memory_layout.h"
#include "kernel/arch/x86_64/apic.h"
#include "kernel/arch/x86_64/cpu_local.h"
#include "kernel/arch/x86_64/halt.h"
#include "kernel/arch/x86_64/instructions.h"
#include "kernel/arch/x86_64/log.h"
#include "kernel/arch/x86_64/offsets.h"
#include "kernel/arch/x86_64/probe.h"
#include "kernel/arch/x86_64/trap.h"
#include "lib/check.h"
#include "lib/format.h"

#define PANIC_TEXT_BYTES 200u
#define PANIC_MAX_DEPTH 32u
#define KERNEL_HALF UINT64_C(0xffff800000000000)

static bool panicking;
static uint64_t panicking_cpu; /* its GS base: to be had without a memory access, however early or late it is */

static _Noreturn void stop(void)
{
	for (;;) {
		cli();
		hlt();
	}
}

bool panic_is_on(void)
{
	return __atomic_load_n(&panicking, __ATOMIC_ACQUIRE);
}

void panic_stop_if_on(void)
{
	if (panic_is_on())
		stop();
}

/* Comes back on the first CPU that panics, once. A panic inside the panic ends the machine; other CPUs just stop. */
static void begin(void)
{
	uint64_t self = rdmsr(MSR_GS_BASE);

	cli();
	if (__atomic_exchange_n(&panicking, true, __ATOMIC_ACQ_REL)) {
		if (__atomic_load_n(&panicking_cpu, __ATOMIC_ACQUIRE) == self)
			machine_halt_panic();
		stop();
	}
	__atomic_store_n(&panicking_cpu, self, __ATOMIC_RELEASE);
	if (cpu_online_count() > 1)
		apic_send_nmi_to_others();
}

/* By frame pointers, upwards, as long as they stay in the kernel. Each word may be wrong, so each read may fail. */
static void backtrace(uint64_t frame_pointer)
{
	for (uint32_t depth = 0; depth < PANIC_MAX_DEPTH; depth++) {
		uint64_t next, address;

		if (frame_pointer < KERNEL_HALF || frame_pointer % 8 != 0)
			break;
		if (!probe_read64(frame_pointer, &next, false) || !probe_read64(frame_pointer + 8, &address, false))
			break;
		if (address < KERNEL_HALF)
			break;
		log_raw("  at 0x%lx\n", address);
		if (next <= frame_pointer)
			break;
		frame_pointer = next;
	}
}

void panic(const char *format, ...)
{
	char text[PANIC_TEXT_BYTES];
	va_list arguments;

	begin();
	va_start(arguments, format);
	(void)format_v(text, sizeof(text), format, arguments);
	va_end(arguments);
	log_line("PANIC: %s", text);
	backtrace((uint64_t)__builtin_frame_address(0));
	machine_halt_panic();
}

void check_failed(const char *expression, const char *file, int line)
{
	panic("%s:%d: %s does not hold", file, line, expression);
}

/*
 * A stack ends at a page that is not mapped, so what touches it finds no stack for the page fault either. Whatever the
 * handler itself has touched since, cr2 was read before.
 */
static bool is_stack_overflow(const struct trap_frame *frame, uint64_t cr2)
{
	uint64_t word;

	return frame->vector == TRAP_DOUBLE_FAULT && frame->rsp - cr2 + PAGE_SIZE < 2 * PAGE_SIZE &&
	       !probe_read64(cr2 & ~UINT64_C(7), &word, false);
}

static void print_registers(const struct trap_frame *f, uint64_t cr2)
{
	log_raw("  rip 0x%lx cs 0x%lx rflags 0x%lx rsp 0x%lx ss 0x%lx\n", f->rip, f->cs, f->rflags, f->rsp, f->ss);
	log_raw("  rax 0x%lx rbx 0x%lx rcx 0x%lx rdx 0x%lx\n", f->rax, f->rbx, f->rcx, f->rdx);
	log_raw("  rsi 0x%lx rdi 0x%lx rbp 0x%lx r8 0x%lx\n", f->rsi, f->rdi, f->rbp, f->r8);
	log_raw("  r9 0x%lx r10 0x%lx r11 0x%lx r12 0x%lx\n", f->r9, f->r10, f->r11, f->r12);
	log_raw("  r13 0x%lx r14 0x%lx r15 0x%lx\n", f->r13, f->r14, f->r15);
	log_raw("  cr2 0x%lx cr3 0x%lx cr0 0x%lx cr4 0x%lx gs 0x%lx\n", cr2, cr3_read(), cr0_read(), cr4_read(),
		rdmsr(MSR_GS_BASE));
}

void panic_trap(const struct trap_frame *frame)
{
	uint64_t cr2 = cr2_read();

	begin();
	log_line("PANIC: %s%s in the kernel, vector %lu error 0x%lx, cr2 0x%lx",
		 is_stack_overflow(frame, cr2) ? "kernel stack overflow: " : "", trap_name(frame->vector),
		 frame->vector, frame->error, cr2);
	print_registers(frame, cr2);
	log_raw("  at 0x%lx\n", frame->rip);
	backtrace(frame->rbp);
	machine_halt_panic();
}
