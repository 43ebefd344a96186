/* The text of each status, for messages. */
#ifndef CAPOS_LIB_STATUS_H
#define CAPOS_LIB_STATUS_H

#include "abi/status.h"

/* Name without the STATUS_ prefix, in lower case ("over frame grant"); "unknown status" for any other number. */
const char *status_name(enum status status);

#endif
