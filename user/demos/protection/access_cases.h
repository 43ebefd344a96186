/* Reads, writes and jumps to pages of every kind, and to none. */
#ifndef CAPOS_USER_DEMOS_PROTECTION_ACCESS_CASES_H
#define CAPOS_USER_DEMOS_PROTECTION_ACCESS_CASES_H

#include "user/demos/protection/ring3_case.h"

const struct ring3_case *access_cases(uint32_t *count);

#endif
