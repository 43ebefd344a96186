/*
 * The layout of a new process: from what its program is and what its spawner asks for, to the place of each part
 * (lib/layout.h, by the profile of AMD64), which the loader and the address space then go by.
 */
#ifndef CAPOS_KERNEL_TASK_PROCESS_LAYOUT_H
#define CAPOS_KERNEL_TASK_PROCESS_LAYOUT_H

#include <stdint.h>

#include "abi/status.h"
#include "kernel/mem/address_space.h"
#include "lib/elf_plan.h"
#include "lib/layout.h"

/* As the spawner gave it, unchecked: layout, layout_flags, layout_seed and stack_limit of abi/process_abi.h. */
struct process_layout_wish {
	uint32_t kind, flags;
	uint64_t seed, stack_limit;
};

/*
 * Decide it, with new random words if there is neither FIXED nor SEEDED, and place the plan if it is movable. The image
 * of the layout is that of the plan with `program_image_tls_bytes` behind it. BAD_ARGUMENT: an unknown kind or flag,
 * FIXED beside another flag, a seed without SEEDED; LAYOUT_STACK_TOO_LARGE, LAYOUT_IMAGE_TOO_LOW,
 * LAYOUT_IMAGE_TOO_HIGH, BOOTSTRAP_RANGE.
 */
enum status process_layout_make(const struct process_layout_wish *wish, struct elf_plan *plan, struct layout *layout);

/* What an address space has to know of it. */
struct space_areas process_layout_areas(const struct layout *layout);

/* How it would be asked for: enum process_layout, never DEFAULT. */
uint32_t process_layout_kind(const struct layout *layout);

#endif
