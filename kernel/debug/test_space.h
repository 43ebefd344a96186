/*
 * An address space with a few committed pages, for self-tests: one that no program runs in.
 */
#ifndef CAPOS_KERNEL_DEBUG_TEST_SPACE_H
#define CAPOS_KERNEL_DEBUG_TEST_SPACE_H

#include <stdint.h>

#include "kernel/arch/x86_64/pte.h"
#include "kernel/mem/account.h"
#include "kernel/mem/address_space.h"

#define TEST_SPACE_ADDRESS UINT64_C(0x10000000)
#define TEST_SPACE_PAGES 8u

struct test_space {
	struct account account; /* its own */
	struct address_space space;
	struct uaddr_range range; /* the pages, readable and writable */
};

/* OUT_OF_MEMORY: nothing is left of it. */
enum status test_space_try(struct test_space *space);

/* The same where it must not fail. */
void test_space_make(struct test_space *space);
void test_space_destroy(struct test_space *space);

/* On the CPU that executes: load it; load the kernel's root again. */
void test_space_enter(struct test_space *space);
void test_space_leave(struct test_space *space);

/* The entry of an address, at a level where it has one, in the page table itself. */
pte_t *test_space_entry(struct test_space *space, uint64_t address, unsigned level);

#endif
