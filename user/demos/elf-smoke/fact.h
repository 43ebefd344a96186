/*
 * What the facts are checked with. A fact is a function that returns when it holds, or at the first EXPECT that does
 * not; its line is "ok NAME" or "FAILED NAME: what".
 */
#ifndef CAPOS_USER_DEMOS_ELF_SMOKE_FACT_H
#define CAPOS_USER_DEMOS_ELF_SMOKE_FACT_H

#include <stdbool.h>
#include <stdint.h>

#include "abi/virtual_memory_abi.h"
#include "user/runtime/boot_package_client.h"
#include "user/runtime/inspector_client.h"
#include "user/runtime/virtual_memory_client.h"

struct fact {
	const char *name;
	void (*check)(void);
};

/* What all facts look with, and the count of them. */
struct facts {
	struct virtual_memory_client memory;
	struct boot_package_client package;
	struct inspector_client inspector;
	struct inspector_layout layout;
	int argc;
	char **argv, **envp;
	uint32_t passed, failed;
};

extern struct facts facts;

/* Find the capabilities; false, with a line on the console, if one is missing. */
bool fact_begin(int argc, char **argv, char **envp);

void fact_check(const struct fact *fact, uint32_t count);

/* The fact that is being checked does not hold. */
void fact_break(const char *text, ...) __attribute__((format(printf, 1, 2)));

/* One entry of the auxiliary vector; the fact is broken, and *value 0, if there is not exactly one. */
void fact_find_auxiliary(uint64_t type, uint64_t *value);

/* The region around an address has this kind and protection; *region says what it is. */
void fact_expect_region(uint64_t address, enum page_kind kind, uint32_t protection,
			struct virtual_memory_region *region);

bool fact_is_zero(const void *bytes, uint64_t count);

/* In a function of a fact only: they return from it. */
#define EXPECT(condition)                                                \
	do {                                                             \
		if (!(condition)) {                                      \
			fact_break("%s, line %d", #condition, __LINE__); \
			return;                                          \
		}                                                        \
	} while (0)

#define EXPECT_EQUAL(number, wanted)                                                                     \
	do {                                                                                             \
		uint64_t got_ = (number);                                                                \
		uint64_t wanted_ = (wanted);                                                             \
		if (got_ != wanted_) {                                                                   \
			fact_break("%s is 0x%lx, not 0x%lx, line %d", #number, got_, wanted_, __LINE__); \
			return;                                                                          \
		}                                                                                        \
	} while (0)

#endif
