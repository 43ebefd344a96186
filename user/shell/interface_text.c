#include "user/shell/interface_text.h"

#include "lib/string.h"

static const struct {
	const char *name;
	const char *word; /* after the @ */
} text[INTERFACE_COUNT] = {
	[INTERFACE_NONE] = { "none", "" },
	[INTERFACE_FRAME_ALLOCATOR] = { "FrameAllocator", "frames" },
	[INTERFACE_VIRTUAL_MEMORY] = { "VirtualMemory", "space" },
	[INTERFACE_MEMORY_OBJECT] = { "MemoryObject", "memory" },
	[INTERFACE_CONSOLE] = { "Console", "console" },
	[INTERFACE_TIMER] = { "Timer", "timer" },
	[INTERFACE_BOOT_PACKAGE] = { "BootPackage", "package" },
	[INTERFACE_INSPECTOR] = { "Inspector", "inspector" },
	[INTERFACE_SYSTEM_CONTROL] = { "SystemControl", "system" },
	[INTERFACE_PROCESS_SPAWNER] = { "ProcessSpawner", "spawner" },
	[INTERFACE_PROCESS_HANDLE] = { "ProcessHandle", "process" },
	[INTERFACE_THREAD_CONTROL] = { "ThreadControl", "threads" },
	[INTERFACE_PARK_SPACE] = { "ParkSpace", "park" },
	[INTERFACE_ENDPOINT_FACTORY] = { "EndpointFactory", "endpoints" },
	[INTERFACE_ENDPOINT] = { "Endpoint", "endpoint" },
	[INTERFACE_ENDPOINT_CLIENT] = { "EndpointClient", "client" },
};

const char *interface_text_name(uint32_t interface)
{
	return interface < INTERFACE_COUNT ? text[interface].name : "unknown";
}

bool interface_text_find(const char *word, size_t length, enum interface_id *interface)
{
	for (uint32_t i = INTERFACE_NONE + 1; i < INTERFACE_COUNT; i++) {
		if (string_equal_part(text[i].word, word, length)) {
			*interface = (enum interface_id)i;
			return true;
		}
	}
	return false;
}
