/*
 * fault-probe KIND: do one thing that a program may not do. The kernel ends the process and says why; getting past it
 * is a FAILURE. Without KIND: list the kinds.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi/memory_layout.h"
#include "abi/syscall_abi.h"
#include "lib/check.h"
#include "lib/status.h"
#include "lib/string.h"
#include "user/runtime/capset_client.h"
#include "user/runtime/print.h"
#include "user/runtime/system_call.h"
#include "user/runtime/virtual_memory_client.h"

#define SURVIVED 1
#define KERNEL_ADDRESS UINT64_C(0xffff800000000000)
#define NON_CANONICAL_ADDRESS UINT64_C(0x0000800000000000)
#define BAD_SYSTEM_CALL 0x7fffffffu

static struct virtual_memory_client memory;

/* One committed page of ours; the probe cannot go on without it. */
static volatile unsigned char *page_with(uint32_t protection)
{
	void *page;

	CHECK(virtual_memory_client_map(memory, NULL, PAGE_SIZE, protection, 0, &page) == STATUS_OK);
	return page;
}

static void read_byte(uint64_t address)
{
	(void)*(volatile const unsigned char *)address;
}

static void write_byte(uint64_t address)
{
	*(volatile unsigned char *)address = 1;
}

static void call(uint64_t address)
{
	((void (*)(void))address)();
}

static void null_pointer(void)
{
	volatile uint64_t member = 8; /* of a structure at null; volatile, or the compiler would refuse to do it */

	read_byte(member);
}

static void unreserved(void)
{
	volatile unsigned char *page = page_with(PROTECTION_READ);

	CHECK(virtual_memory_client_unmap(memory, (const void *)(uint64_t)page, PAGE_SIZE) == STATUS_OK);
	read_byte((uint64_t)page);
}

static void uncommitted(void)
{
	void *page;

	CHECK(virtual_memory_client_reserve(memory, NULL, PAGE_SIZE, 0, &page) == STATUS_OK);
	read_byte((uint64_t)page);
}

/* Written first, so that a stale translation would let the read through. */
static void decommitted(void)
{
	volatile unsigned char *page = page_with(PROTECTION_READ | PROTECTION_WRITE);

	*page = 1;
	CHECK(virtual_memory_client_decommit(memory, (const void *)(uint64_t)page, PAGE_SIZE) == STATUS_OK);
	read_byte((uint64_t)page);
}

static void no_access(void)
{
	volatile unsigned char *page = page_with(PROTECTION_READ | PROTECTION_WRITE);

	*page = 1;
	CHECK(virtual_memory_client_protect(memory, (const void *)(uint64_t)page, PAGE_SIZE, PROTECTION_NONE) ==
	      STATUS_OK);
	read_byte((uint64_t)page);
}

static void write_read_only(void)
{
	volatile unsigned char *page = page_with(PROTECTION_READ | PROTECTION_WRITE);

	*page = 1;
	CHECK(virtual_memory_client_protect(memory, (const void *)(uint64_t)page, PAGE_SIZE, PROTECTION_READ) ==
	      STATUS_OK);
	write_byte((uint64_t)page);
}

static void execute_nx(void)
{
	volatile unsigned char *page = page_with(PROTECTION_READ | PROTECTION_WRITE);

	*page = 0xc3; /* ret */
	call((uint64_t)page);
}

/* What lies below our stack's pages is room for it to grow, and below that the guard. */
static void guard(void)
{
	volatile unsigned char here = 0;
	struct virtual_memory_region region = { .start = (uint64_t)&here };

	do
		CHECK(virtual_memory_client_query(memory, (const void *)(region.start - 1), &region) == STATUS_OK);
	while (region.kind == PAGE_IMAGE || region.kind == PAGE_LAZY);
	CHECK(region.kind == PAGE_GUARD);
	write_byte(region.start);
}

/* Each call has a page of its own, which the next one reads: no compiler makes a loop of that. */
static unsigned int recurse(const volatile unsigned char *above)
{
	volatile unsigned char page[PAGE_SIZE];

	page[0] = *above;
	return page[0] + (page[0] == 0 ? 0 : recurse(page));
}

static void recursion(void)
{
	const volatile unsigned char one = 1;

	(void)recurse(&one);
}

static void non_canonical(void)
{
	volatile uint64_t address = NON_CANONICAL_ADDRESS; /* in a register, as a pointer gone wrong is */

	read_byte(address);
}

static void kernel_address(void)
{
	read_byte(KERNEL_ADDRESS);
}

static void kernel_execute(void)
{
	call(KERNEL_ADDRESS);
}

static void write_text(void)
{
	write_byte((uint64_t)&null_pointer);
}

static void write_constants(void)
{
	static const unsigned char constant = 1;

	write_byte((uint64_t)&constant);
}

static void write_capset(void)
{
	write_byte(CAPSET_ADDRESS);
}

static void execute_ring(void)
{
	call(RING_ADDRESS);
}

static void exec_stack(void)
{
	volatile unsigned char code[1] = { 0xc3 }; /* ret */

	call((uint64_t)code);
}

/* Machine code of one instruction, on a page of its own: C has no words for these. */
static void run_code(const unsigned char *code, size_t bytes)
{
	volatile unsigned char *page = page_with(PROTECTION_READ | PROTECTION_WRITE);

	for (size_t i = 0; i < bytes; i++)
		page[i] = code[i];
	CHECK(virtual_memory_client_protect(memory, (const void *)(uint64_t)page, PAGE_SIZE,
					    PROTECTION_READ | PROTECTION_EXECUTE) == STATUS_OK);
	call((uint64_t)page);
}

static void div0(void)
{
	static const unsigned char divide_ret[] = { 0x31, 0xc9, 0xf7, 0xf1, 0xc3 }; /* xor %ecx, %ecx; div %ecx */

	run_code(divide_ret, sizeof(divide_ret));
}

static void ud2(void)
{
	static const unsigned char ud2_ret[] = { 0x0f, 0x0b, 0xc3 };

	run_code(ud2_ret, sizeof(ud2_ret));
}

static void privileged(void)
{
	static const unsigned char cli_ret[] = { 0xfa, 0xc3 };

	run_code(cli_ret, sizeof(cli_ret));
}

static void port(void)
{
	static const unsigned char out_ret[] = { 0xe6, 0xf4, 0xc3 }; /* out %al, $0xf4: the machine's exit port */

	run_code(out_ret, sizeof(out_ret));
}

static void int3(void)
{
	static const unsigned char int3_ret[] = { 0xcc, 0xc3 };

	run_code(int3_ret, sizeof(int3_ret));
}

/* A kernel's own vector called from a program: the gate's privilege level must refuse it. */
static void int_page_fault(void)
{
	static const unsigned char int_ret[] = { 0xcd, 0x0e, 0xc3 };

	run_code(int_ret, sizeof(int_ret));
}

/* Refused, or the process is ended: both are right. Anything else is not. */
static void bad_system_call(void)
{
	int64_t result = system_call(BAD_SYSTEM_CALL, 0, 0);

	if (result < 0) {
		print("fault-probe: system call refused: %s\n", status_name((enum status) - result));
		system_call_exit(0);
	}
}

static const struct probe {
	const char *name;
	void (*run)(void);
} probe[] = {
	{ "null", null_pointer },
	{ "unreserved", unreserved },
	{ "uncommitted", uncommitted },
	{ "decommitted", decommitted },
	{ "no-access", no_access },
	{ "write-read-only", write_read_only },
	{ "write-text", write_text },
	{ "write-constants", write_constants },
	{ "write-capset", write_capset },
	{ "execute-nx", execute_nx },
	{ "execute-ring", execute_ring },
	{ "exec-stack", exec_stack },
	{ "guard", guard },
	{ "recursion", recursion },
	{ "non-canonical", non_canonical },
	{ "kernel-address", kernel_address },
	{ "kernel-execute", kernel_execute },
	{ "div0", div0 },
	{ "ud2", ud2 },
	{ "privileged", privileged },
	{ "port", port },
	{ "int3", int3 },
	{ "int-page-fault", int_page_fault },
	{ "syscall", bad_system_call },
};

int main(int argc, char **argv, char **envp)
{
	(void)envp;
	if (argc < 2) {
		for (uint32_t i = 0; i < COUNT_OF(probe); i++)
			print("fault-probe %s\n", probe[i].name);
		return 0;
	}
	CHECK(capset_client_find("memory", INTERFACE_VIRTUAL_MEMORY, &memory.handle) == STATUS_OK);
	for (uint32_t i = 0; i < COUNT_OF(probe); i++) {
		if (!string_equal(probe[i].name, argv[1]))
			continue;
		print("fault-probe: %s\n", probe[i].name);
		probe[i].run();
		print("FAILURE: fault-probe survived %s\n", probe[i].name);
		return SURVIVED;
	}
	print("fault-probe: unknown kind %s\n", argv[1]);
	return SURVIVED;
}
