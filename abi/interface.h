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
	INTERFACE_SYSTEM_CONTROL = 8, /* halt, next program */
	INTERFACE_COUNT
};

#endif
