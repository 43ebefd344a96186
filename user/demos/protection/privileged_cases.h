/* Instructions, ports, registers, segments and flags that are not a program's. */
#ifndef CAPOS_USER_DEMOS_PROTECTION_PRIVILEGED_CASES_H
#define CAPOS_USER_DEMOS_PROTECTION_PRIVILEGED_CASES_H

#include "user/demos/protection/ring3_case.h"

const struct ring3_case *privileged_cases(uint32_t *count);

#endif
