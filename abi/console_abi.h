/* Console: bytes to and from the serial line. */
#ifndef CAPOS_ABI_CONSOLE_ABI_H
#define CAPOS_ABI_CONSOLE_ABI_H

enum console_operation {
	CONSOLE_WRITE = 0, /* (buffer, bytes) -> bytes written (all, at most CONSOLE_MAX_BYTES) */
	CONSOLE_READ = 1,  /* (buffer, bytes) -> bytes read, at least 1; completes when input is there */
	/*
	 * () -> 1 when a ^C has come, which is taken off the input with all that came before it; 0 as soon as the same
	 * thread reads. Meanwhile what comes is kept for whoever reads next, up to CONSOLE_KEPT_BYTES.
	 */
	CONSOLE_WAIT_INTERRUPT = 2,
	CONSOLE_OPERATION_COUNT
};

#define CONSOLE_MAX_BYTES 4096u  /* of one call */
#define CONSOLE_KEPT_BYTES 4096u /* of what nobody has read */

#define CONSOLE_INTERRUPT '\x03' /* ^C */

#endif
