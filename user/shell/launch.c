#include "user/shell/launch.h"

#include "lib/status.h"
#include "lib/string.h"
#include "user/runtime/print.h"
#include "user/shell/size_text.h"

#define HALT_CODE_MAX 63u
#define NEAR 2u

static bool say_no_program(struct shell *shell, const char *name)
{
	struct boot_package_entry entry, nearest = { 0 };
	uint32_t best = NEAR + 1;

	for (uint64_t i = 0; boot_package_client_stat(shell->package, i, &entry) == STATUS_OK; i++) {
		uint32_t distance = words_distance(name, entry.name);

		if (distance < best && distance < strlen(name)) {
			best = distance;
			nearest = entry;
		}
	}
	if (nearest.name[0] != '\0')
		print("run: no program %s; did you mean `%s`?\n", name, nearest.name);
	else
		print("run: no program %s; `ls` lists what there is\n", name);
	return false;
}

bool launch_run(struct shell *shell, const struct words *words)
{
	uint64_t index;
	enum status status = boot_package_client_find(shell->package, words->word[1], &index);

	if (status == STATUS_NOT_FOUND)
		return say_no_program(shell, words->word[1]);
	if (status == STATUS_OK)
		status = system_control_client_run_next(shell->system, words_rest(words, 1));
	if (status != STATUS_OK) {
		print("run: %s\n", status_name(status));
		return false;
	}
	shell->leaving = true;
	return true;
}

bool launch_list(struct shell *shell, const struct words *words)
{
	struct boot_package_entry entry;
	uint64_t count = 0;
	enum status status;

	(void)words;
	while ((status = boot_package_client_stat(shell->package, count, &entry)) == STATUS_OK) {
		print("%10lu  %-24s (%s)\n", entry.size, entry.name, size_text_of_bytes(entry.size).text);
		count++;
	}
	if (status != STATUS_NOT_FOUND) {
		print("ls: %s\n", status_name(status));
		return false;
	}
	print("%lu files\n", count);
	return true;
}

bool launch_halt(struct shell *shell, const struct words *words)
{
	uint64_t code = 0;

	if (words->count > 1 && (!words_number(words->word[1], &code) || code > HALT_CODE_MAX)) {
		print("halt: CODE is a number from 0 to %u, not %s\n", HALT_CODE_MAX, words->word[1]);
		return false;
	}
	print_flush();
	print("halt: %s\n", status_name(system_control_client_halt(shell->system, code)));
	return false;
}
