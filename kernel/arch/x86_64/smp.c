#include "kernel/arch/x86_64/smp.h"

#include <stdbool.h>
#include <stddef.h>

#include "kernel/arch/x86_64/apic.h"
#include "kernel/arch/x86_64/boot_layout.h"
#include "kernel/arch/x86_64/clock.h"
#include "kernel/arch/x86_64/cpu_local.h"
#include "kernel/arch/x86_64/features.h"
#include "kernel/arch/x86_64/fpu.h"
#include "kernel/arch/x86_64/instructions.h"
#include "kernel/arch/x86_64/log.h"
#include "kernel/arch/x86_64/offsets.h"
#include "kernel/arch/x86_64/tlb.h"
#include "kernel/arch/x86_64/trap.h"
#include "lib/check.h"

#define INIT_SETTLE_NS                                                                                                \
	UINT64_C(10000000)                 /* 10 ms between INIT and start-up (SDM vol. 3, 9.4.4); for real CPUs only \
					    */
#define SECOND_STARTUP_NS UINT64_C(200000) /* the start-up is sent again if the CPU is silent for so long */
#define START_LIMIT_NS UINT64_C(1000000000)

/* Parameters in the trampoline page. `cpu` is the gate: whoever takes it out (exchange with 0) goes through. */
struct ap_start {
	uint64_t root;
	uint64_t entry;
	uint64_t cpu;
	uint64_t gate; /* kernel address of `cpu`: the page itself is mapped to run, not to be written */
};

_Static_assert(offsetof(struct ap_start, root) == AP_START_ROOT, "offsets.h");
_Static_assert(offsetof(struct ap_start, entry) == AP_START_ENTRY, "offsets.h");
_Static_assert(offsetof(struct ap_start, cpu) == AP_START_CPU, "offsets.h");
_Static_assert(offsetof(struct ap_start, gate) == AP_START_GATE, "offsets.h");
_Static_assert(sizeof(struct ap_start) == AP_START_BYTES, "offsets.h");
_Static_assert(AP_START_OFFSET + AP_START_BYTES <= PAGE_SIZE, "in the page");

/* kernel.ld, around ap_trampoline.S */
extern const uint8_t ap_trampoline_start[], ap_trampoline_end[];

/*
 * Whether a CPU that began to start will run is decided once, by whoever comes first: itself, or the boot CPU that is
 * tired of waiting. True for that one.
 */
static bool decide(struct cpu *cpu)
{
	return !__atomic_exchange_n(&cpu->start_decided, true, __ATOMIC_ACQ_REL);
}

static _Noreturn void stay_off(void)
{
	for (;;) {
		cli();
		hlt();
	}
}

static uint64_t lasting_root; /* what the boot CPU has loaded while it starts the others */

/* The trampoline ends here, on the CPU's idle stack, with the start root loaded, which nobody needs from here on. */
static _Noreturn void ap_main(struct cpu *cpu)
{
	cpu_load(cpu);
	cpu->active_root = lasting_root;
	cr3_write(lasting_root);
	fpu_init();
	features_enable_protection();
	apic_init_cpu();
	if (!decide(cpu))
		stay_off();
	cpu_set_online(cpu);
	task_ap_main();
}

static struct ap_start *install_trampoline(void *page)
{
	size_t bytes = (size_t)(ap_trampoline_end - ap_trampoline_start);
	uint8_t *to = page;

	CHECK(bytes <= AP_START_OFFSET);
	for (size_t i = 0; i < bytes; i++)
		to[i] = ap_trampoline_start[i];
	return (struct ap_start *)(to + AP_START_OFFSET);
}

/* Until it is counted among those that run. */
static bool wait_online(const struct cpu *cpu, uint64_t ns)
{
	uint64_t start = clock_now_ns();

	while ((cpu_online_mask() & cpu->bit) == 0) {
		if (clock_now_ns() - start > ns)
			return false;
		cpu_pause();
	}
	return true;
}

/*
 * A CPU that does not come in time. Closing the gate shows whether it is already through. If not, it never saw `cpu`,
 * which is free for the next one, and INIT sends it back to waiting for a start-up. If it is, it gets more time, and
 * then either runs or never will; its struct cpu and its stacks are in its hands, so nobody else gets them.
 */
static bool give_up_or_wait(struct ap_start *start, struct cpu *cpu, uint32_t local_apic_id)
{
	if (__atomic_exchange_n(&start->cpu, 0, __ATOMIC_ACQ_REL) != 0) {
		apic_send_init(local_apic_id);
		log_line("WARNING: the CPU with APIC id %u does not start: going on without it", local_apic_id);
		return false;
	}
	if (wait_online(cpu, START_LIMIT_NS))
		return true;
	if (decide(cpu)) {
		cpu_retire(cpu);
		log_line("WARNING: the CPU with APIC id %u began to start and is late: going on without it",
			 local_apic_id);
		return false;
	}
	while (!wait_online(cpu, START_LIMIT_NS)) /* it has decided this moment */
		;
	return true;
}

static bool start_one(struct ap_start *start, struct cpu *cpu, uint32_t local_apic_id)
{
	uint8_t page = AP_TRAMPOLINE_PHYSICAL >> PAGE_SHIFT;

	cpu->local_apic_id = local_apic_id;
	__atomic_store_n(&start->cpu, (uint64_t)cpu, __ATOMIC_RELEASE);

	apic_send_startup(local_apic_id, page);
	if (wait_online(cpu, SECOND_STARTUP_NS))
		return true;
	apic_send_startup(local_apic_id, page);
	return wait_online(cpu, START_LIMIT_NS) || give_up_or_wait(start, cpu, local_apic_id);
}

bool smp_start_all(const uint32_t *local_apic_ids, uint32_t count, uint64_t root, void *trampoline_page)
{
	struct ap_start *start = install_trampoline(trampoline_page);
	uint32_t self = apic_id();
	bool none_late = true;

	lasting_root = cpu_current()->active_root;
	CHECK(root < UINT64_C(1) << 32);
	start->root = root;
	start->gate = (uint64_t)&start->cpu;
	start->entry = (uint64_t)ap_main;
	for (uint32_t i = 0; i < count; i++)
		if (local_apic_ids[i] != self)
			apic_send_init(local_apic_ids[i]);
	if (count > 1 && !features_get()->hypervisor)
		clock_wait_ns(INIT_SETTLE_NS);

	for (uint32_t i = 0; i < count; i++) {
		uint32_t index = cpu_online_count();
		if (local_apic_ids[i] == self)
			continue;
		if (index == CPU_MAX || !cpu_at(index)) {
			log_line("WARNING: no memory for CPUs from number %u on: they stay off", index);
			break;
		}
		none_late &= start_one(start, cpu_at(index), local_apic_ids[i]);
	}
	return none_late;
}

/* In the interrupt handler, or while waiting for an answer: two CPUs may call each other. */
void smp_answer(void)
{
	struct cpu *cpu = cpu_current();
	uint64_t asking = __atomic_exchange_n(&cpu->smp_inbox, 0, __ATOMIC_ACQUIRE);

	for (; asking != 0; asking &= asking - 1) {
		struct smp_request *request = &cpu_at((uint32_t)__builtin_ctzll(asking))->smp_request;
		request->function(request->argument);
		__atomic_fetch_and(&request->pending, ~cpu->bit, __ATOMIC_RELEASE);
	}
}

void smp_call(uint32_t index, void (*function)(void *argument), void *argument)
{
	struct cpu *cpu = cpu_current();
	struct cpu *other = cpu_at(index);
	struct smp_request *request = &cpu->smp_request;

	CHECK((cpu_online_mask() & UINT64_C(1) << index) != 0);
	if (other == cpu) {
		function(argument);
		return;
	}
	request->function = function;
	request->argument = argument;
	__atomic_store_n(&request->pending, other->bit, __ATOMIC_RELEASE);
	__atomic_fetch_or(&other->smp_inbox, cpu->bit, __ATOMIC_ACQ_REL);
	apic_send(other->local_apic_id, TRAP_CALL);
	while (__atomic_load_n(&request->pending, __ATOMIC_ACQUIRE) != 0) {
		cpu_pause();
		tlb_poll();
		smp_answer();
	}
}

void smp_interrupt(uint32_t index)
{
	apic_send(cpu_at(index)->local_apic_id, TRAP_RESCHEDULE);
}
