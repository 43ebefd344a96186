/*
 * Of address-print (user/demos/address-print), what is Linux's own, for tools/layout_linux.py.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/check.h"
#include "user/protocol/address_system.h"

#define PAGE 4096u
#define START_BRK_FIELD 47 /* of /proc/self/stat, proc(5) */

_Noreturn void check_failed(const char *expression, const char *file, int line)
{
	(void)fprintf(stderr, "%s:%d: check failed: %s\n", file, line, expression);
	abort();
}

void address_system_say(const char *line)
{
	(void)puts(line);
}

bool address_system_begin(void)
{
	return true;
}

bool address_system_heap(uint64_t *start)
{
	FILE *file = fopen("/proc/self/stat", "r");
	char line[2048];
	const char *at;

	if (file == NULL)
		return false;
	at = fgets(line, sizeof(line), file);
	(void)fclose(file);
	if (at != NULL)
		at = strrchr(line, ')'); /* the end of field 2, which may contain anything */
	for (int field = 2; at != NULL && field < START_BRK_FIELD; field++)
		at = strchr(at + 1, ' ');
	if (at == NULL)
		return false;
	*start = strtoull(at, NULL, 10);
	return true;
}

bool address_system_break(uint64_t to, uint64_t *now)
{
	if (to != 0 && brk((void *)to) != 0)
		return false;
	*now = (uint64_t)sbrk(0);
	return true;
}

bool address_system_map(uint64_t *address)
{
	void *page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	*address = (uint64_t)page;
	return page != MAP_FAILED;
}

bool address_system_list(void)
{
	FILE *file = fopen("/proc/self/maps", "r");
	char line[512], name[256];
	uint64_t start, stop;

	if (file == NULL)
		return false;
	while (fgets(line, sizeof(line), file) != NULL) {
		name[0] = '\0';
		if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %*s %*s %*s %*s %255s", &start, &stop, name) >= 2)
			(void)printf("map 0x%" PRIx64 " 0x%" PRIx64 " %s\n", start, stop, name);
	}
	(void)fclose(file);
	return true;
}

/* What Linux answers there is nothing that capOS follows. */
bool address_system_edges(void)
{
	return false;
}
