#include "user/demos/hostile/processor_attacks.h"

#include <stddef.h>

#include "lib/check.h"
#include "lib/string.h"
#include "user/demos/hostile/attack.h"
#include "user/runtime/system_call.h"
#include "user/runtime/user_thread.h"

#define CODE_BYTES 48u
#define REPEATS 300u

/*
 * Machine code that is called as a function, by four threads at once. What survives it must go on as if nothing had
 * been; `repeats` of it are called then.
 */
static const struct code {
	const char *name;
	uint32_t ends;
	unsigned char bytes[CODE_BYTES];
	uint32_t count; /* of the bytes */
} codes[] = {
#define CODE(name_, ends_, ...)                                             \
	{                                                                   \
		.name = (name_), .ends = (ends_), .bytes = { __VA_ARGS__ }, \
		.count = sizeof((const unsigned char[]){ __VA_ARGS__ })     \
	}
#define XOR_ARGUMENTS 0x31, 0xff, 0x31, 0xf6, 0x31, 0xc0 /* edi, esi, eax: cap_enter(0, 0) */
#define SYSTEM_CALL 0x0f, 0x05
#define RETURN 0xc3
#define KEEP_STACK 0x66, 0x48, 0x0f, 0x6e, 0xc4    /* movq %rsp, %xmm0 */
#define RESTORE_STACK 0x66, 0x48, 0x0f, 0x7e, 0xc4 /* movq %xmm0, %rsp */
#define PUSH_FLAGS_OR(bits3, bits2, bits1, bits0) \
	0x9c, 0x81, 0x0c, 0x24, bits0, bits1, bits2, bits3, 0x9d /* pushfq; orl $bits, (%rsp); popfq */
	CODE("halts", ATTACK_FAULTS, 0xf4, RETURN),
	CODE("disables interrupts", ATTACK_FAULTS, 0xfa, RETURN),
	CODE("enables interrupts", ATTACK_FAULTS, 0xfb, RETURN),
	CODE("reads a port", ATTACK_FAULTS, 0xe4, 0x64, RETURN),
	CODE("writes a port of the machine's end", ATTACK_FAULTS, 0xb0, 0x10, 0xe6, 0xf4, RETURN),
	CODE("loads a page table", ATTACK_FAULTS, 0x31, 0xc0, 0x0f, 0x22, 0xd8, RETURN),
	CODE("reads a page table", ATTACK_FAULTS, 0x0f, 0x20, 0xd8, RETURN),
	CODE("changes protection bits", ATTACK_FAULTS, 0x31, 0xc0, 0x0f, 0x22, 0xe0, RETURN),
	CODE("writes a model-specific register", ATTACK_FAULTS, 0xb9, 0x82, 0x00, 0x00, 0xc0, 0x0f, 0x30, RETURN),
	CODE("reads a model-specific register", ATTACK_FAULTS, 0xb9, 0x80, 0x00, 0x00, 0xc0, 0x0f, 0x32, RETURN),
	CODE("loads a descriptor table", ATTACK_FAULTS, 0x0f, 0x01, 0x14, 0x24, RETURN),
	CODE("loads an interrupt table", ATTACK_FAULTS, 0x0f, 0x01, 0x1c, 0x24, RETURN),
	CODE("loads a task register", ATTACK_FAULTS, 0x31, 0xc0, 0x0f, 0x00, 0xd8, RETURN),
	CODE("flushes a translation", ATTACK_FAULTS, 0x0f, 0x01, 0x3c, 0x24, RETURN),
	CODE("invalidates caches", ATTACK_FAULTS, 0x0f, 0x08, RETURN),
	CODE("swaps GS", ATTACK_FAULTS, 0x0f, 0x01, 0xf8, RETURN),
	CODE("returns from a system call", ATTACK_FAULTS, 0x48, 0x0f, 0x07, RETURN),
	CODE("switches vector state on", ATTACK_FAULTS, 0x31, 0xc9, 0x31, 0xd2, 0xb8, 0xff, 0x00, 0x00, 0x00, 0x0f,
	     0x01, 0xd1, RETURN),
	CODE("reads a debug register", ATTACK_FAULTS, 0x0f, 0x21, 0xf8, RETURN),
	CODE("calls the double-fault vector", ATTACK_FAULTS, 0xcd, 0x08, RETURN),
	CODE("calls the interrupt vector of the clock", ATTACK_FAULTS, 0xcd, 0x20, RETURN),
	CODE("calls the last vector", ATTACK_FAULTS, 0xcd, 0xff, RETURN),
	CODE("calls the machine-check vector", ATTACK_FAULTS, 0xcd, 0x12, RETURN),
	CODE("loads the kernel's data segment", ATTACK_FAULTS, 0xb8, 0x10, 0x00, 0x00, 0x00, 0x8e, 0xd0, RETURN),
	CODE("jumps into the kernel's image", ATTACK_FAULTS, 0x48, 0xb8, 0x00, 0x00, 0x10, 0x80, 0xff, 0xff, 0xff, 0xff,
	     0xff, 0xe0),
	CODE("jumps into the direct map", ATTACK_FAULTS, 0x48, 0xb8, 0x00, 0x00, 0x10, 0x00, 0x00, 0x80, 0xff, 0xff,
	     0xff, 0xe0),
	CODE("jumps to a non-canonical address", ATTACK_FAULTS, 0x48, 0xb8, 0x00, 0x00, 0x00, 0x00, 0x00, 0x80, 0x00,
	     0x00, 0xff, 0xe0),
	CODE("returns by IRET into ring 0", ATTACK_FAULTS, 0x6a, 0x10, 0x54, 0x9c, 0x6a, 0x08, 0xff, 0x74, 0x24, 0x20,
	     0x48, 0xcf),
	CODE("divides by zero", ATTACK_FAULTS, 0x31, 0xc9, 0xf7, 0xf1, RETURN),
	CODE("steps through a system call", ATTACK_EXITS | ATTACK_FAULTS, PUSH_FLAGS_OR(0, 0, 1, 0), XOR_ARGUMENTS,
	     SYSTEM_CALL, RETURN),
	CODE("sets the access flag before a system call", ATTACK_EXITS, PUSH_FLAGS_OR(0, 4, 0, 0), XOR_ARGUMENTS,
	     SYSTEM_CALL, 0x9c, 0x81, 0x24, 0x24, 0xff, 0xff, 0xfb, 0xff, 0x9d, RETURN),
	CODE("sets the direction flag before a system call", ATTACK_EXITS, 0xfd, XOR_ARGUMENTS, SYSTEM_CALL, 0xfc,
	     RETURN),
	CODE("sets the nested flag before a system call", ATTACK_EXITS, PUSH_FLAGS_OR(0, 0, 0x40, 0), XOR_ARGUMENTS,
	     SYSTEM_CALL, 0x9c, 0x81, 0x24, 0x24, 0xff, 0xbf, 0xff, 0xff, 0x9d, RETURN),
	CODE("asks for input and output by flags", ATTACK_EXITS, PUSH_FLAGS_OR(0, 0, 0x30, 0), RETURN),
	CODE("clears the interrupt flag by flags", ATTACK_EXITS, 0x9c, 0x81, 0x24, 0x24, 0xff, 0xfd, 0xff, 0xff, 0x9d,
	     RETURN),
	CODE("makes a system call on a non-canonical stack", ATTACK_EXITS, KEEP_STACK, 0x48, 0xbc, 0x00, 0x00, 0x00,
	     0x00, 0x00, 0x80, 0x00, 0x00, XOR_ARGUMENTS, SYSTEM_CALL, RESTORE_STACK, RETURN),
	CODE("makes a system call on the kernel's stack", ATTACK_EXITS, KEEP_STACK, 0x48, 0xbc, 0x00, 0x00, 0x00, 0x00,
	     0x00, 0xd0, 0xff, 0xff, XOR_ARGUMENTS, SYSTEM_CALL, RESTORE_STACK, RETURN),
	CODE("pushes on a non-canonical stack", ATTACK_FAULTS, 0x48, 0xbc, 0x00, 0x00, 0x00, 0x00, 0x00, 0x80, 0x00,
	     0x00, 0x50, RETURN),
	CODE("pushes on no stack", ATTACK_FAULTS, 0x31, 0xe4, 0x50, RETURN),
	CODE("makes the number of a system call up", ATTACK_EXITS, 0x48, 0xc7, 0xc0, 0xff, 0xff, 0xff, 0x7f,
	     SYSTEM_CALL, 0x48, 0xc7, 0xc0, 0x02, 0x00, 0x00, 0x00, SYSTEM_CALL, 0x48, 0x31, 0xc0, 0x48, 0xff, 0xc8,
	     SYSTEM_CALL, RETURN),
	CODE("enters by SYSENTER", ATTACK_FAULTS, 0x0f, 0x34, RETURN),
	CODE("enters by vector 0x80", ATTACK_FAULTS, 0x31, 0xc0, 0xcd, 0x80, RETURN),
	CODE("writes GS base, then enters", ATTACK_EXITS | ATTACK_FAULTS, 0x48, 0xb8, 0x00, 0x00, 0x10, 0x80, 0xff,
	     0xff, 0xff, 0xff, 0xf3, 0x48, 0x0f, 0xae, 0xd8, XOR_ARGUMENTS, SYSTEM_CALL, RETURN),
	CODE("writes GS base, then faults", ATTACK_FAULTS, 0x31, 0xc0, 0xf3, 0x48, 0x0f, 0xae, 0xd8, 0x0f, 0x0b,
	     RETURN),
	CODE("loads a null GS, then enters", ATTACK_EXITS, 0x31, 0xc0, 0x8e, 0xe8, XOR_ARGUMENTS, SYSTEM_CALL, RETURN),
	CODE("restores garbage vector state", ATTACK_EXITS | ATTACK_FAULTS, 0x83, 0xc8, 0xff, 0x83, 0xca, 0xff, 0x48,
	     0x89, 0xe1, 0x48, 0x83, 0xe1, 0xc0, 0x0f, 0xae, 0x69, 0x80, RETURN),
	CODE("unmasks floating-point faults", ATTACK_EXITS | ATTACK_FAULTS, /* emulators do without them */
	     0x6a, 0x00, 0x0f, 0xae, 0x14, 0x24, 0x58, 0x0f, 0x57, 0xc0, 0xf3, 0x0f, 0x5e, 0xc0, RETURN),
	CODE("leaves an x87 fault pending", ATTACK_FAULTS, 0x6a, 0x00, 0xd9, 0x2c, 0x24, 0x58, 0xd9, 0xe8, 0xd9, 0xee,
	     0xde, 0xf9, XOR_ARGUMENTS, SYSTEM_CALL, 0x9b, RETURN),
};

static const unsigned char *code_page;
static uint32_t ready, repeats;

static int64_t run_code(void *ignored)
{
	(void)ignored;
	__atomic_fetch_add(&ready, 1, __ATOMIC_ACQ_REL);
	while (__atomic_load_n(&ready, __ATOMIC_ACQUIRE) < ATTACK_THREADS)
		CHECK(thread_client_yield(trial.threads) == STATUS_OK);
	for (uint32_t i = 0; i < repeats; i++)
		((void (*)(void))(uint64_t)code_page)();
	return 0;
}

static void run_in_threads(const struct attack *attack)
{
	const struct code *code = &codes[attack->first];
	uint64_t now;
	void *page;

	EXPECT_OK(trial_map(1, &page));
	memcpy(page, code->bytes, code->count);
	EXPECT_OK(virtual_memory_client_protect(trial.memory, page, PAGE_SIZE, PROTECTION_READ | PROTECTION_EXECUTE));
	code_page = page;
	repeats = (code->ends & ATTACK_EXITS) != 0 ? REPEATS : 1;
	attack_in_threads(ATTACK_THREADS, run_code);
	EXPECT_OK(timer_client_now(trial.timer, &now));
	/* Whoever must be stopped was not. */
	EXPECT((code->ends & ATTACK_EXITS) != 0);
}

static int64_t garbage_calls(void *index)
{
	uint64_t seed = 31 + (uint64_t)index;

	for (uint32_t i = 0; i < 3000; i++) {
		const uint64_t number = attack_random(&seed) >> (i % 64);
		const uint64_t first = attack_random(&seed) >> (i % 64), second = attack_random(&seed) % 1000;

		if (number == SYSCALL_EXIT)
			continue;
		const int64_t result = system_call(number, first, second);

		if (number != SYSCALL_CAP_ENTER && result != -STATUS_UNSUPPORTED)
			return 1;
		if (number == SYSCALL_CAP_ENTER && first > RING_CQ_ENTRIES && result != -STATUS_BAD_ARGUMENT)
			return 2;
	}
	return 0;
}

static void garbage_system_calls(const struct attack *attack)
{
	(void)attack;
	attack_in_threads(ATTACK_THREADS, garbage_calls);
}

void processor_attacks_add(void)
{
	for (uint32_t i = 0; i < COUNT_OF(codes); i++)
		attack_add("a thread ", codes[i].name, run_in_threads, codes[i].ends)->first = i;
	attack_add("garbage in ", "system calls", garbage_system_calls, ATTACK_EXITS);
}
