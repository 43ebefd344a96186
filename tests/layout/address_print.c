/*
 * Prints where its parts lie, "NAME VALUE" a line, for tools/layout_linux.py. Run under Linux; linked static, fixed
 * and position-independent.
 */
#include <elf.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGE 4096u
#define START_BRK_FIELD 47 /* of /proc/self/stat, proc(5) */

extern const char __executable_start[], etext[], end[];

static int data_word = 1;
static int bss_word;

static void print(const char *name, uint64_t value)
{
	(void)printf("%s 0x%" PRIx64 "\n", name, value);
}

static uint64_t start_of_heap(void)
{
	FILE *file = fopen("/proc/self/stat", "r");
	char line[2048];
	const char *at;

	if (file == NULL || fgets(line, sizeof(line), file) == NULL)
		exit(1);
	(void)fclose(file);
	at = strrchr(line, ')'); /* the end of field 2, which may contain anything */
	for (int field = 2; at != NULL && field < START_BRK_FIELD; field++)
		at = strchr(at + 1, ' ');
	if (at == NULL)
		exit(1);
	return strtoull(at, NULL, 10);
}

/* "map START END NAME" for each mapping, as the kernel names it. */
static void print_maps(void)
{
	FILE *file = fopen("/proc/self/maps", "r");
	char line[512], name[256];
	uint64_t start, stop;

	if (file == NULL)
		exit(1);
	while (fgets(line, sizeof(line), file) != NULL) {
		name[0] = '\0';
		if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %*s %*s %*s %*s %255s", &start, &stop, name) >= 2)
			(void)printf("map 0x%" PRIx64 " 0x%" PRIx64 " %s\n", start, stop, name);
	}
	(void)fclose(file);
}

static void *map_page(void)
{
	void *page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (page == MAP_FAILED)
		exit(1);
	return page;
}

__attribute__((noinline)) static void print_deeper(const volatile char *outer)
{
	volatile char inner = *outer;

	print("stack_inner", (uintptr_t)&inner);
}

static void print_vector(char **environment)
{
	const Elf64_auxv_t *entry;
	char **at = environment;

	while (*at != NULL)
		at++;
	entry = (const Elf64_auxv_t *)(const void *)(at + 1);
	print("auxv", (uintptr_t)entry);
	for (; entry->a_type != AT_NULL; entry++) {
		(void)printf("aux_%" PRIu64 " 0x%" PRIx64 "\n", entry->a_type, entry->a_un.a_val);
		if (entry->a_type == AT_EXECFN)
			(void)printf("execfn_text %s\n", (const char *)entry->a_un.a_val);
	}
	print("auxv_end", (uintptr_t)(entry + 1));
}

/* The strings are the process's own to write to: each is changed and changed back. */
static void print_strings(const char *name, char **list)
{
	uint64_t count = 0;

	for (; list[count] != NULL; count++) {
		const char first = list[count][0];

		list[count][0] = '?';
		list[count][0] = first;
		(void)printf("%s_%" PRIu64 " 0x%" PRIxPTR "\n", name, count, (uintptr_t)list[count]);
	}
	print(name, (uintptr_t)list);
	(void)printf("%s_count %" PRIu64 "\n", name, count);
}

int main(int argc, char **argv, char **envp)
{
	const volatile char local = 0;

	print_maps();
	print("text", (uintptr_t)__executable_start);
	print("text_end", (uintptr_t)etext);
	print("data", (uintptr_t)&data_word);
	print("bss", (uintptr_t)&bss_word);
	print("image_end", (uintptr_t)end);
	print("heap", start_of_heap());
	print("break", (uintptr_t)sbrk(0));
	if (sbrk(PAGE) == (void *)-1)
		return 1;
	print("break_later", (uintptr_t)sbrk(0));
	print("mmap_1", (uintptr_t)map_page());
	print("mmap_2", (uintptr_t)map_page());
	print("stack", (uintptr_t)&local);
	print_deeper(&local);
	print("argc", *(const uint64_t *)(const void *)((const char *)argv - sizeof(uint64_t)));
	print("argc_given", (uint64_t)argc);
	print_strings("argv", argv);
	print_strings("envp", envp);
	print_vector(envp);
	return 0;
}
