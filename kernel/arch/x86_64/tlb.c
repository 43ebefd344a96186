#include "kernel/arch/x86_64/tlb.h"

#include "kernel/arch/x86_64/apic.h"
#include "kernel/arch/x86_64/trap.h"

#define CR4_GLOBAL_PAGES (UINT64_C(1) << 7)

enum tlb_kind {
	TLB_USER,   /* pages of the user half */
	TLB_KERNEL, /* pages of the kernel half, which may be global */
};

static void invalidate_pages(uint64_t start, uint64_t end)
{
	for (uint64_t address = start; address < end; address += PAGE_SIZE)
		invlpg(address);
}

/* A CR3 load spares global pages; turning them off and on again spares nothing (SDM vol. 3, 4.10.4.1). */
static void invalidate_all(enum tlb_kind kind)
{
	uint64_t cr4 = cr4_read();

	if (kind == TLB_KERNEL && (cr4 & CR4_GLOBAL_PAGES) != 0) {
		cr4_write(cr4 & ~CR4_GLOBAL_PAGES);
		cr4_write(cr4);
	} else {
		cr3_write(cr3_read());
	}
}

static void invalidate(enum tlb_kind kind, uint64_t start, uint64_t end)
{
	if (end - start <= TLB_FLUSH_MAX_PAGES * PAGE_SIZE)
		invalidate_pages(start, end);
	else
		invalidate_all(kind);
}

/* Do what CPU `index` asks, then let it go on: from the last line on the request may change. */
static void answer(uint32_t index, uint64_t own_bit)
{
	struct tlb_request *request = &cpu_at(index)->tlb_request;

	invalidate((enum tlb_kind)request->kind, request->start, request->end);
	__atomic_fetch_and(&request->pending, ~own_bit, __ATOMIC_RELEASE);
}

void tlb_poll(void)
{
	struct cpu *cpu = cpu_current();
	uint64_t asking;

	if (LIKELY(__atomic_load_n(&cpu->tlb_inbox, __ATOMIC_RELAXED) == 0))
		return;
	asking = __atomic_exchange_n(&cpu->tlb_inbox, 0, __ATOMIC_ACQUIRE);
	for (; asking != 0; asking &= asking - 1) {
		answer((uint32_t)__builtin_ctzll(asking), cpu->bit);
		cpu->shootdowns++;
	}
}

#ifdef CAPOS_MUTANT_NO_SHOOTDOWN

/* For the test of stale translations, which must see this kernel fail. */
static void ask_others(struct cpu *cpu, uint64_t others)
{
	(void)others;
	cpu->tlb_request.pending = 0;
}

#else

/* A CPU whose inbox was not empty has an interrupt on its way already. */
static void ask_others(struct cpu *cpu, uint64_t others)
{
	__atomic_store_n(&cpu->tlb_request.pending, others, __ATOMIC_RELEASE);
	for (; others != 0; others &= others - 1) {
		struct cpu *other = cpu_at((uint32_t)__builtin_ctzll(others));
		if (__atomic_fetch_or(&other->tlb_inbox, cpu->bit, __ATOMIC_ACQ_REL) == 0)
			apic_send(other->local_apic_id, TRAP_SHOOTDOWN);
	}
}

#endif

/* Own part last, while the others work. Who waits answers: two CPUs may ask each other. */
static void flush(enum tlb_kind kind, uint64_t cpu_mask, uint64_t start, uint64_t end)
{
	struct cpu *cpu = cpu_current();
	struct tlb_request *request = &cpu->tlb_request;
	uint64_t others = cpu_mask & ~cpu->bit;

	if (others != 0) {
		request->kind = kind;
		request->start = start;
		request->end = end;
		ask_others(cpu, others);
	}
	if ((cpu_mask & cpu->bit) != 0)
		invalidate(kind, start, end);
	while (__atomic_load_n(&request->pending, __ATOMIC_ACQUIRE) != 0) {
		cpu_pause();
		tlb_poll();
	}
}

void tlb_flush_range(uint64_t cpu_mask, struct uaddr_range range)
{
	flush(TLB_USER, cpu_mask, range.start.raw, range.end.raw);
}

void tlb_flush_kernel(vaddr_t start, vaddr_t end)
{
	flush(TLB_KERNEL, cpu_online_mask(), start.raw, end.raw);
}
