#include "user/demos/elf-smoke/fact.h"

#include <elf.h>
#include <stdarg.h>
#include <stddef.h>

#include "lib/format.h"
#include "lib/status.h"
#include "user/runtime/capset_client.h"
#include "user/runtime/print.h"
#include "user/runtime/program.h"

#define WHAT_BYTES 256u

struct facts facts;

static bool broken;
static char what[WHAT_BYTES];

static bool find(const char *name, enum interface_id interface, handle_t *capability)
{
	enum status status = capset_client_find(name, interface, capability);

	if (status != STATUS_OK)
		print("elf-smoke: capability \"%s\": %s\n", name, status_name(status));
	return status == STATUS_OK;
}

bool fact_begin(int argc, char **argv, char **envp)
{
	facts.argc = argc;
	facts.argv = argv;
	facts.envp = envp;
	return find("memory", INTERFACE_VIRTUAL_MEMORY, &facts.memory.handle) &&
	       find("package", INTERFACE_BOOT_PACKAGE, &facts.package.handle) &&
	       find("inspector", INTERFACE_INSPECTOR, &facts.inspector.handle) &&
	       inspector_client_layout(facts.inspector, program_process_id(), &facts.layout) == STATUS_OK;
}

void fact_break(const char *text, ...)
{
	va_list arguments;

	if (broken)
		return; /* the first reason counts */
	broken = true;
	va_start(arguments, text);
	(void)format_v(what, sizeof(what), text, arguments);
	va_end(arguments);
}

void fact_check(const struct fact *fact, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		broken = false;
		fact[i].check();
		if (broken) {
			facts.failed++;
			print("FAILED %s: %s\n", fact[i].name, what);
		} else {
			facts.passed++;
			print("ok %s\n", fact[i].name);
		}
	}
}

void fact_find_auxiliary(uint64_t type, uint64_t *value)
{
	char **end = facts.envp;
	uint32_t count = 0;

	while (*end != NULL)
		end++;
	*value = 0;
	for (const Elf64_auxv_t *entry = (const Elf64_auxv_t *)(end + 1); entry->a_type != AT_NULL; entry++) {
		if (entry->a_type != type)
			continue;
		*value = entry->a_un.a_val;
		count++;
	}
	if (count != 1)
		fact_break("%u entries of type 0x%lx in the auxiliary vector", count, type);
}

void fact_expect_region(uint64_t address, enum page_kind kind, uint32_t protection,
			struct virtual_memory_region *region)
{
	enum status status = virtual_memory_client_query(facts.memory, (const void *)address, region);

	if (status != STATUS_OK)
		fact_break("query of 0x%lx: %s", address, status_name(status));
	else if (region->kind != kind || region->protection != protection)
		fact_break("0x%lx is of kind %u with protection %u, not %u with %u", address, region->kind,
			   region->protection, kind, protection);
}

bool fact_is_zero(const void *bytes, uint64_t count)
{
	const uint8_t *byte = bytes;

	for (uint64_t i = 0; i < count; i++) {
		if (byte[i] != 0)
			return false;
	}
	return true;
}
