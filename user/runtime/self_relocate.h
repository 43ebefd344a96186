/*
 * A position-independent program lies where its spawner's wish and chance have put it, and puts itself right: each
 * address that the linker wrote down as if the program began at 0 is moved. Nothing to do in a program that is linked
 * to a fixed place, which has no relocations.
 */
#ifndef CAPOS_USER_RUNTIME_SELF_RELOCATE_H
#define CAPOS_USER_RUNTIME_SELF_RELOCATE_H

#include <stdint.h>

/*
 * For program_enter.S alone, before anything else runs, with the address that FS has. Relocates data, and the first
 * thread's storage, which the kernel made of the file as it was. 0, or the r_info of a relocation that is none of
 * R_X86_64_RELATIVE: the program must not go on.
 */
uint64_t self_relocate(uint64_t thread_control);

#endif
