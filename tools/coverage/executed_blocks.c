/*
 * A QEMU plugin (API version 1, as in QEMU 7.2) that writes which guest code ran: one line "ADDRESS BYTES" in hex and
 * decimal for each translation block that was executed at least once, to the file of its argument out=FILE.
 *
 * Declarations are ours: Debian ships no header for plugins. Source: QEMU's documentation of TCG plugins.
 */
#include <pthread.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXPORTED __attribute__((visibility("default")))

typedef uint64_t plugin_id_t;
struct qemu_plugin_tb;
struct qemu_plugin_insn;

enum plugin_operation {
	PLUGIN_INLINE_ADD_U64 = 0
};

void qemu_plugin_register_vcpu_tb_trans_cb(plugin_id_t id, void (*call)(plugin_id_t, struct qemu_plugin_tb *));
void qemu_plugin_register_vcpu_tb_exec_inline(struct qemu_plugin_tb *block, int operation, void *counter, uint64_t add);
void qemu_plugin_register_atexit_cb(plugin_id_t id, void (*call)(plugin_id_t, void *), void *context);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *block);
uint64_t qemu_plugin_tb_vaddr(const struct qemu_plugin_tb *block);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *block, size_t index);
uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn *instruction);
size_t qemu_plugin_insn_size(const struct qemu_plugin_insn *instruction);

struct block {
	uint64_t address, bytes;
	uint64_t executed;
	struct block *next;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct block *blocks; /* lock */
static const char *path;

static void translated(plugin_id_t id, struct qemu_plugin_tb *tb)
{
	size_t count = qemu_plugin_tb_n_insns(tb);
	struct qemu_plugin_insn *last = qemu_plugin_tb_get_insn(tb, count - 1);
	struct block *block = calloc(1, sizeof(*block));

	(void)id;
	if (block == NULL)
		abort();
	block->address = qemu_plugin_tb_vaddr(tb);
	block->bytes = qemu_plugin_insn_vaddr(last) + qemu_plugin_insn_size(last) - block->address;
	pthread_mutex_lock(&lock);
	block->next = blocks;
	blocks = block;
	pthread_mutex_unlock(&lock);
	qemu_plugin_register_vcpu_tb_exec_inline(tb, PLUGIN_INLINE_ADD_U64, &block->executed, 1);
}

static void ended(plugin_id_t id, void *context)
{
	FILE *file = fopen(path, "w");

	(void)id;
	(void)context;
	if (file == NULL)
		abort();
	for (const struct block *block = blocks; block != NULL; block = block->next)
		if (block->executed != 0)
			(void)fprintf(file, "%llx %llu\n", (unsigned long long)block->address,
				      (unsigned long long)block->bytes);
	if (fclose(file) != 0)
		abort();
}

extern EXPORTED int qemu_plugin_version;
EXPORTED int qemu_plugin_install(plugin_id_t id, const void *info, int argc, char **argv);

int qemu_plugin_version = 1;

int qemu_plugin_install(plugin_id_t id, const void *info, int argc, char **argv)
{
	(void)info;
	for (int i = 0; i < argc; i++)
		if (strncmp(argv[i], "out=", 4) == 0)
			path = strdup(argv[i] + 4);
	if (path == NULL)
		return 1;
	qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
	qemu_plugin_register_atexit_cb(id, ended, NULL);
	return 0;
}
