#include "user/runtime/system_control_client.h"

#include "user/runtime/ring_client.h"

enum status system_control_client_halt(struct system_control_client client, uint64_t code)
{
	struct ring_submission request = {
		.opcode = RING_CALL, .operation = SYSTEM_CONTROL_HALT, .capability = client.handle, .argument = { code }
	};

	return ring_client_call_plain(&request);
}

enum status system_control_client_shortage(struct system_control_client client,
					   const struct system_control_shortage *order, struct shortage_report *report)
{
	struct ring_submission request = {
		.opcode = RING_CALL,
		.operation = SYSTEM_CONTROL_SHORTAGE,
		.capability = client.handle,
		.argument = { order->places, order->first, order->period, order->note, (uint64_t)report,
			      sizeof(*report) },
	};

	return ring_client_call_plain(&request);
}
