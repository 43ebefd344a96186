/*
 * The shell's state and what its commands share.
 */
#ifndef CAPOS_USER_SHELL_SHELL_H
#define CAPOS_USER_SHELL_SHELL_H

#include <stdbool.h>
#include <stdint.h>

#include "user/runtime/boot_package_client.h"
#include "user/runtime/console_client.h"
#include "user/runtime/inspector_client.h"
#include "user/runtime/system_control_client.h"
#include "user/runtime/timer_client.h"

struct shell {
	struct console_client console;
	struct timer_client timer;
	struct boot_package_client package;
	struct inspector_client inspector;
	struct system_control_client system;
	bool leaving; /* after this command: another program has its turn */
};

#endif
