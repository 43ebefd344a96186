#include "user/runtime/program.h"

#include <elf.h>
#include <stddef.h>

#include "abi/startup.h"
#include "lib/status.h"
#include "user/runtime/capset_client.h"
#include "user/runtime/park_client.h"
#include "user/runtime/print.h"
#include "user/runtime/ring_client.h"
#include "user/runtime/system_call.h"
#include "user/runtime/user_thread.h"

static const char *name = "program";

/* The value of one auxiliary vector entry, 0 if there is none. */
static uint64_t auxiliary_value(const Elf64_auxv_t *entry, uint64_t type)
{
	for (; entry->a_type != AT_NULL; entry++) {
		if (entry->a_type == type)
			return entry->a_un.a_val;
	}
	return 0;
}

/* What threads of this program start with. */
static void init_threads(const Elf64_auxv_t *auxiliary)
{
	const Elf64_Phdr *headers = (const Elf64_Phdr *)auxiliary_value(auxiliary, AT_PHDR);
	const struct thread_image image =
		thread_block_image(headers, headers == NULL ? 0 : auxiliary_value(auxiliary, AT_PHNUM));

	user_thread_init(&image);
	park_client_init();
}

_Noreturn void program_start(uint64_t *stack, uint64_t unknown_relocation)
{
	int argc = (int)stack[0];
	char **argv = (char **)(stack + 1);
	char **envp = argv + argc + 1;
	char **end = envp;

	while (*end != NULL)
		end++;
	const Elf64_auxv_t *auxiliary = (const Elf64_auxv_t *)(end + 1);
	uint64_t capset = auxiliary_value(auxiliary, AUX_CAPOS_CAPSET);
	uint64_t ring = auxiliary_value(auxiliary, AUX_CAPOS_RING);

	/* Without these two nothing can be said or done, so the exit code is all that can tell. */
	if (capset == 0 || ring == 0)
		system_call_exit(PROGRAM_ABORT_CODE);
	if (capset_client_init((const struct capset_page *)capset) != STATUS_OK)
		system_call_exit(PROGRAM_ABORT_CODE);
	if (ring_client_init(&ring_client_current, (struct ring_page *)ring) != STATUS_OK)
		system_call_exit(PROGRAM_ABORT_CODE);
	if (argc > 0)
		name = argv[0];
	print_init();
	if (unknown_relocation != 0)
		program_abort("a relocation of this kind is not done here", (const void *)unknown_relocation);
	init_threads(auxiliary);
	program_exit(main(argc, argv, envp));
}

_Noreturn void program_exit(int code)
{
	print_flush();
	system_call_exit(code);
}

_Noreturn void program_abort(const char *message, const void *address)
{
	print("%s: %s (%p)\n", name, message, address);
	program_exit(PROGRAM_ABORT_CODE);
}

int program_code(enum status status)
{
	if (status == STATUS_OK)
		return 0;
	print("%s: %s\n", name, status_name(status));
	return 1;
}

const char *program_name(void)
{
	return name;
}

uint64_t program_process_id(void)
{
	return capset_client_process_id();
}
