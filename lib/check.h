/*
 * The few attributes and macros of the tree, spelled once.
 */
#ifndef CAPOS_LIB_CHECK_H
#define CAPOS_LIB_CHECK_H

#include "abi/status.h"

/* Leave the function with the first status that is not OK. One guard a line; nothing to undo may be pending. */
#define TRY(expression)                          \
	do {                                     \
		enum status try_ = (expression); \
		if (try_ != STATUS_OK)           \
			return try_;             \
	} while (0)

#define GUARD(condition, refusal)       \
	do {                            \
		if (!(condition))       \
			return refusal; \
	} while (0)

#define LIKELY(condition) __builtin_expect(!!(condition), 1)
#define UNLIKELY(condition) __builtin_expect(!!(condition), 0)
/* Before a loop of a constant, small number of steps: no loop at all. Each compiler has its own name for it. */
#ifdef __clang__
#define UNROLLED _Pragma("clang loop unroll_count(8)")
#else
#define UNROLLED _Pragma("GCC unroll 8")
#endif
#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

/*
 * CHECK holds in every build; ASSERT in debug builds only. Both are for the system's own broken promise, never for a
 * caller's mistake. The program that links lib/ supplies check_failed(): the kernel panics, host tests abort.
 */
_Noreturn void check_failed(const char *expression, const char *file, int line);

#define CHECK(condition)                                              \
	do {                                                          \
		if (UNLIKELY(!(condition)))                           \
			check_failed(#condition, __FILE__, __LINE__); \
	} while (0)

#ifdef CAPOS_DEBUG
#define ASSERT(condition) CHECK(condition)
#else
#define ASSERT(condition) ((void)sizeof(condition))
#endif

#endif
