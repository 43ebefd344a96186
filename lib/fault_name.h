/* What the kernel calls each kind of fault, in its log, and whoever compares with that. */
#ifndef CAPOS_LIB_FAULT_NAME_H
#define CAPOS_LIB_FAULT_NAME_H

#include "abi/user_fault_abi.h"

/* "unknown" for a number that is no kind. */
const char *fault_name(enum user_fault_kind kind);

#endif
