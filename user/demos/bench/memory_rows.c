#include <stddef.h>

#include "abi/memory_layout.h"
#include "lib/format.h"
#include "user/demos/bench/bench.h"
#include "user/runtime/frame_allocator_client.h"
#include "user/runtime/ring_client.h"

#define ROUNDS 64u
#define READ_WRITE (PROTECTION_READ | PROTECTION_WRITE)
#define MIB UINT64_C(0x100000)

static const uint64_t sizes[] = { 1, 16, 512 };
#define SIZES (sizeof(sizes) / sizeof(sizes[0]))

static void report_size(const char *row, uint64_t pages, const struct stopwatch *watch, uint64_t units)
{
	char name[64];

	if (pages == 262144)
		(void)format(name, sizeof(name), "%s-256k", row);
	else
		(void)format(name, sizeof(name), "%s-%llu", row, (unsigned long long)pages);
	bench_report(name, watch, units);
}

/* The kind of the page at an address, as the kernel says. */
static enum page_kind kind_at(struct virtual_memory_client memory, const void *address)
{
	struct virtual_memory_region region;

	bench_require_ok(virtual_memory_client_query(memory, address, &region), "query");
	return (enum page_kind)region.kind;
}

void bench_reserve(struct virtual_memory_client memory, const char *suffix)
{
	static const uint64_t reservations[] = { 1, 512, 262144 };
	struct stopwatch watch;
	char row[64];

	for (uint32_t s = 0; s < sizeof(reservations) / sizeof(reservations[0]); s++) {
		uint64_t bytes = reservations[s] * PAGE_SIZE;
		void *address;

		stopwatch_init(&watch);
		for (uint32_t i = 0; i < ROUNDS; i++) {
			stopwatch_start(&watch);
			bench_require_ok(virtual_memory_client_reserve(memory, 0, bytes, 0, &address), "reserve");
			stopwatch_stop(&watch);
			bench_require(kind_at(memory, address) == PAGE_RESERVED, "reserved");
			stopwatch_start(&watch);
			bench_require_ok(virtual_memory_client_unmap(memory, address, bytes), "release");
			stopwatch_stop(&watch);
			bench_require(kind_at(memory, address) == PAGE_EMPTY, "released");
		}
		(void)format(row, sizeof(row), "reserve-release%s", suffix);
		report_size(row, reservations[s], &watch, ROUNDS);
	}
}

/* Every page is there, zero, and its own. */
static void check_fresh(uint64_t *memory, uint64_t pages)
{
	for (uint64_t page = 0; page < pages; page++) {
		uint64_t *word = memory + page * (PAGE_SIZE / 8);

		bench_require(word[0] == 0 && word[511] == 0, "a committed page reads zero");
		word[0] = word[511] = page + 1;
	}
	for (uint64_t page = 0; page < pages; page++)
		bench_require(memory[page * (PAGE_SIZE / 8)] == page + 1, "each page is its own");
}

void bench_commit(struct virtual_memory_client memory)
{
	for (uint32_t s = 0; s < SIZES; s++) {
		uint64_t bytes = sizes[s] * PAGE_SIZE;
		struct stopwatch commit;
		struct stopwatch decommit;
		void *address;

		stopwatch_init(&commit);
		stopwatch_init(&decommit);
		bench_require_ok(virtual_memory_client_reserve(memory, 0, bytes, 0, &address), "reserve");
		for (uint32_t i = 0; i < ROUNDS; i++) {
			stopwatch_start(&commit);
			bench_require_ok(virtual_memory_client_commit(memory, address, bytes, READ_WRITE), "commit");
			stopwatch_stop(&commit);
			check_fresh(address, sizes[s]);
			stopwatch_start(&decommit);
			bench_require_ok(virtual_memory_client_decommit(memory, address, bytes), "decommit");
			stopwatch_stop(&decommit);
			bench_require(kind_at(memory, address) == PAGE_RESERVED, "decommitted");
		}
		bench_require_ok(virtual_memory_client_unmap(memory, address, bytes), "release");
		report_size("commit", sizes[s], &commit, ROUNDS * sizes[s]);
		report_size("decommit", sizes[s], &decommit, ROUNDS * sizes[s]);
	}
}

void bench_protect(struct virtual_memory_client memory)
{
	static const uint64_t counts[] = { 1, 512 };

	for (uint32_t s = 0; s < sizeof(counts) / sizeof(counts[0]); s++) {
		uint64_t bytes = counts[s] * PAGE_SIZE;
		struct virtual_memory_region region;
		struct stopwatch watch;
		void *address;

		stopwatch_init(&watch);
		bench_require_ok(virtual_memory_client_map(memory, 0, bytes, READ_WRITE, 0, &address), "map");
		check_fresh(address, counts[s]);
		for (uint32_t i = 0; i < ROUNDS; i++) {
			uint32_t protection = i % 2 == 0 ? PROTECTION_READ : READ_WRITE;

			stopwatch_start(&watch);
			bench_require_ok(virtual_memory_client_protect(memory, address, bytes, protection), "protect");
			stopwatch_stop(&watch);
			bench_require_ok(virtual_memory_client_query(memory, address, &region), "query");
			bench_require(region.protection == protection && region.end >= (uint64_t)address + bytes,
				      "all pages have the new protection");
		}
		bench_require(((uint64_t *)address)[0] == 1, "data stays");
		bench_require_ok(virtual_memory_client_unmap(memory, address, bytes), "release");
		report_size("protect", counts[s], &watch, ROUNDS * counts[s]);
	}
}

void bench_unmap(struct virtual_memory_client memory)
{
	for (uint32_t s = 0; s < SIZES; s++) {
		uint64_t bytes = sizes[s] * PAGE_SIZE;
		struct stopwatch watch;
		void *address;

		stopwatch_init(&watch);
		for (uint32_t i = 0; i < ROUNDS; i++) {
			bench_require_ok(virtual_memory_client_map(memory, 0, bytes, READ_WRITE, 0, &address), "map");
			check_fresh(address, sizes[s]);
			stopwatch_start(&watch);
			bench_require_ok(virtual_memory_client_unmap(memory, address, bytes), "unmap");
			stopwatch_stop(&watch);
			bench_require(kind_at(memory, address) == PAGE_EMPTY, "unmapped");
		}
		report_size("unmap", sizes[s], &watch, ROUNDS * sizes[s]);
	}
}

void bench_map_object(struct virtual_memory_client memory, handle_t frames)
{
	static const uint64_t counts[] = { 16, 512 };

	for (uint32_t s = 0; s < sizeof(counts) / sizeof(counts[0]); s++) {
		uint64_t bytes = counts[s] * PAGE_SIZE;
		struct frame_allocator_client allocator = { frames };
		struct memory_object_window window = { .length = bytes, .protection = READ_WRITE };
		struct memory_object_client object;
		struct stopwatch watch;
		void *address;

		stopwatch_init(&watch);
		bench_require_ok(frame_allocator_client_allocate(allocator, counts[s], 0, &object), "allocate");
		for (uint32_t i = 0; i < ROUNDS; i++) {
			stopwatch_start(&watch);
			bench_require_ok(memory_object_client_map(object, &window, &address), "map object");
			stopwatch_stop(&watch);
			if (i == 0)
				check_fresh(address, counts[s]);
			bench_require(((uint64_t *)address)[(counts[s] - 1) * 512] == counts[s], "the same pages");
			bench_require(kind_at(memory, address) == PAGE_BORROWED, "borrowed");
			bench_require_ok(memory_object_client_unmap(object, address, bytes), "unmap object");
		}
		bench_require_ok(ring_client_release(object.handle), "release object");
		report_size("map-object", counts[s], &watch, ROUNDS * counts[s]);
	}
}

void bench_cycle(struct virtual_memory_client memory, const char *suffix)
{
	struct stopwatch watch;
	void *address;
	char row[64];

	stopwatch_init(&watch);
	for (uint32_t i = 0; i < ROUNDS; i++) {
		stopwatch_start(&watch);
		bench_require_ok(virtual_memory_client_reserve(memory, 0, MIB, 0, &address), "reserve");
		bench_require_ok(virtual_memory_client_commit(memory, address, 16 * PAGE_SIZE, READ_WRITE), "commit");
		stopwatch_stop(&watch);
		check_fresh(address, 16);
		stopwatch_start(&watch);
		bench_require_ok(virtual_memory_client_decommit(memory, address, 16 * PAGE_SIZE), "decommit");
		bench_require_ok(virtual_memory_client_unmap(memory, address, MIB), "release");
		stopwatch_stop(&watch);
		bench_require(kind_at(memory, address) == PAGE_EMPTY, "released");
	}
	(void)format(row, sizeof(row), "cycle-16%s", suffix);
	bench_report(row, &watch, ROUNDS);
}
