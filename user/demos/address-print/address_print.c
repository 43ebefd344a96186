/*
 * address-print: where my parts lie, "NAME VALUE" a line. The same source runs on capOS and, with the host's C library,
 * on Linux, so that one can be held against the other (tools/layout_capos.py, tools/layout_linux.py).
 *
 * Without an argument that it knows it prints all; `bases`: one line with what random offsets move; `edges`: what the
 * system answers where the layout says that nothing may be.
 */
#include <elf.h>
#include <stddef.h>

#include "lib/format.h"
#include "lib/string.h"
#include "user/protocol/address_system.h"

#define PAGE UINT64_C(4096)
#define LINE_BYTES 512u

static uint64_t data_word = 1;
static uint64_t bss_word;
static const uint64_t constant_word = 2;
static _Thread_local uint64_t thread_word = 3;

static void say(const char *name, uint64_t value)
{
	char line[LINE_BYTES];

	(void)format(line, sizeof(line), "%s 0x%lx", name, value);
	address_system_say(line);
}

static void say_entry(const char *list, uint64_t index, uint64_t value)
{
	char line[LINE_BYTES];

	(void)format(line, sizeof(line), "%s_%lu 0x%lx", list, index, value);
	address_system_say(line);
}

static void say_text(const char *name, const char *text)
{
	char line[LINE_BYTES];

	(void)format(line, sizeof(line), "%s %s", name, text);
	address_system_say(line);
}

static const Elf64_auxv_t *vector_of(char **environment)
{
	char **at = environment;

	while (*at != NULL)
		at++;
	return (const Elf64_auxv_t *)(const void *)(at + 1);
}

/* False if there is no such entry, or it is 0. */
static bool find_auxiliary(const Elf64_auxv_t *vector, uint64_t type, uint64_t *value)
{
	for (const Elf64_auxv_t *entry = vector; entry->a_type != AT_NULL; entry++) {
		if (entry->a_type != type)
			continue;
		*value = entry->a_un.a_val;
		return *value != 0;
	}
	return false;
}

/* The file's header is the first byte of the image in both systems, and the program headers follow it. */
static bool find_image(const Elf64_auxv_t *vector, uint64_t *start)
{
	if (!find_auxiliary(vector, AT_PHDR, start))
		return false;
	*start -= sizeof(Elf64_Ehdr);
	return true;
}

/* From the first segment's page to the last one's end, as the program headers have it. */
static bool print_image(const Elf64_auxv_t *vector)
{
	uint64_t start, count, first = UINT64_MAX, last = 0;
	const Elf64_Phdr *header;

	if (!find_image(vector, &start) || !find_auxiliary(vector, AT_PHNUM, &count))
		return false;
	header = (const Elf64_Phdr *)(start + sizeof(Elf64_Ehdr));
	for (uint64_t i = 0; i < count; i++) {
		if (header[i].p_type != PT_LOAD)
			continue;
		if (header[i].p_vaddr < first)
			first = header[i].p_vaddr;
		if (header[i].p_vaddr + header[i].p_memsz > last)
			last = header[i].p_vaddr + header[i].p_memsz;
	}
	say("image", start);
	say("image_end", start + (last - first / PAGE * PAGE));
	return true;
}

static bool print_heap(void)
{
	uint64_t start, now, later;

	if (!address_system_heap(&start) || !address_system_break(0, &now) || !address_system_break(now + PAGE, &later))
		return false;
	*(volatile uint8_t *)(later - 1) = 1;
	say("heap", start);
	say("break", now);
	say("break_later", later);
	return true;
}

static bool print_mappings(void)
{
	uint64_t first, second;

	if (!address_system_map(&first) || !address_system_map(&second))
		return false;
	*(volatile uint8_t *)first = *(volatile uint8_t *)second = 1;
	say("mmap_1", first);
	say("mmap_2", second);
	return true;
}

__attribute__((noinline)) static void print_deeper(const volatile char *outer)
{
	volatile char inner = *outer;

	say("stack_inner", (uint64_t)&inner);
}

static void print_vector(const Elf64_auxv_t *vector)
{
	const Elf64_auxv_t *entry = vector;

	say("auxv", (uint64_t)vector);
	for (; entry->a_type != AT_NULL; entry++) {
		say_entry("aux", entry->a_type, entry->a_un.a_val);
		if (entry->a_type == AT_EXECFN)
			say_text("execfn_text", (const char *)entry->a_un.a_val);
	}
	say("auxv_end", (uint64_t)(entry + 1));
}

/* The strings are the process's own to write to: each is changed and changed back. */
static void print_strings(const char *name, char **list)
{
	char counter[16];
	uint64_t count = 0;

	for (; list[count] != NULL; count++) {
		volatile char *text = list[count];
		const char first = *text;

		*text = (char)(first + 1);
		*text = first;
		say_entry(name, count, (uint64_t)list[count]);
	}
	say(name, (uint64_t)list);
	(void)format(counter, sizeof(counter), "%s_count", name);
	say(counter, count);
}

static bool print_all(int argc, char **argv, char **envp)
{
	const volatile char local = 0;

	if (!print_mappings()) /* first: whatever is mapped later does not change where these go */
		return false;
	if (!print_image(vector_of(envp)))
		return false;
	say("text", (uint64_t)&print_all);
	say("constants", (uint64_t)&constant_word);
	say("data", (uint64_t)&data_word);
	say("bss", (uint64_t)&bss_word);
	say("thread_local", (uint64_t)&thread_word);
	if (!print_heap())
		return false;
	say("stack", (uint64_t)&local);
	print_deeper(&local);
	say("argc", *(const uint64_t *)(const void *)((const char *)argv - sizeof(uint64_t)));
	say("argc_given", (uint64_t)argc);
	print_strings("argv", argv);
	print_strings("envp", envp);
	print_vector(vector_of(envp));
	return address_system_list();
}

static bool print_bases(char **argv, char **envp)
{
	const Elf64_auxv_t *vector = vector_of(envp);
	uint64_t image, map, heap, at, random[2];
	char line[LINE_BYTES];

	if (!address_system_map(&map) || !address_system_heap(&heap) || !find_image(vector, &image) ||
	    !find_auxiliary(vector, AT_RANDOM, &at))
		return false;
	memcpy(random, (const void *)at, sizeof(random));
	(void)format(line, sizeof(line), "bases 0x%lx 0x%lx 0x%lx 0x%lx %016lx%016lx", image, heap, map, (uint64_t)argv,
		     random[0], random[1]);
	address_system_say(line);
	return true;
}

int main(int argc, char **argv, char **envp)
{
	bool is_well = address_system_begin();

	if (argc > 1 && string_equal(argv[1], "bases"))
		is_well = is_well && print_bases(argv, envp);
	else if (argc > 1 && string_equal(argv[1], "edges"))
		is_well = is_well && address_system_edges();
	else
		is_well = is_well && print_all(argc, argv, envp);
	address_system_say(is_well ? "end" : "FAILED: the system refused what it must give");
	return is_well ? 0 : 1;
}
