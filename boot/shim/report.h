/*
 * What the loader says, on COM1 (115200 baud, 8N1): lines that begin with "shim: ". A refusal is one such line and then
 * the end: exit code 14 to QEMU's debug-exit device, halt on a machine that has none.
 */
#ifndef CAPOS_SHIM_REPORT_H
#define CAPOS_SHIM_REPORT_H

#include <stdint.h>

void report_init(void);

void report_text(const char *text);

/* 0x and hexadecimal digits, no leading zeros. */
void report_number(uint64_t value);

/* One line with the reason, then stop. */
_Noreturn void report_refuse(const char *why);

/* Called by the exception stub with CR2. */
_Noreturn void report_exception(uint64_t fault_address);

#endif
