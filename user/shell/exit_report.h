/* How the program before the shell ended. */
#ifndef CAPOS_USER_SHELL_EXIT_REPORT_H
#define CAPOS_USER_SHELL_EXIT_REPORT_H

#include <stdbool.h>

#include "user/shell/shell.h"

/* One line on the console, or two if frames are missing. False: no program ended before, this is the first start. */
bool exit_report_show(struct shell *shell);

#endif
