/*
 * The shell's state and what its commands share.
 */
#ifndef CAPOS_USER_SHELL_SHELL_H
#define CAPOS_USER_SHELL_SHELL_H

#include <stdbool.h>
#include <stdint.h>

#include "user/runtime/boot_package_client.h"
#include "user/runtime/console_client.h"
#include "user/runtime/endpoint_client.h"
#include "user/runtime/frame_allocator_client.h"
#include "user/runtime/inspector_client.h"
#include "user/runtime/process_client.h"
#include "user/runtime/system_control_client.h"
#include "user/runtime/timer_client.h"
#include "user/runtime/virtual_memory_client.h"
#include "user/shell/line_history.h"

/* What the CapSet may have besides the console; without one of them, the commands that need it are refused. */
enum shell_need {
	SHELL_TIMER = 1u << 0,
	SHELL_PACKAGE = 1u << 1,
	SHELL_INSPECTOR = 1u << 2,
	SHELL_SYSTEM = 1u << 3,
	SHELL_SPAWNER = 1u << 4,
	SHELL_MEMORY = 1u << 5,
	SHELL_FRAMES = 1u << 6,
	SHELL_ENDPOINTS = 1u << 7,
};

struct shell {
	uint32_t held; /* enum shell_need: of these */
	struct console_client console;
	struct timer_client timer;
	struct boot_package_client package;
	struct inspector_client inspector;
	struct system_control_client system;
	struct process_spawner_client spawner;
	struct virtual_memory_client memory;
	struct frame_allocator_client frames;
	struct endpoint_factory_client endpoints;
	const struct line_history *history;
	bool leaving; /* after this command, with `code` */
	int code;
};

/* Name in the CapSet of the first of these needs. */
const char *shell_need_name(uint32_t needs);

#endif
