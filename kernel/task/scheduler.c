#include "kernel/task/scheduler.h"

#include <stddef.h>

#include "kernel/arch/x86_64/clock.h"
#include "kernel/arch/x86_64/context.h"
#include "kernel/arch/x86_64/cpu_local.h"
#include "kernel/arch/x86_64/instructions.h"
#include "kernel/arch/x86_64/interrupt_window.h"
#include "kernel/arch/x86_64/lock_watch.h"
#include "kernel/arch/x86_64/smp.h"
#include "kernel/arch/x86_64/trap.h"
#include "kernel/mem/address_space.h"
#include "kernel/mem/paging.h"
#include "kernel/task/console_wait.h"
#include "kernel/task/process_end.h"
#include "kernel/task/run_queue.h"
#include "kernel/task/world.h"
#include "lib/bits.h"
#include "lib/check.h"

#define ALARM_STEP 16u /* sleepers that are woken at a time, with interrupts off */

struct scheduler_cpu {
	struct run_queue queue;
	uint32_t running; /* priority of the current thread, plus one; 0: idle; atomic, read by others */
	bool waits_turn;  /* the alarm stands at the end of the turn, or earlier; atomic, read by others */

	/* this CPU's alone */
	bool turn_goes_on; /* the next thread was handed over to: it runs in the turn of who did that */
	uint32_t index;
	struct thread *handed_over;
	struct thread *leaving;      /* whose stack it left last, until finish_switch */
	struct thread *fpu;          /* whose registers are loaded */
	struct address_space *space; /* that is loaded; NULL: the kernel's */
	uint64_t idle_context;
	uint64_t turn_end;
	uint64_t alarm; /* where it stands; SCHEDULER_FOREVER: nowhere */
	uint64_t switches;
	struct run_time busy; /* with threads */

	struct spinlock deadline_lock;
	struct deadline_heap deadlines; /* deadline_lock; threads that fell asleep on this CPU */
} __attribute__((aligned(64)));

static struct scheduler_cpu scheduler_cpus[CPU_MAX] = {
	[0 ... CPU_MAX - 1] = { .queue.lock = SPINLOCK_INIT(LOCK_RUN_QUEUE),
				.deadline_lock = SPINLOCK_INIT(LOCK_DEADLINE) },
};
static uint64_t idle_mask; /* atomic: CPUs that halt, or are about to and will look once more */

static struct scheduler_cpu *this_cpu(void)
{
	return &scheduler_cpus[cpu_index()];
}

struct thread *thread_current(void)
{
	return cpu_current()->current_thread;
}

/* ---- the alarm ---- */

static void alarm_at_latest(struct scheduler_cpu *cpu, uint64_t deadline)
{
	if (deadline >= cpu->alarm)
		return;
	cpu->alarm = deadline;
	clock_set_alarm(deadline);
}

static void wait_turn(struct scheduler_cpu *cpu)
{
	__atomic_store_n(&cpu->waits_turn, true, __ATOMIC_RELAXED);
	alarm_at_latest(cpu, cpu->turn_end);
}

static struct thread *thread_of_deadline(struct deadline_node *node)
{
	return (struct thread *)((uint8_t *)node - offsetof(struct thread, deadline));
}

/* Some of those whose time it is; a sleeper takes the lock before it can end. False: it is nobody else's. */
static bool wake_some(struct scheduler_cpu *cpu, uint64_t now)
{
	struct deadline_node *node;
	bool is_due = true;

	spinlock_acquire(&cpu->deadline_lock);
	for (uint32_t left = ALARM_STEP; left != 0 && is_due; left--) {
		node = deadline_heap_first(&cpu->deadlines);
		is_due = node != NULL && node->deadline <= now;
		if (is_due) {
			deadline_heap_remove(&cpu->deadlines, node);
			scheduler_wake(thread_of_deadline(node));
		} else if (node != NULL) {
			alarm_at_latest(cpu, node->deadline);
		}
	}
	spinlock_release(&cpu->deadline_lock);
	return is_due;
}

/* The alarm has rung: wake whose time it is, however many, and set it again. */
static void ring_alarm(struct scheduler_cpu *cpu)
{
	uint64_t now = clock_now_ns();

	cpu->alarm = SCHEDULER_FOREVER;
	__atomic_store_n(&cpu->waits_turn, false, __ATOMIC_RELAXED);
	while (wake_some(cpu, now))
		interrupt_window_open();
}

static void deadline_set(struct scheduler_cpu *cpu, struct thread *thread, uint64_t deadline)
{
	thread->deadline_cpu = cpu->index;
	thread->deadline.deadline = deadline;
	spinlock_acquire(&cpu->deadline_lock);
	deadline_heap_insert(&cpu->deadlines, &thread->deadline);
	spinlock_release(&cpu->deadline_lock);
	alarm_at_latest(cpu, deadline);
}

static void deadline_clear(struct thread *thread)
{
	struct scheduler_cpu *cpu = &scheduler_cpus[thread->deadline_cpu];

	spinlock_acquire(&cpu->deadline_lock);
	if (deadline_node_is_in(&thread->deadline))
		deadline_heap_remove(&cpu->deadlines, &thread->deadline);
	spinlock_release(&cpu->deadline_lock);
}

/* ---- becoming ready ---- */

static void interrupt_cpu(uint32_t index)
{
	__atomic_fetch_or(&cpu_at(index)->attention, CPU_ATTENTION_RESCHEDULE, __ATOMIC_RELEASE);
	if (index != cpu_index())
		smp_interrupt(index);
}

/*
 * A CPU that idles, if one does: where the thread ran last before others. Whoever clears its bit has it, so two threads
 * never go to one CPU while another one sleeps.
 */
static bool claim_idle_cpu(uint32_t last, uint32_t *index)
{
	uint64_t idle = __atomic_load_n(&idle_mask, __ATOMIC_SEQ_CST);

	while (idle != 0) {
		*index = (idle & bits_one(last)) != 0 ? last : (uint32_t)__builtin_ctzll(idle);
		idle = __atomic_fetch_and(&idle_mask, ~bits_one(*index), __ATOMIC_SEQ_CST);
		if ((idle & bits_one(*index)) != 0)
			return true;
	}
	return false;
}

/* The CPU with the least urgent thread, if it is less urgent than this one; else where it ran last. */
static uint32_t least_urgent_cpu(uint32_t last, uint32_t priority)
{
	uint32_t lowest = __atomic_load_n(&scheduler_cpus[last].running, __ATOMIC_RELAXED);
	uint32_t index = last;
	uint32_t count = cpu_online_count();

	for (uint32_t i = 0; i < count; i++) {
		uint32_t running = __atomic_load_n(&scheduler_cpus[i].running, __ATOMIC_RELAXED);

		if (running >= lowest)
			continue;
		lowest = running;
		index = i;
	}
	return lowest <= priority ? index : last;
}

/*
 * READY, on nobody's stack. The CPU that gets it must look if it idles, or runs something less urgent. One that begins
 * to idle looks at all queues after it has said so; whoever adds to a queue looks afterwards who idles.
 */
static void enqueue(struct thread *thread)
{
	uint32_t priority = __atomic_load_n(&thread->priority, __ATOMIC_RELAXED);
	uint32_t last = thread->cpu;
	struct scheduler_cpu *cpu;
	uint32_t index, running, idle;

	if (!claim_idle_cpu(last, &index))
		index = least_urgent_cpu(last, priority);
	cpu = &scheduler_cpus[index];
	priority = run_queue_add(&cpu->queue, thread); /* from now on it may run, and end */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	running = __atomic_load_n(&cpu->running, __ATOMIC_RELAXED);
	if (running <= priority)
		interrupt_cpu(index);
	else if (claim_idle_cpu(index, &idle))
		interrupt_cpu(idle); /* it steals */
	else if (running == priority + 1 && !__atomic_load_n(&cpu->waits_turn, __ATOMIC_RELAXED))
		interrupt_cpu(index);
}

/* Whether it is now ready and in no queue: the caller puts it into one. */
static bool make_ready(struct thread *thread)
{
	bool is_ready;

	spinlock_acquire(&thread->lock);
	is_ready = thread->state == THREAD_BLOCKED && !thread->on_cpu;
	if (is_ready)
		thread->state = THREAD_READY;
	else
		thread->wake_pending = true;
	spinlock_release(&thread->lock);
	return is_ready;
}

void scheduler_add(struct thread *thread)
{
	thread->cpu = cpu_index();
	thread->state = THREAD_READY;
	enqueue(thread);
}

void scheduler_wake(struct thread *thread)
{
	if (make_ready(thread))
		enqueue(thread);
}

void scheduler_hand_over(struct thread *thread)
{
	struct scheduler_cpu *cpu = this_cpu();

	if (!make_ready(thread))
		return;
	if (cpu->handed_over != NULL || cpu->running == 0) {
		enqueue(thread);
		return;
	}
	cpu->handed_over = thread;
}

void scheduler_keep_running(void)
{
	struct scheduler_cpu *cpu = this_cpu();
	struct thread *thread = cpu->handed_over;

	if (LIKELY(thread == NULL))
		return;
	cpu->handed_over = NULL;
	enqueue(thread);
}

/* The CPU that is on its stack, if one is, passes the edge of the kernel soon. */
static void interrupt_thread(struct thread *thread)
{
	uint32_t cpu;
	bool runs;

	spinlock_acquire(&thread->lock);
	runs = __atomic_load_n(&thread->on_cpu, __ATOMIC_RELAXED);
	cpu = thread->cpu;
	spinlock_release(&thread->lock);
	if (runs)
		interrupt_cpu(cpu);
}

void scheduler_prod(struct thread *thread)
{
	scheduler_wake(thread);
	interrupt_thread(thread);
}

/*
 * Where the thread is may change meanwhile. Whoever queues it says so before it reads the priority, and whoever runs it
 * says so before the second look at it (say_that_runs): so either is found here, or sees the new priority. One that is
 * handed over is judged when it is taken.
 */
void scheduler_set_priority(struct thread *thread, uint32_t priority)
{
	(void)__atomic_exchange_n(&thread->priority, priority, __ATOMIC_SEQ_CST);
	if (run_queue_remove(thread))
		enqueue(thread);
	else
		interrupt_thread(thread);
}

/* ---- choosing ---- */

static struct thread *steal(const struct scheduler_cpu *cpu)
{
	uint32_t count = cpu_online_count();
	struct thread *thread = NULL;

	for (uint32_t i = 1; i < count && thread == NULL; i++)
		thread = run_queue_take(&scheduler_cpus[(cpu->index + i) % count].queue, 0);
	return thread;
}

/* The next for this CPU, of a priority of at least `lowest`; if any will do, another CPU's. */
static struct thread *take_next(struct scheduler_cpu *cpu, uint32_t lowest)
{
	struct thread *thread = cpu->handed_over;

	if (thread != NULL) {
		cpu->handed_over = NULL;
		cpu->turn_goes_on = thread->priority >= lowest && run_queue_best(&cpu->queue) <= thread->priority + 1;
		if (cpu->turn_goes_on)
			return thread;
		enqueue(thread);
	}
	thread = run_queue_take(&cpu->queue, lowest);
	return thread == NULL && lowest == 0 ? steal(cpu) : thread;
}

/* ---- switching ---- */

static void load_space(struct scheduler_cpu *cpu, struct address_space *space)
{
	struct address_space *before = cpu->space;

	if (space == before)
		return;
	if (space != NULL) {
		uint64_t root = address_space_enter_cpu(space, cpu->index);

		cr3_write(root);
		cpu_current()->active_root = root & ~PTE_ROOT_NO_FLUSH;
	} else {
		paging_load_kernel_root();
	}
	if (before != NULL)
		address_space_leave_cpu(before, cpu->index);
	cpu->space = space;
}

void scheduler_leave_space(void)
{
	load_space(this_cpu(), NULL);
}

static void leave_thread(struct scheduler_cpu *cpu, struct thread *thread, uint64_t now)
{
	run_time_end(&thread->run_time, now);
	run_time_end(&cpu->busy, now);
	if (thread->process == NULL || thread->state == THREAD_DEAD)
		return;
	fpu_save(&thread->fpu);
	user_mode_save_segments(&thread->segments);
}

static void enter_thread(struct scheduler_cpu *cpu, struct thread *thread, uint64_t now)
{
	thread->state = THREAD_RUNNING;
	run_time_begin(&thread->run_time, now);
	run_time_begin(&cpu->busy, now);
	cpu->switches++;
	thread->switches++;
	load_space(cpu, thread->process != NULL ? &thread->process->space : NULL);
	cpu_set_kernel_stack(thread->stack_top);
	if (thread->process == NULL)
		return;
	user_mode_load_segments(&thread->segments);
	if (cpu->fpu == thread && thread->fpu_cpu == cpu->index)
		return; /* nobody else's were loaded since */
	fpu_restore(&thread->fpu);
	cpu->fpu = thread;
	thread->fpu_cpu = cpu->index;
}

/* On the new stack, of whatever CPU this is now: the old one is nobody's any more. */
static void finish_switch(void)
{
	struct scheduler_cpu *cpu = this_cpu();
	struct thread *thread = cpu->leaving;
	bool is_ready;

	cpu->leaving = NULL;
	if (thread == NULL)
		return;
	if (thread->state == THREAD_DEAD) {
		process_reclaim_thread(thread);
		return;
	}
	spinlock_acquire(&thread->lock);
	thread->on_cpu = false;
	if (thread->state == THREAD_BLOCKED && thread->wake_pending) {
		thread->wake_pending = false;
		thread->state = THREAD_READY;
	}
	is_ready = thread->state == THREAD_READY;
	spinlock_release(&thread->lock);
	if (is_ready)
		enqueue(thread);
}

/* Before a look at the queue: whoever adds to it afterwards sees what runs here, and interrupts it if need be. */
static void say_what_runs(struct scheduler_cpu *cpu, uint32_t running)
{
	__atomic_store_n(&cpu->running, running, __ATOMIC_RELAXED);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}

/*
 * That a thread runs, with what priority. If that changes meanwhile, its CPU looks again before the thread is in ring
 * 3: whoever changed it may have come too early to find it on a CPU.
 */
static void say_that_runs(struct scheduler_cpu *cpu, struct thread *thread)
{
	uint32_t priority;

	thread->cpu = cpu->index;
	__atomic_store_n(&thread->on_cpu, true, __ATOMIC_RELEASE);
	priority = __atomic_load_n(&thread->priority, __ATOMIC_RELAXED);
	say_what_runs(cpu, priority + 1);
	if (UNLIKELY(__atomic_load_n(&thread->priority, __ATOMIC_RELAXED) != priority))
		interrupt_cpu(cpu->index);
}

/* NULL stands for the idle context. `before` is no longer RUNNING. Returns when it runs again. */
static void switch_to(struct scheduler_cpu *cpu, struct thread *before, struct thread *next)
{
	uint64_t *save = before != NULL ? &before->context : &cpu->idle_context;
	uint64_t now = clock_now_ns();

	lock_watch_none_held();
	if (before != NULL)
		leave_thread(cpu, before, now);
	cpu->leaving = before;
	/* Two that hand over to each other have one turn together, or nobody else would ever have one. */
	if (!cpu->turn_goes_on)
		cpu->turn_end = now + SCHEDULER_SLICE_NS;
	cpu->turn_goes_on = false;
	cpu_current()->current_thread = next;
	if (next != NULL) {
		say_that_runs(cpu, next);
		enter_thread(cpu, next, now);
		if (run_queue_best(&cpu->queue) > next->priority)
			wait_turn(cpu);
		context_switch(save, next->context);
	} else {
		say_what_runs(cpu, 0);
		load_space(cpu, NULL);
		context_switch(save, cpu->idle_context);
	}
	finish_switch();
}

void scheduler_begin(void)
{
	finish_switch();
}

/* ---- leaving the CPU ---- */

void scheduler_block(uint64_t deadline)
{
	struct scheduler_cpu *cpu = this_cpu();
	struct thread *thread = thread_current();
	bool sleeps;

	spinlock_acquire(&thread->lock);
	sleeps = !thread->wake_pending;
	thread->wake_pending = false;
	if (sleeps)
		thread->state = THREAD_BLOCKED;
	spinlock_release(&thread->lock);
	if (!sleeps)
		return;
	if (deadline != SCHEDULER_FOREVER)
		deadline_set(cpu, thread, deadline);
	switch_to(cpu, thread, take_next(cpu, 0));
	if (deadline != SCHEDULER_FOREVER)
		deadline_clear(thread);
}

/* To a ready thread of at least that priority, if there is one. */
static void give_way(struct scheduler_cpu *cpu, uint32_t lowest)
{
	struct thread *thread = thread_current();
	struct thread *next = lowest >= THREAD_PRIORITIES ? NULL : run_queue_take(&cpu->queue, lowest);

	if (next == NULL)
		return;
	spinlock_acquire(&thread->lock);
	thread->state = THREAD_READY;
	spinlock_release(&thread->lock);
	switch_to(cpu, thread, next);
}

void scheduler_yield(void)
{
	scheduler_keep_running();
	give_way(this_cpu(), thread_current()->priority);
}

_Noreturn void scheduler_end(void)
{
	struct scheduler_cpu *cpu = this_cpu();
	struct thread *thread = thread_current();

	thread->state = THREAD_DEAD;
	switch_to(cpu, thread, take_next(cpu, 0));
	CHECK(false && "a thread that ended was run again");
	__builtin_unreachable();
}

/* ---- at the edge of the kernel ---- */

/* What others asked of this CPU. No locks, nothing half done. */
static void attend(struct scheduler_cpu *cpu, uint64_t attention)
{
	if ((attention & CPU_ATTENTION_STOP) != 0)
		world_park();
	if ((attention & CPU_ATTENTION_TIMER) != 0)
		ring_alarm(cpu);
	if ((attention & CPU_ATTENTION_INPUT) != 0)
		console_wait_call();
}

static void preempt(struct scheduler_cpu *cpu)
{
	uint32_t own = thread_current()->priority; /* it may have changed */
	uint32_t best;

	say_what_runs(cpu, own + 1);
	best = run_queue_best(&cpu->queue);
	if (best > own + 1)
		give_way(cpu, own + 1);
	else if (best == own + 1 && clock_now_ns() >= cpu->turn_end)
		give_way(cpu, own);
	else if (best == own + 1)
		wait_turn(cpu);
}

void task_before_user(void)
{
	for (;;) {
		process_end_if_asked(); /* first: what is taken must be attended to, and who ends attends to nothing */
		const uint64_t attention = __atomic_exchange_n(&cpu_current()->attention, 0, __ATOMIC_ACQUIRE);
		if (attention == 0)
			return;
		attend(this_cpu(), attention);
		preempt(this_cpu());
	}
}

static bool something_is_ready(void)
{
	uint32_t count = cpu_online_count();

	for (uint32_t i = 0; i < count; i++)
		if (run_queue_count(&scheduler_cpus[i].queue) != 0)
			return true;
	return __atomic_load_n(&cpu_current()->attention, __ATOMIC_ACQUIRE) != 0;
}

_Noreturn void scheduler_idle(void)
{
	struct scheduler_cpu *cpu = this_cpu();
	uint64_t bit = cpu_current()->bit;

	cpu->index = cpu_index();
	cpu->alarm = SCHEDULER_FOREVER;
	for (;;) {
		attend(cpu, __atomic_exchange_n(&cpu_current()->attention, 0, __ATOMIC_ACQUIRE));
		struct thread *next = take_next(cpu, 0);
		if (next != NULL) {
			switch_to(cpu, NULL, next);
			continue;
		}
		__atomic_fetch_or(&idle_mask, bit, __ATOMIC_SEQ_CST);
		if (!something_is_ready())
			interrupt_window_halt();
		__atomic_fetch_and(&idle_mask, ~bit, __ATOMIC_SEQ_CST);
	}
}

void scheduler_read(uint32_t cpu, struct scheduler_statistics *statistics)
{
	uint64_t now = clock_now_ns();

	statistics->switches = __atomic_load_n(&scheduler_cpus[cpu].switches, __ATOMIC_RELAXED);
	statistics->busy_ns = run_time_read(&scheduler_cpus[cpu].busy, now);
}

bool scheduler_is_valid(void)
{
	bool valid = true;

	for (uint32_t i = 0; i < cpu_online_count(); i++) {
		const struct scheduler_cpu *cpu = &scheduler_cpus[i];

		valid = valid && run_queue_is_valid(&cpu->queue) && deadline_heap_is_valid(&cpu->deadlines) &&
			cpu->leaving == NULL;
	}
	return valid;
}
