/*
 * Every register as the kernel handed it over, written down by the entry before any other instruction of the program.
 * start_state_entry.S fills it at these offsets.
 */
#ifndef CAPOS_USER_DEMOS_ELF_SMOKE_START_STATE_H
#define CAPOS_USER_DEMOS_ELF_SMOKE_START_STATE_H

#define START_STATE_FXSAVE 0
#define START_STATE_XSAVE 512
#define START_STATE_GENERAL 1344
#define START_STATE_STACK 1464
#define START_STATE_FLAGS 1472
#define START_STATE_THREAD_POINTER 1480
#define START_STATE_BYTES 1536

#ifndef __ASSEMBLER__

#include <stdint.h>

#define START_STATE_GENERAL_REGISTERS 15u
#define START_STATE_RSI 4u

/* Layouts of FXSAVE and XSAVE: SDM vol. 1, 10.5.1 and 13.4. */
struct start_state {
	struct {
		uint16_t control_word, status_word;
		uint8_t tags; /* a bit for each register in use */
		uint8_t other[19];
		uint32_t mxcsr, mxcsr_mask;
		uint8_t registers[384]; /* ST0 to ST7, XMM0 to XMM15 */
		uint8_t unused[96];
	} fxsave;
	struct {
		uint8_t legacy[512], header[64];
		uint8_t upper_halves[256];               /* of YMM0 to YMM15 */
	} xsave;                                         /* zero without AVX */
	uint64_t general[START_STATE_GENERAL_REGISTERS]; /* RAX RBX RCX RDX RSI RDI RBP R8 to R15 */
	uint64_t stack;
	uint64_t flags;
	uint64_t thread_pointer; /* the word at FS:0 */
} __attribute__((aligned(64)));

extern struct start_state start_state;

#endif

#endif
