/*
 * What -fsanitize=undefined calls when a program does what C leaves undefined (debug builds): a panic that names the
 * place in the source. Compilers call one function for each kind, and begin what they pass to it with the place.
 */
#ifdef CAPOS_DEBUG

#include <stdint.h>

#include "kernel/arch/x86_64/panic.h"

/* As compilers lay it out. */
struct source_place {
	const char *file;
	uint32_t line, column;
};

/* A function that a compiler calls, and its prototype, which nobody else needs. */
#define UNDEFINED(name, what)                                                                             \
	_Noreturn void __ubsan_handle_##name(const struct source_place *place);                           \
	void __ubsan_handle_##name(const struct source_place *place)                                      \
	{                                                                                                 \
		panic("undefined behaviour at %s:%u:%u: " what, place->file, place->line, place->column); \
	}                                                                                                 \
	_Static_assert(sizeof(what) > 1, "says what it is")

UNDEFINED(add_overflow_abort, "a sum is out of range");
UNDEFINED(sub_overflow_abort, "a difference is out of range");
UNDEFINED(mul_overflow_abort, "a product is out of range");
UNDEFINED(negate_overflow_abort, "a negation is out of range");
UNDEFINED(divrem_overflow_abort, "a division by zero, or out of range");
UNDEFINED(shift_out_of_bounds_abort, "a shift by too many bits, or of a negative number");
UNDEFINED(out_of_bounds_abort, "an index is beyond its array");
UNDEFINED(type_mismatch_v1_abort, "a pointer is null, misaligned, or to too small an object");
UNDEFINED(pointer_overflow_abort, "a pointer wraps, or is made of null");
UNDEFINED(load_invalid_value_abort, "a bool or an enum has no value of its type");
UNDEFINED(nonnull_arg_abort, "a null argument where none may be");
UNDEFINED(invalid_builtin_abort, "a builtin is not defined for zero");
UNDEFINED(builtin_unreachable, "what cannot be reached was reached");

#endif
