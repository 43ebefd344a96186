/*
 * Words of the kernel's command line: `init=NAME`, `once`, `selftest`, `protection`, `check`, `overflow=STACK`,
 * `seed=NUMBER`, `console=polled`, `shortage=NUMBER`; in debug builds `limits=MICROSECONDS`, `paranoid`, `fault=NAME`.
 * Words that are unknown, too long or no number are reported and ignored.
 */
#ifndef CAPOS_KERNEL_BOOT_BOOT_OPTION_H
#define CAPOS_KERNEL_BOOT_BOOT_OPTION_H

#include <stdbool.h>
#include <stdint.h>

struct boot_options {
	char init[64];    /* empty: the manifest's. '+' stands for a blank between its arguments */
	bool once;        /* halt when init ends, with its exit code */
	bool selftest;    /* run the kernel's self-tests before init */
	bool protection;  /* try the hardware's protection from ring 0 before init */
	char overflow[8]; /* not empty: the stack that the kernel is to overflow, to show that it is told */
	bool has_seed;    /* all that would be random follows from `seed` (kernel/task/entropy.h) */
	uint64_t seed;
	bool console_polled; /* no interrupt for what is typed, even if there is one */
	uint64_t shortage;   /* not 0: in a kernel built with FAULTS=1, what is to be refused (kernel/mem/shortage.h) */
	bool check;          /* walk the kernel's half of the page table at boot, in release builds too */

	/* debug builds alone */
	uint64_t limit_us; /* of how long interrupts may be off and locks held (time_limit.h); 0: none */
	bool paranoid;     /* look at the whole page table after each operation (address_space.h) */
	char fault[32]; /* not empty: what the kernel is to do wrong, to show that it is told (kernel/debug/fault.h) */
};

/* Read the command line; unknown words go to the log. */
void boot_option_parse(const char *command_line, struct boot_options *options);

#endif
