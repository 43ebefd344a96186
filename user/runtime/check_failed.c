#include "lib/check.h"

#include "user/runtime/print.h"
#include "user/runtime/program.h"

/* What CHECK and ASSERT of lib/ call in a program. */
_Noreturn void check_failed(const char *expression, const char *file, int line)
{
	print("%s: check failed: %s (%s:%d)\n", program_name(), expression, file, line);
	program_exit(PROGRAM_ABORT_CODE);
}
