#include "kernel/task/hold.h"

#include <stddef.h>

#include "kernel/mem/memory_object.h"
#include "kernel/task/endpoint.h"
#include "kernel/task/process.h"
#include "lib/check.h"

void hold_charge(const struct cap_hold *hold, struct charge *charge)
{
	const struct memory_object *object = hold->object;

	charge_add(charge, LEDGER_CAP_SLOTS, 1);
	if (hold->interface == INTERFACE_MEMORY_OBJECT) {
		charge_add(charge, LEDGER_FRAME_GRANT, object->pages);
		charge_add(charge, LEDGER_KERNEL_OBJECT, memory_object_kernel_bytes(object->pages, object->flags));
	} else if (hold->interface == INTERFACE_ENDPOINT || hold->interface == INTERFACE_ENDPOINT_CLIENT) {
		charge_add(charge, LEDGER_KERNEL_OBJECT, sizeof(struct endpoint));
	} else if (hold->interface == INTERFACE_PROCESS_HANDLE) {
		charge_add(charge, LEDGER_KERNEL_OBJECT, PROCESS_KERNEL_BYTES);
	}
}

void hold_add(const struct cap_hold *hold)
{
	if (hold->interface == INTERFACE_MEMORY_OBJECT)
		memory_object_add_hold(hold->object);
	else if (hold->interface == INTERFACE_ENDPOINT)
		endpoint_add_owner(hold->object);
	else if (hold->interface == INTERFACE_ENDPOINT_CLIENT)
		endpoint_add_client(hold->object);
	else if (hold->interface == INTERFACE_PROCESS_HANDLE)
		process_add_hold(hold->object);
}

void hold_drop(const struct cap_hold *hold)
{
	if (hold->interface == INTERFACE_MEMORY_OBJECT)
		memory_object_drop_hold(hold->object);
	else if (hold->interface == INTERFACE_ENDPOINT)
		endpoint_drop_owner(hold->object);
	else if (hold->interface == INTERFACE_ENDPOINT_CLIENT)
		endpoint_drop_client(hold->object);
	else if (hold->interface == INTERFACE_PROCESS_HANDLE)
		process_drop_hold(hold->object);
}

void hold_use(const struct cap_hold *hold)
{
	if (hold->interface == INTERFACE_MEMORY_OBJECT)
		memory_object_use(hold->object);
	else if (hold->interface == INTERFACE_PROCESS_HANDLE)
		process_use(hold->object);
	else
		endpoint_use(hold->object);
}

void hold_end_use_counted(const struct cap_hold *hold)
{
	if (hold->interface == INTERFACE_MEMORY_OBJECT)
		memory_object_end_use(hold->object);
	else if (hold->interface == INTERFACE_PROCESS_HANDLE)
		process_end_use(hold->object);
	else
		endpoint_end_use(hold->object);
}

uint64_t hold_object_number(const struct cap_hold *hold)
{
	if (hold->interface == INTERFACE_MEMORY_OBJECT)
		return ((const struct memory_object *)hold->object)->number;
	if (hold->interface == INTERFACE_PROCESS_HANDLE)
		return ((const struct process *)hold->object)->id;
	return hold_is_counted(hold) ? ((const struct endpoint *)hold->object)->number : 0;
}

uint32_t hold_count(const struct cap_hold *hold)
{
	const struct endpoint *endpoint = hold->object;

	if (hold->interface == INTERFACE_MEMORY_OBJECT)
		return ((const struct memory_object *)hold->object)->holds;
	if (hold->interface == INTERFACE_PROCESS_HANDLE)
		return (uint32_t)((const struct process *)hold->object)->holds;
	return hold_is_counted(hold) ? endpoint->owners + endpoint->clients : 0;
}
