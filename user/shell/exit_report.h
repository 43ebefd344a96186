/* How a job ended, in words. */
#ifndef CAPOS_USER_SHELL_EXIT_REPORT_H
#define CAPOS_USER_SHELL_EXIT_REPORT_H

#include <stdint.h>

#include "user/shell/job.h"

/* Of a job that has ended. No end of line. */
void exit_report_show(const struct job *job);

/* What is to be said of the machine's free frames behind it, with the end of the line. */
void exit_report_frames(uint64_t before, uint64_t after);

#endif
