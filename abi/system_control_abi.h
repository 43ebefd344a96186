/* SystemControl: end the system. */
#ifndef CAPOS_ABI_SYSTEM_CONTROL_ABI_H
#define CAPOS_ABI_SYSTEM_CONTROL_ABI_H

enum system_control_operation {
	SYSTEM_CONTROL_HALT = 0, /* (exit code 0..63): ends the machine; does not complete */
	SYSTEM_CONTROL_OPERATION_COUNT
};

#endif
