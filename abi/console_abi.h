/* Console: bytes to and from the serial line. */
#ifndef CAPOS_ABI_CONSOLE_ABI_H
#define CAPOS_ABI_CONSOLE_ABI_H

enum console_operation {
	CONSOLE_WRITE = 0, /* (buffer, bytes) -> bytes written (all, at most CONSOLE_MAX_BYTES) */
	CONSOLE_READ = 1,  /* (buffer, bytes) -> bytes read, at least 1; completes when input is there */
	CONSOLE_OPERATION_COUNT
};

#define CONSOLE_MAX_BYTES 4096u /* of one call */

#endif
