/*
 * Starting the other CPUs, and having them run a function.
 */
#ifndef CAPOS_KERNEL_ARCH_X86_64_SMP_H
#define CAPOS_KERNEL_ARCH_X86_64_SMP_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Start the CPUs of the list, one after the other, skipping the caller's own id. Each takes the next index that was
 * given memory by cpu_prepare; when there is none left, or one does not answer in time, a log line says so and it goes
 * on without: a CPU that comes later stays off. `root` is the physical address of a PML4 below 4 GiB that maps
 * AP_TRAMPOLINE_PHYSICAL (boot_layout.h) to itself, executable and not global, and the kernel half; `trampoline_page`
 * is where the caller can write that physical page, which is lost. A CPU that runs has loaded the root that the caller
 * has loaded. False if one was late: it may still be on its way through root and page; else both may go.
 * On the boot CPU, interrupts off, after clock_init.
 */
bool smp_start_all(const uint32_t *local_apic_ids, uint32_t count, uint64_t root, void *trampoline_page);

/*
 * Upcall into kernel/task: a further CPU is up, with its stack, descriptors, protection and APIC, interrupts off, and
 * the kernel's root. It is already in cpu_online_mask().
 */
_Noreturn void task_ap_main(void);

/*
 * Run function(argument) on the CPU `index`, in its interrupt handler, and wait for the end. The caller holds no lock
 * that the function or that CPU may want. On the own CPU it is a plain call.
 */
void smp_call(uint32_t index, void (*function)(void *argument), void *argument);

/*
 * Have the CPU `index` look at its attention word, which the caller has written (cpu_local.h): at once if it is in ring
 * 3 or halts, else when it is about to return. Does not wait. Any locks may be held; interrupts off.
 */
void smp_interrupt(uint32_t index);

/* Answer smp_call; for trap.c. */
void smp_answer(void);

#endif
