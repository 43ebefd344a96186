/*
 * Debug kernels watch what each CPU does with locks and interrupts: the order of locks (lock_order.h), that nothing is
 * held where nothing may be, and how long locks are held and interrupts off (time_limit.h). What is wrong is a panic
 * that names the locks and the places where they were taken. In all other builds there is nothing of it.
 */
#ifndef CAPOS_KERNEL_ARCH_X86_64_LOCK_WATCH_H
#define CAPOS_KERNEL_ARCH_X86_64_LOCK_WATCH_H

#include <stdint.h>

#include "kernel/arch/x86_64/kernel_watch.h"
#include "kernel/arch/x86_64/lock_order.h"

#ifdef KERNEL_WATCH

/* By spinlock_acquire, before it waits and after; by spinlock_release. `where` is its caller's address. */
void lock_watch_taking(const void *lock, enum lock_class class, uint64_t where);
void lock_watch_taken(void);
void lock_watch_giving(const void *lock, enum lock_class class, uint64_t where);

/* By time_limit.c: the time since `since_ns` does not count for locks that this CPU holds. */
void lock_watch_exempt(uint64_t since_ns, uint64_t now_ns);

/* This CPU is about to leave a thread, or the kernel: it holds no lock. */
void lock_watch_none_held(void);

/* Interrupts are about to come in the middle of the kernel: what is held may be (lock_order_spans_windows). */
void lock_watch_window(void);

#else

static inline void lock_watch_none_held(void)
{
}

static inline void lock_watch_window(void)
{
}

#endif

#endif
