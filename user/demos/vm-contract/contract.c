#include "user/demos/vm-contract/contract.h"

#include <stdarg.h>
#include <stddef.h>

#include "abi/interface.h"
#include "lib/check.h"
#include "lib/format.h"
#include "lib/ledger.h"
#include "lib/status.h"
#include "lib/string.h"
#include "user/runtime/capset_client.h"
#include "user/runtime/print.h"
#include "user/runtime/resident.h"
#include "user/runtime/ring_client.h"

#define WHAT_BYTES 256u

struct contract contract;

static char what[WHAT_BYTES]; /* is wrong with the promise under way */

static bool find(const char *name, enum interface_id interface, handle_t *capability)
{
	enum status status = capset_client_find(name, interface, capability);

	if (status != STATUS_OK)
		print("vm-contract: capability \"%s\": %s\n", name, status_name(status));
	return status == STATUS_OK;
}

bool contract_begin(void)
{
	resident_make(RESIDENT_STACK_BYTES);
	return find("memory", INTERFACE_VIRTUAL_MEMORY, &contract.memory.handle) &&
	       find("frames", INTERFACE_FRAME_ALLOCATOR, &contract.frames.handle) &&
	       find("console", INTERFACE_CONSOLE, &contract.console.handle) &&
	       find("timer", INTERFACE_TIMER, &contract.timer.handle) &&
	       find("package", INTERFACE_BOOT_PACKAGE, &contract.package.handle) &&
	       find("inspector", INTERFACE_INSPECTOR, &contract.inspector.handle) &&
	       find("system", INTERFACE_SYSTEM_CONTROL, &contract.system.handle);
}

void contract_break(const char *text, ...)
{
	va_list arguments;

	if (contract.broken)
		return; /* the first reason counts */
	contract.broken = true;
	va_start(arguments, text);
	(void)format_v(what, sizeof(what), text, arguments);
	va_end(arguments);
}

struct memory_statistics contract_statistics(void)
{
	struct memory_statistics statistics;

	CHECK(virtual_memory_client_statistics(contract.memory, &statistics) == STATUS_OK);
	return statistics;
}

struct contract_reading contract_read(void)
{
	struct contract_reading reading = { .statistics = contract_statistics() };

	CHECK(inspector_client_memory(contract.inspector, &reading.machine) == STATUS_OK);
	return reading;
}

uint64_t contract_used(enum ledger_kind kind)
{
	return contract_statistics().ledger[kind].used;
}

/* Break the promise if anything is not as it was. */
static void compare(const struct contract_reading *before)
{
	struct contract_reading after = contract_read();

	for (uint32_t i = 0; i < LEDGER_COUNT; i++) {
		const struct ledger_reading *was = &before->statistics.ledger[i], *is = &after.statistics.ledger[i];

		if (is->used != was->used)
			contract_break("%s was %lu before, is %lu after", ledger_name((enum ledger_kind)i), was->used,
				       is->used);
		if (is->limit != was->limit)
			contract_break("limit of %s was %lu before, is %lu after", ledger_name((enum ledger_kind)i),
				       was->limit, is->limit);
	}
	if (after.machine.user_frames != before->machine.user_frames)
		contract_break("user frames were %lu before, are %lu after", before->machine.user_frames,
			       after.machine.user_frames);
	if (after.machine.table_frames != before->machine.table_frames)
		contract_break("table frames were %lu before, are %lu after", before->machine.table_frames,
			       after.machine.table_frames);
	if (after.machine.free_frames != before->machine.free_frames)
		contract_break("free frames were %lu before, are %lu after", before->machine.free_frames,
			       after.machine.free_frames);
}

static void report(const char *prefix, const char *name, const char *why)
{
	if (contract.broken) {
		contract.failed++;
		print("FAILED %s%s%s: %s\n", prefix, name, why, what);
	} else {
		contract.passed++;
		print("ok %s%s%s\n", prefix, name, why);
	}
}

void contract_check(const struct promise *promise, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		struct contract_reading before = contract_read();

		contract.broken = false;
		promise[i].check();
		compare(&before);
		report("", promise[i].name, "");
	}
}

void contract_check_lasting(const struct promise *promise, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		contract.broken = false;
		promise[i].check();
		report("", promise[i].name, "");
	}
}

void contract_refuse(const char *operation, const char *why, const struct ring_submission *request, enum status wanted)
{
	struct contract_reading before = contract_read();
	struct ring_completion completion = { 0 };
	char text[WHAT_BYTES];

	contract.broken = false;
	enum status status = ring_client_call(request, &completion);

	if (status != wanted)
		contract_break("answers %s, not %s", status_name(status), status_name(wanted));
	else if ((completion.flags & COMPLETION_HAS_CAPABILITY) != 0 || completion.capability != HANDLE_NONE)
		contract_break("a capability came with the refusal");
	compare(&before);
	(void)format(text, sizeof(text), ": %s", why);
	report("refuse ", operation, text);
}

/* A name of one letter is looked up: the letter must be read for the answer. */
bool contract_is_readable(const void *address)
{
	const struct ring_submission *request =
		REQUEST(contract.package.handle, BOOT_PACKAGE_FIND, (uint64_t)address, 1);
	enum status status = ring_client_call_plain(request);

	return status == STATUS_OK || status == STATUS_NOT_FOUND;
}

/* One byte of a file is read to there. */
bool contract_is_writable(void *address)
{
	struct boot_package_span span = { .index = 0, .offset = 0, .buffer = address, .bytes = 1 };
	uint64_t count;

	return boot_package_client_read(contract.package, &span, &count) == STATUS_OK;
}

bool contract_is_filled(const void *address, uint64_t pages, uint8_t value)
{
	const uint64_t *word = address;
	uint64_t pattern = value * UINT64_C(0x0101010101010101);

	for (uint64_t i = 0; i < BYTES(pages) / sizeof(*word); i++) {
		if (word[i] != pattern)
			return false;
	}
	return true;
}

void contract_fill(void *address, uint64_t pages, uint8_t value)
{
	memset(address, value, BYTES(pages));
}

enum status contract_map(uint64_t pages, uint32_t protection, void **address)
{
	return virtual_memory_client_map(contract.memory, NULL, BYTES(pages), protection, 0, address);
}

enum status contract_reserve(uint64_t pages, void **address)
{
	return virtual_memory_client_reserve(contract.memory, NULL, BYTES(pages), 0, address);
}

enum status contract_commit(const void *address, uint64_t pages, uint32_t protection)
{
	return virtual_memory_client_commit(contract.memory, address, BYTES(pages), protection);
}

enum status contract_map_lazy(uint64_t pages, uint32_t protection, void **address)
{
	return virtual_memory_client_map(contract.memory, NULL, BYTES(pages), protection, VIRTUAL_MEMORY_LAZY, address);
}

enum status contract_commit_lazy(const void *address, uint64_t pages, uint32_t protection)
{
	return virtual_memory_client_commit_lazy(contract.memory, address, BYTES(pages), protection);
}

enum status contract_decommit(const void *address, uint64_t pages)
{
	return virtual_memory_client_decommit(contract.memory, address, BYTES(pages));
}

enum status contract_protect(const void *address, uint64_t pages, uint32_t protection)
{
	return virtual_memory_client_protect(contract.memory, address, BYTES(pages), protection);
}

enum status contract_unmap(const void *address, uint64_t pages)
{
	return virtual_memory_client_unmap(contract.memory, address, BYTES(pages));
}

enum status contract_allocate(uint64_t pages, struct memory_object_client *object)
{
	return frame_allocator_client_allocate(contract.frames, pages, 0, object);
}

enum status contract_map_object(struct memory_object_client object, uint64_t first, uint64_t pages, uint32_t protection,
				void **address)
{
	struct memory_object_window window = { .offset = BYTES(first),
					       .length = BYTES(pages),
					       .protection = protection };

	return memory_object_client_map(object, &window, address);
}
