/*
 * ParkSpace: sleeping on a word of one's own memory until another thread of the process says so. Bound to one address
 * space; never transferable.
 *
 *   RING_PARK: (address, expected, timeout_ns)
 *     Sleeps if the 32-bit word at `address` is `expected`: compared and queued in one step, so a wake-up between the
 *     two is not lost. Completes with 0 when unparked; WOULD_BLOCK: the word is another; TIMED_OUT; GONE: the page was
 *     unmapped or decommitted. MISALIGNED: not a multiple of 4; NOT_PRIVATE: neither an anonymous nor an image page;
 *     BUFFER_FAULT: not readable. timeout_ns UINT64_MAX: none.
 *   RING_UNPARK: (address, count) -> value: how many were woken, at most `count`, in the order in which they parked.
 */
#ifndef CAPOS_ABI_PARK_SPACE_ABI_H
#define CAPOS_ABI_PARK_SPACE_ABI_H

#define PARK_ALL UINT64_MAX /* UNPARK: everyone */

#endif
