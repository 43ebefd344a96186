/*
 * Reads of physical memory while the loader's own map (or that of the PVH entry) is in use. Everything that a loader
 * hands over is copied through here, so that a pointer of its that leads nowhere is a status and not a fault without a
 * message. Boot CPU only, before the kernel's own page tables.
 */
#ifndef CAPOS_KERNEL_BOOT_EARLY_MEMORY_H
#define CAPOS_KERNEL_BOOT_EARLY_MEMORY_H

#include <stdbool.h>
#include <stdint.h>

#include "abi/status.h"
#include "lib/address.h"
#include "lib/memory_map.h"

/*
 * Physical [0, limit) is mapped at virtual `base`. With a map, only its usable and loader-reclaimable frames are; it
 * must outlive the reads.
 */
void early_memory_set(uint64_t base, uint64_t limit, const struct memory_map *map);

/* BAD_ARGUMENT if some byte is not mapped; then nothing was copied. */
enum status early_memory_copy(void *to, paddr_t from, uint64_t bytes);

/*
 * A string with its terminator into `size` bytes. TOO_LONG if it does not fit, BAD_ARGUMENT if it leads out of the map:
 * `to` then holds what came before, terminated. `size` is not 0.
 */
enum status early_memory_copy_string(char *to, uint64_t size, paddr_t from);

/* Whether each frame that [address, address + bytes) touches is usable or loader-reclaimable; `bytes` is not 0. */
bool early_memory_is_ram(const struct memory_map *map, paddr_t address, uint64_t bytes);

#endif
