/*
 * Interface ids. The interface of a capability is its permission: it says which operations exist on it.
 * Operation numbers are in the header of each interface (virtual_memory_abi.h ...).
 */
#ifndef CAPOS_ABI_INTERFACE_H
#define CAPOS_ABI_INTERFACE_H

enum interface_id {
	INTERFACE_NONE = 0,
	INTERFACE_FRAME_ALLOCATOR = 1,
	INTERFACE_VIRTUAL_MEMORY = 2,
	INTERFACE_MEMORY_OBJECT = 3,
	INTERFACE_CONSOLE = 4,
	INTERFACE_TIMER = 5,
	INTERFACE_BOOT_PACKAGE = 6,
	INTERFACE_INSPECTOR = 7,      /* statistics, maps, ledgers, invariant check of the whole system */
	INTERFACE_SYSTEM_CONTROL = 8, /* halt */
	INTERFACE_PROCESS_SPAWNER = 9,
	INTERFACE_PROCESS_HANDLE = 10, /* wait, kill, statistics of one process; never transferable */
	INTERFACE_THREAD_CONTROL = 11, /* threads of the one process that it is bound to */
	INTERFACE_PARK_SPACE = 12,     /* words of the one address space that it is bound to */
	INTERFACE_ENDPOINT_FACTORY = 13,
	INTERFACE_ENDPOINT = 14,        /* the owner's side: receive, return, make clients */
	INTERFACE_ENDPOINT_CLIENT = 15, /* the client facet: call, nothing else */
	INTERFACE_COUNT
};

#endif
