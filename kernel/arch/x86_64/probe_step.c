#include "kernel/arch/x86_64/probe_step.h"

#include "kernel/arch/x86_64/instructions.h"

#define RET_WITH_ZEROS UINT64_C(0xc3)

void probe_step_read(uint64_t address)
{
	uint64_t word;
	__asm__ volatile("movq (%1), %0" : "=r"(word) : "r"(address) : "memory");
}

void probe_step_write(uint64_t address)
{
	__asm__ volatile("movq %0, (%1)" : : "r"(RET_WITH_ZEROS), "r"(address) : "memory");
}

void probe_step_execute(uint64_t address)
{
	__asm__ volatile("call *%0" : : "r"(address) : "memory");
}

void probe_step_read_open(uint64_t address)
{
	__asm__ volatile("stac; movq (%0), %%rax; clac" : : "r"(address) : "rax", "memory");
}

void probe_step_write_open(uint64_t address)
{
	__asm__ volatile("stac; movq %0, (%1); clac" : : "r"(RET_WITH_ZEROS), "r"(address) : "memory");
}

void probe_step_read_shut(uint64_t address)
{
	__asm__ volatile("stac; movq (%0), %%rax; clac; movq (%0), %%rax" : : "r"(address) : "rax", "memory");
}

void probe_step_read_by_flag(uint64_t address)
{
	__asm__ volatile("pushfq; orl $0x40000, (%%rsp); popfq; movq (%0), %%rax; clac"
			 :
			 : "r"(address)
			 : "rax", "memory", "cc");
}

void probe_step_read_stack(uint64_t address)
{
	__asm__ volatile("movq %0, %%rcx; pushq %%rbp; movq %%rcx, %%rbp; movq (%%rbp), %%rax; popq %%rbp"
			 :
			 : "r"(address)
			 : "rax", "rcx", "memory");
}

void probe_step_push(uint64_t address)
{
	__asm__ volatile("movq %0, %%rsp; pushq %%rax" : : "r"(address) : "memory");
	__builtin_unreachable();
}

void probe_step_call_nmi_gate(uint64_t argument)
{
	(void)argument;
	__asm__ volatile("int $2" : : : "memory");
}

void probe_step_call_machine_check_gate(uint64_t argument)
{
	(void)argument;
	__asm__ volatile("int $18" : : : "memory");
}

void probe_step_breakpoint(uint64_t argument)
{
	(void)argument;
	__asm__ volatile("int3" : : : "memory");
}

void probe_step_undefined(uint64_t argument)
{
	(void)argument;
	__asm__ volatile("ud2" : : : "memory");
}

void probe_step_divide_by_zero(uint64_t argument)
{
	(void)argument;
	__asm__ volatile("xorl %%ecx, %%ecx; xorl %%edx, %%edx; divl %%ecx" : : : "eax", "ecx", "edx", "cc");
}

void probe_step_trace(uint64_t argument)
{
	(void)argument;
	__asm__ volatile("pushfq; orl $0x100, (%%rsp); popfq; nop; nop" : : : "memory", "cc");
}

void probe_step_store_descriptors(uint64_t argument)
{
	struct descriptor_pointer pointer;
	uint64_t word;

	(void)argument;
	__asm__ volatile("sgdt %0; sidt %0; sldt %1; str %1; smsw %1" : "=m"(pointer), "=r"(word));
}

void probe_step_cr0(uint64_t value)
{
	cr0_write(value);
}

void probe_step_cr3(uint64_t value)
{
	cr3_write(value);
}

void probe_step_cr4(uint64_t value)
{
	cr4_write(value);
}

void probe_step_cr8(uint64_t value)
{
	__asm__ volatile("movq %0, %%cr8" : : "r"(value) : "memory");
}

void probe_step_dr7(uint64_t value)
{
	__asm__ volatile("movq %0, %%dr7" : : "r"(value) : "memory");
}

uint64_t probe_step_dr7_now(void)
{
	uint64_t value;
	__asm__ volatile("movq %%dr7, %0" : "=r"(value));
	return value;
}

void probe_step_xcr0(uint64_t value)
{
	xcr0_write(value);
}

void probe_step_fs_base(uint64_t base)
{
	fs_base_write(base);
}

void probe_step_read_msr(uint64_t msr)
{
	(void)rdmsr(((const struct probe_step_msr *)msr)->number);
}

void probe_step_write_msr(uint64_t msr)
{
	const struct probe_step_msr *request = (const struct probe_step_msr *)msr;

	wrmsr(request->number, request->value);
}
