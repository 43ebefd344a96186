/* The CPU that a thread of a test plays (cpu_local.h): NULL until the test says which. */
#include "kernel/arch/x86_64/cpu_local.h"

_Thread_local struct cpu *cpu_host_current;
