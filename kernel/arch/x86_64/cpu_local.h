/*
 * What belongs to one CPU, found through GS.
 *
 * In kernel mode the GS base is the address of this CPU's struct cpu, always; every entry from ring 3 exchanges it
 * with the program's own (SWAPGS), every way back exchanges again. CPU indices are dense: 0 is the boot CPU, and CPUs
 * 0 ... cpu_online_count() - 1 run. A CPU never goes away.
 */
#ifndef CAPOS_KERNEL_ARCH_X86_64_CPU_LOCAL_H
#define CAPOS_KERNEL_ARCH_X86_64_CPU_LOCAL_H

#include <stdbool.h>
#include <stdint.h>

#include "abi/memory_layout.h"
#include "kernel/arch/x86_64/descriptors.h"

#define CPU_MAX 64u /* as many as a CPU mask has bits */

/* What one CPU asks others to forget. Written by its owner alone, and only while `pending` is 0. */
struct tlb_request {
	uint32_t kind;       /* enum tlb_kind, tlb.c */
	uint64_t start, end; /* bytes, whole pages */
	uint64_t pending;    /* CPUs that have not done it; each clears its own bit (atomic) */
};

/* What one CPU asks another to run. The same life as a tlb_request. */
struct smp_request {
	void (*function)(void *argument);
	void *argument;
	uint64_t pending;
};

/* What a CPU is asked to look at. */
#define CPU_ATTENTION_RESCHEDULE 1u /* its run queue */
#define CPU_ATTENTION_TIMER 2u      /* its alarm (clock_set_alarm) has rung */
#define CPU_ATTENTION_STOP 4u       /* it is to be held */
#define CPU_ATTENTION_INPUT 8u      /* bytes have come over the serial line */

struct cpu {
	/* read by the entry code at the offsets of offsets.h */
	struct cpu *self;
	uint64_t syscall_kernel_stack; /* RSP that the SYSCALL entry loads */
	uint64_t syscall_user_stack;   /* scratch of the SYSCALL entry */
	uint64_t start_stack;          /* top of the stack that it starts and idles on; the boot CPU has none */

	/* fixed once the CPU runs */
	uint32_t index;
	uint32_t local_apic_id;
	uint64_t bit; /* 1 << index: this CPU in a mask */

	/* this CPU's alone, interrupts off */
	void *current_thread;
	uint64_t active_root; /* CR3 value loaded now; kept by whoever loads CR3 */
	uint64_t interrupts;  /* taken, from the local APIC */
	uint64_t shootdowns;  /* answered for other CPUs */
	uint64_t nmis;        /* taken and ignored */

	/* own requests, read by the CPUs asked */
	struct tlb_request tlb_request;
	struct smp_request smp_request;

	/* set by any CPU (atomic OR of the asking CPU's bit), taken by this one */
	uint64_t tlb_inbox;
	uint64_t smp_inbox;

	/*
	 * CPU_ATTENTION_*: set by any CPU (atomic OR), then smp_interrupt unless it is the own one; taken by this one.
	 * It does not return to ring 3 from an interrupt or an exception with a bit set (task_before_user, trap.h).
	 */
	uint64_t attention;

	bool start_decided; /* smp.c, atomic */

	/* loaded in GDTR and TR */
	uint64_t descriptor_table[DESCRIPTOR_COUNT];
	struct task_state task_state;
} __attribute__((aligned(64)));

#ifdef CAPOS_HOST

/* Host tests play the CPU: each thread of a test sets its own. */
extern _Thread_local struct cpu *cpu_host_current;

static inline struct cpu *cpu_current(void)
{
	return cpu_host_current;
}

#else

/* Volatile, since a thread may have changed its CPU between two calls. */
static inline struct cpu *cpu_current(void)
{
	struct cpu *cpu;
	__asm__ volatile("movq %%gs:0, %0" : "=r"(cpu));
	return cpu;
}

#endif

static inline uint32_t cpu_index(void)
{
	return cpu_current()->index;
}

/* The CPU of that index, or NULL if it neither runs nor is prepared. index < CPU_MAX. */
struct cpu *cpu_at(uint32_t index);

uint32_t cpu_online_count(void);

/* Mask of the CPUs that run. */
uint64_t cpu_online_mask(void);

/*
 * The boot CPU's beginning: GS base, descriptors, interrupt table, SYSCALL registers, in static memory. After it an
 * exception is reported instead of a reset. Early page tables are enough. Call once, first.
 */
void cpu_init_boot(void);

/*
 * Stacks begin above a page that nothing is mapped to, so that an overflow is a double fault, reported on a stack of
 * its own, and harms nobody. An overflow of that one is a double fault again, which begins at its top.
 */
struct exception_stack {
	uint8_t guard[PAGE_SIZE];
	uint8_t bytes[PAGE_SIZE];
};

#define CPU_EXCEPTION_STACKS INTERRUPT_STACKS

/* Memory of one CPU but the boot CPU. */
struct cpu_memory {
	uint8_t idle_guard[PAGE_SIZE];
	uint8_t idle_stack[2 * PAGE_SIZE]; /* it starts on it, too */
	struct exception_stack exception_stack[CPU_EXCEPTION_STACKS];
	struct cpu cpu __attribute__((aligned(4096)));
};

/* Whether the page at this offset of a struct cpu_memory is to be left unmapped. */
bool cpu_memory_is_guard(uint64_t offset);

/*
 * Take `memory` for CPU `index` (1 ... CPU_MAX - 1), for good. Every root maps it, but for its guards. Prepare the
 * indices in order, before smp_start_all.
 */
void cpu_prepare(uint32_t index, struct cpu_memory *memory);

/*
 * Take a prepared CPU that does not run, and never will, out of the row: the last of the row gets its index. What it
 * has in memory stays as it is. For smp.c alone.
 */
void cpu_retire(struct cpu *cpu);

/*
 * Addresses of the pages below the boot CPU's stacks, which are in the image and so begin mapped, `which` from 0. The
 * memory code unmaps them when it can.
 */
#define CPU_BOOT_GUARDS (CPU_EXCEPTION_STACKS + 1u)

uint64_t cpu_boot_guard(uint32_t which);

/*
 * Load `cpu` on the CPU that executes this: GS base, descriptors, interrupt table, SYSCALL registers. For cpu_init_boot
 * and smp.c alone.
 */
void cpu_load(struct cpu *cpu);

/* Count `cpu` among those that run, from now on in cpu_online_mask(). By the CPU itself. */
void cpu_set_online(struct cpu *cpu);

/*
 * Stack that the next entry from ring 3 on this CPU begins on, by interrupt (TSS.RSP0) and by SYSCALL. `top` is
 * 16-byte aligned.
 */
void cpu_set_kernel_stack(uint64_t top);

#endif
