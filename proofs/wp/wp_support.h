/*
 * What the provers are told about the functions that lib/ does not define, and about the compiler's own.
 */
#ifndef CAPOS_PROOFS_WP_WP_SUPPORT_H
#define CAPOS_PROOFS_WP_WP_SUPPORT_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/check.h"

/*@ requires never: \false;
    assigns \nothing;
    exits \false;
    ensures \false; */
void check_failed(const char *expression, const char *file, int line);

#endif
