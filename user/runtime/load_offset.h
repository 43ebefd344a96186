/* How far a program lies from where it was linked. */
#ifndef CAPOS_USER_RUNTIME_LOAD_OFFSET_H
#define CAPOS_USER_RUNTIME_LOAD_OFFSET_H

#include <elf.h>
#include <stdint.h>

/*
 * By its program headers, where they lie (AT_PHDR) and where PT_PHDR says they were to lie. Added to any address in the
 * headers it gives the real one, modulo 2^64. 0 without PT_PHDR: such a program has not moved.
 */
uint64_t load_offset_of(const Elf64_Phdr *headers, uint64_t count);

#endif
