/*
 * A program's life: start-up, what it was given, its end. program_start() is called by program_enter alone; it finds
 * the arguments, the CapSet and the ring, makes the thread's ring client and the console ready, and runs main().
 */
#ifndef CAPOS_USER_RUNTIME_PROGRAM_H
#define CAPOS_USER_RUNTIME_PROGRAM_H

#include <stdint.h>

#include "abi/status.h"

#define PROGRAM_ABORT_CODE 134 /* exit code of a program that found its own promise broken */

/* Supplied by the program. What it returns is the exit code. */
int main(int argc, char **argv, char **envp);

/* `stack`: argc, argv[], 0, envp[], 0, auxiliary vector. The other: what self_relocate says; not 0: it says so and
 * ends. */
_Noreturn void program_start(uint64_t *stack, uint64_t unknown_relocation);

/* Write out what print() holds, and end, with all threads. */
_Noreturn void program_exit(int code);

/* What main() returns of how all went: 0, or 1 and "NAME: STATUS" on the console. */
int program_code(enum status status);

/* "NAME: message (ADDRESS)" on the console, then exit code 134. For a program's own fault, as a double free is. */
_Noreturn void program_abort(const char *message, const void *address);

/* The name the program was started by, argv[0]; "program" if there is none. */
const char *program_name(void);

/* The process id that the kernel gave. */
uint64_t program_process_id(void);

#endif
