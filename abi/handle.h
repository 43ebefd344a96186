/*
 * Capability id, as programs hold it: slot index and generation. 0 is never an id.
 *
 *   31          16 15           0
 *   | generation  |    index    |
 *
 * A slot's generation starts at 1 and grows with each reuse; a slot whose generation would wrap is retired. So an id
 * once released never names anything again.
 */
#ifndef CAPOS_ABI_HANDLE_H
#define CAPOS_ABI_HANDLE_H

#include <stdint.h>

typedef uint32_t handle_t;

#define HANDLE_NONE UINT32_C(0)
#define HANDLE_INDEX_MASK UINT32_C(0xffff)
#define HANDLE_GENERATION_SHIFT 16

#endif
