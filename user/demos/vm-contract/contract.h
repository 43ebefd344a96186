/*
 * What the promises are checked with. A promise is a function that returns when all is well, or at the first EXPECT
 * that does not hold; its line is "ok NAME" or "FAILED NAME: what". Each promise must leave all ledgers and the frames
 * of the machine as it found them: that is checked after it, by itself.
 */
#ifndef CAPOS_USER_DEMOS_VM_CONTRACT_CONTRACT_H
#define CAPOS_USER_DEMOS_VM_CONTRACT_CONTRACT_H

#include <stdbool.h>
#include <stdint.h>

#include "abi/memory_layout.h"
#include "abi/ring_abi.h"
#include "lib/status.h"
#include "user/runtime/boot_package_client.h"
#include "user/runtime/console_client.h"
#include "user/runtime/frame_allocator_client.h"
#include "user/runtime/inspector_client.h"
#include "user/runtime/memory_object_client.h"
#include "user/runtime/ring_client.h"
#include "user/runtime/system_control_client.h"
#include "user/runtime/timer_client.h"
#include "user/runtime/virtual_memory_client.h"

#define READ_ONLY PROTECTION_READ
#define READ_WRITE (PROTECTION_READ | PROTECTION_WRITE)
#define READ_EXECUTE (PROTECTION_READ | PROTECTION_EXECUTE)
#define BYTES(pages) ((uint64_t)(pages)*PAGE_SIZE)

#define KERNEL_ADDRESS UINT64_C(0xffff800000000000)
#define NON_CANONICAL_ADDRESS UINT64_C(0x0000800000000000)

struct contract {
	struct virtual_memory_client memory;
	struct frame_allocator_client frames;
	struct console_client console;
	struct timer_client timer;
	struct boot_package_client package;
	struct inspector_client inspector;
	struct system_control_client system;
	uint32_t passed, failed;
	bool broken; /* the promise that is being checked has failed */
};

extern struct contract contract;

struct promise {
	const char *name;
	void (*check)(void);
};

/* All that a call may change: every ledger, and where the machine's frames are. */
struct contract_reading {
	struct memory_statistics statistics;
	struct inspector_memory machine;
};

/* Find the capabilities; false, with a line on the console, if one is missing. */
bool contract_begin(void);

void contract_check(const struct promise *promise, uint32_t count);

/* For promises whose point is that something stays until the process ends: they compare by themselves. */
void contract_check_lasting(const struct promise *promise, uint32_t count);

/*
 * One refusal: the call must answer `wanted`, and change nothing. The line is "ok refuse OPERATION: WHY". `request` has
 * everything but user_data.
 */
void contract_refuse(const char *operation, const char *why, const struct ring_submission *request, enum status wanted);

/* The promise under way is broken. */
void contract_break(const char *text, ...) __attribute__((format(printf, 1, 2)));

/* The machine's part walks all frames: not for loops. */
struct contract_reading contract_read(void);
struct memory_statistics contract_statistics(void);
uint64_t contract_used(enum ledger_kind kind);

/* Whether the kernel, when asked to copy one byte from or to there on our behalf, may. The second one writes. */
bool contract_is_readable(const void *address);
bool contract_is_writable(void *address);

/* Every byte of the pages is `value`. */
bool contract_is_filled(const void *address, uint64_t pages, uint8_t value);
void contract_fill(void *address, uint64_t pages, uint8_t value);

/* The clients' calls on our own VirtualMemory, in pages. */
enum status contract_map(uint64_t pages, uint32_t protection, void **address);
enum status contract_reserve(uint64_t pages, void **address);
enum status contract_commit(const void *address, uint64_t pages, uint32_t protection);
enum status contract_map_lazy(uint64_t pages, uint32_t protection, void **address);
enum status contract_commit_lazy(const void *address, uint64_t pages, uint32_t protection);
enum status contract_decommit(const void *address, uint64_t pages);
enum status contract_protect(const void *address, uint64_t pages, uint32_t protection);
enum status contract_unmap(const void *address, uint64_t pages);
enum status contract_allocate(uint64_t pages, struct memory_object_client *object);
/* From the object's page `first` on, anywhere. */
enum status contract_map_object(struct memory_object_client object, uint64_t first, uint64_t pages, uint32_t protection,
				void **address);

static inline void *contract_page(const void *address, uint64_t pages)
{
	return (void *)((uint64_t)address + BYTES(pages));
}

/* In a function of a promise only: they return from it. */
#define EXPECT(condition)                                                    \
	do {                                                                 \
		if (!(condition)) {                                          \
			contract_break("%s, line %d", #condition, __LINE__); \
			return;                                              \
		}                                                            \
	} while (0)

#define EXPECT_STATUS(expression, wanted)                                                                 \
	do {                                                                                              \
		enum status got_ = (expression);                                                          \
		if (got_ != (wanted)) {                                                                   \
			contract_break("%s gives %s, line %d", #expression, status_name(got_), __LINE__); \
			return;                                                                           \
		}                                                                                         \
	} while (0)

#define EXPECT_OK(expression) EXPECT_STATUS(expression, STATUS_OK)

#define EXPECT_EQUAL(number, wanted)                                                                     \
	do {                                                                                             \
		uint64_t got_ = (number);                                                                \
		uint64_t wanted_ = (wanted);                                                             \
		if (got_ != wanted_) {                                                                   \
			contract_break("%s is %lu, not %lu, line %d", #number, got_, wanted_, __LINE__); \
			return;                                                                          \
		}                                                                                        \
	} while (0)

/* A call for contract_refuse. */
#define REQUEST(handle_, operation_, ...)                            \
	(&(const struct ring_submission){ .opcode = RING_CALL,       \
					  .operation = (operation_), \
					  .capability = (handle_),   \
					  .argument = { __VA_ARGS__ } })

#endif
