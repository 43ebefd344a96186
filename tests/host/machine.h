/*
 * A simulated machine under kernel/mem: an arena of the host's memory is the physical memory, and what the kernel asks
 * of a CPU is played here. Each CPU has a TLB that remembers what it once translated, tables on the way included, until
 * a flush says otherwise; so a flush that is missing, too small or too late is seen.
 */
#ifndef CAPOS_TESTS_HOST_MACHINE_H
#define CAPOS_TESTS_HOST_MACHINE_H

#include <stdbool.h>
#include <stdint.h>

#include "abi/virtual_memory_abi.h"
#include "kernel/arch/x86_64/pte.h"
#include "kernel/mem/account.h"
#include "kernel/mem/address_space.h"

#define MACHINE_CPUS 4u
#define MACHINE_HWCAP 0x0f8bfbffu /* what they can do, in the words of AT_HWCAP */
#define MACHINE_HOLE_START 160u   /* frames that are no RAM, as on a PC */
#define MACHINE_HOLE_END 256u

/*
 * A machine with frames 0 .. frames - 1, the hole excepted, all free but the allocator's own. Memory up to 64 MiB holds
 * junk. The calling thread is CPU 0.
 */
void machine_start(uint64_t frames);

/* The end: every frame has come back, and the allocator is valid. */
void machine_stop(void);

/* How many frames were free at the start. */
uint64_t machine_frames(void);

/* The calling host thread is that CPU from now on. */
void machine_run_on(uint32_t cpu);

/*
 * Refuse promise of frames number `k` from now (0: the next one) with OUT_OF_MEMORY, once; UINT64_MAX: none. Returns
 * whether the previous order was carried out.
 */
bool machine_refuse_promise(uint64_t k);

/* The kernel's PML4: entries in the upper half. */
const pte_t *machine_kernel_root(void);

/* An account with one limit for all ledgers. */
void machine_account(struct account *account, uint64_t limit);

/* Another limit for one ledger; its peak becomes what is used now. */
void machine_set_limit(struct account *account, enum ledger_kind kind, uint64_t limit);

/* That CPU loads a space's root, or the kernel's own (NULL), and forgets all translations. */
void machine_load(uint32_t cpu, struct address_space *space);

/* Every CPU that has the space loaded looks at that address, as a program or the CPU by speculation may at any time. */
void machine_touch(const struct address_space *space, uint64_t address);

/*
 * Whether each translation that some CPU remembers is one that its space still grants. To be asked after each
 * operation. That nothing was freed before its flush is checked at each flush.
 */
bool machine_translations_hold(void);

/* How often long work has let interrupts in. */
extern uint64_t machine_windows;

/* Calls of tlb_flush so far. */
uint64_t machine_flushes(void);

/* Whether `act` ends in a CHECK whose expression contains that text. It runs in a child process. */
bool machine_check_fails(void (*act)(void *argument), void *argument, const char *expression);

/* What happens whenever the kernel lets interrupts in between two steps; NULL: nothing. */
void machine_on_window(void (*act)(void));

#endif
