#include "kernel/mem/paging.h"

#include <stddef.h>

#include "kernel/arch/x86_64/boot_layout.h"
#include "kernel/arch/x86_64/cpu_local.h"
#include "kernel/arch/x86_64/features.h"
#include "kernel/arch/x86_64/instructions.h"
#include "kernel/arch/x86_64/image_bounds.h"
#include "kernel/arch/x86_64/page_zero.h"
#include "kernel/arch/x86_64/spinlock.h"
#include "kernel/mem/boot_memory.h"
#include "kernel/mem/frame.h"
#include "lib/check.h"

#define TEMPORARY_PAGES 257u /* 1 MiB at any alignment */

#define READ_ONLY (PTE_GLOBAL | PTE_NO_EXECUTE)
#define READ_WRITE (PTE_GLOBAL | PTE_NO_EXECUTE | PTE_WRITE)
#define DEVICE (READ_WRITE | PTE_CACHE_DISABLE | PTE_WRITE_THROUGH)

static pte_t *root_table; /* direct map pointer; fixed after paging_init */
static paddr_t root_address;
static paddr_t image_physical;
static bool frames_are_ready;
static uint64_t tables_from_frames; /* taken since then; atomic */

static struct spinlock window_lock = SPINLOCK_INIT(LOCK_WINDOW);
static uint64_t next_device = DEVICE_WINDOW_START; /* window_lock */

static enum status take_table(paddr_t *table)
{
	if (frames_are_ready) {
		frame_t frame;

		TRY(frame_allocate(FRAME_KERNEL, NULL, &frame));
		__atomic_add_fetch(&tables_from_frames, 1, __ATOMIC_RELAXED);
		*table = paddr_from_frame(frame);
		return STATUS_OK;
	}
	TRY(boot_memory_take(1, table));
	page_zero(direct_map_of_paddr(*table));
	return STATUS_OK;
}

/* The entry for `address` at `level`, with the tables above it made as needed. */
static enum status find_entry(pte_t *root, uint64_t address, unsigned level, pte_t **entry)
{
	pte_t *table = root;

	for (unsigned at = PTE_LEVELS; at > level; at--) {
		pte_t *parent = &table[pte_index(address, at)];

		if (!pte_is_present(*parent)) {
			paddr_t made;

			TRY(take_table(&made));
			*parent = pte_kernel_table(made);
		}
		table = direct_map_of_frame(pte_frame(*parent));
	}
	*entry = &table[pte_index(address, level)];
	return STATUS_OK;
}

/* The largest page size for both addresses and what is left. */
static unsigned best_level(uint64_t address, uint64_t physical, uint64_t bytes)
{
	unsigned level = features_get()->page_1gib ? 3 : 2;

	while (level > 1 && (((address | physical) & (pte_span(level) - 1)) != 0 || bytes < pte_span(level)))
		level--;
	return level;
}

/* Map [address, address + bytes), all whole pages, with the largest pages that fit. */
static enum status map_range(pte_t *root, uint64_t address, paddr_t physical, uint64_t bytes, uint64_t flags)
{
	uint64_t at = paddr_to_u64(physical);

	while (bytes > 0) {
		unsigned level = best_level(address, at, bytes);
		pte_t *entry;

		TRY(find_entry(root, address, level, &entry));
		*entry = pte_kernel_page(paddr_from_u64(at), flags | (level > 1 ? PTE_LARGE : 0));
		address += pte_span(level);
		at += pte_span(level);
		bytes -= pte_span(level);
	}
	return STATUS_OK;
}

static uint64_t image_address(const char *symbol)
{
	return (uint64_t)(uintptr_t)symbol;
}

static paddr_t image_paddr(const char *symbol)
{
	return paddr_from_u64(paddr_to_u64(image_physical) +
			      (image_address(symbol) - image_address(kernel_image_start)));
}

static enum status map_image_part(const char *start, const char *end, uint64_t flags)
{
	uint64_t address = image_address(start);

	for (; address < image_address(end); address += PAGE_SIZE) {
		pte_t *entry;

		TRY(find_entry(root_table, address, 1, &entry));
		*entry = pte_kernel_page(image_paddr((const char *)(uintptr_t)address), flags);
	}
	return STATUS_OK;
}

static enum status map_image(void)
{
	TRY(map_image_part(kernel_text_start, kernel_text_end, PTE_GLOBAL));
	TRY(map_image_part(kernel_rodata_start, kernel_rodata_end, READ_ONLY));
	return map_image_part(kernel_data_start, kernel_data_end, READ_WRITE);
}

static uint64_t larger(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

static uint64_t smaller(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static enum status map_direct_piece(uint64_t start, uint64_t end, uint64_t flags)
{
	if (start >= end)
		return STATUS_OK;
	return map_range(root_table, DIRECT_MAP_START + start, paddr_from_u64(start), end - start, flags);
}

/* One range of RAM: writable, but for the part where text and rodata lie. */
static enum status map_direct_range(struct frame_range range)
{
	uint64_t start = paddr_to_u64(paddr_from_frame(range.start));
	uint64_t end = paddr_to_u64(paddr_from_frame(range.end));
	uint64_t fixed_start = paddr_to_u64(image_paddr(kernel_text_start));
	uint64_t fixed_end = paddr_to_u64(image_paddr(kernel_rodata_end));

	TRY(map_direct_piece(start, smaller(end, fixed_start), READ_WRITE));
	TRY(map_direct_piece(larger(start, fixed_start), smaller(end, fixed_end), READ_ONLY));
	return map_direct_piece(larger(start, fixed_end), end, READ_WRITE);
}

static enum status map_all_ram(const struct memory_map *map)
{
	for (uint32_t i = 0; i < map->count; i++) {
		enum memory_kind kind = map->entry[i].kind;

		if (kind != MEMORY_RESERVED && kind != MEMORY_BAD && kind != MEMORY_FRAMEBUFFER)
			TRY(map_direct_range(map->entry[i].frames));
	}
	/* the start page of other CPUs is kept out of the map's RAM, but must be written */
	return map_direct_piece(AP_TRAMPOLINE_PHYSICAL, AP_TRAMPOLINE_PHYSICAL + PAGE_SIZE, READ_WRITE);
}

/* Every window gets its level-3 table now, so that the root never changes again. */
static enum status make_windows(void)
{
	static const uint64_t window[] = { DEVICE_WINDOW_START, TEMPORARY_WINDOW_START, STACK_WINDOW_START };
	pte_t *entry;

	for (uint32_t i = 0; i < COUNT_OF(window); i++)
		TRY(find_entry(root_table, window[i], 3, &entry));
	for (uint32_t page = 0; page < TEMPORARY_PAGES; page++)
		TRY(find_entry(root_table, TEMPORARY_WINDOW_START + page * PAGE_SIZE, 1, &entry));
	/* the first hundred kernel stacks need no further table, so that making one and giving it back is even */
	return find_entry(root_table, STACK_WINDOW_START, 1, &entry);
}

enum status paging_init(const struct boot_info *info)
{
	image_physical = info->kernel_physical;
	TRY(take_table(&root_address));
	root_table = direct_map_of_paddr(root_address);
	TRY(map_image());
	TRY(map_all_ram(&info->map));
	TRY(make_windows());
	paging_load_kernel_root();
	direct_map_base = DIRECT_MAP_START;
	root_table = direct_map_of_paddr(root_address);
	return STATUS_OK;
}

const pte_t *paging_root_table(void)
{
	return root_table;
}

void paging_load_kernel_root(void)
{
	cr3_write(paddr_to_u64(root_address));
	cpu_current()->active_root = paddr_to_u64(root_address);
}

uint64_t paging_table_frames(void)
{
	return __atomic_load_n(&tables_from_frames, __ATOMIC_RELAXED);
}

void paging_use_frames(void)
{
	frames_are_ready = true;
}

enum status paging_make_start_root(paddr_t page, paddr_t *root)
{
	paddr_t at;
	pte_t *table;

	/* one table of each level, the root first */
	TRY(boot_memory_borrow(PTE_LEVELS, root));
	at = *root;
	table = direct_map_of_paddr(at);
	page_zero(table);
	for (unsigned i = PTE_ENTRIES / 2; i < PTE_ENTRIES; i++)
		table[i] = root_table[i];
	for (unsigned level = PTE_LEVELS; level > 1; level--) {
		at = paddr_from_u64(paddr_to_u64(at) + PAGE_SIZE);
		table[pte_index(paddr_to_u64(page), level)] = pte_kernel_table(at);
		table = direct_map_of_paddr(at);
		page_zero(table);
	}
	table[pte_index(paddr_to_u64(page), 1)] = pte_kernel_page(page, 0);
	return STATUS_OK;
}

void paging_keep_start_root(paddr_t root)
{
	boot_memory_keep(root, PTE_LEVELS);
}

enum status paging_map_device(paddr_t address, uint64_t bytes, volatile void **pointer)
{
	uint64_t first = paddr_to_u64(address) & ~(uint64_t)(PAGE_SIZE - 1);
	uint64_t end = (paddr_to_u64(address) + bytes + PAGE_SIZE - 1) & ~(uint64_t)(PAGE_SIZE - 1);
	enum status status;
	uint64_t at;

	spinlock_acquire(&window_lock);
	at = next_device;
	next_device += end - first;
	status = map_range(root_table, at, paddr_from_u64(first), end - first, DEVICE);
	spinlock_release(&window_lock);
	*pointer = (volatile void *)(uintptr_t)(at + (paddr_to_u64(address) - first));
	return status;
}

const void *paging_map_temporary(paddr_t address, uint64_t bytes)
{
	uint64_t first = paddr_to_u64(address) & ~(uint64_t)(PAGE_SIZE - 1);
	uint64_t in_page = paddr_to_u64(address) - first;

	if (bytes > (TEMPORARY_PAGES - 1) * PAGE_SIZE || bytes > UINT64_MAX - PAGE_SIZE - paddr_to_u64(address))
		return NULL;
	for (uint32_t page = 0; page < TEMPORARY_PAGES; page++) {
		uint64_t at = TEMPORARY_WINDOW_START + page * PAGE_SIZE;
		pte_t *entry;

		if (find_entry(root_table, at, 1, &entry) != STATUS_OK)
			return NULL;
		*entry = pte_uniform(PAGE_EMPTY);
		if (page * PAGE_SIZE < in_page + bytes)
			*entry = pte_kernel_page(paddr_from_u64(first + page * PAGE_SIZE), READ_ONLY);
		invlpg(at);
	}
	return (const void *)(uintptr_t)(TEMPORARY_WINDOW_START + in_page);
}

enum status paging_map_page(uint64_t address, frame_t frame)
{
	enum status status;
	pte_t *entry;

	spinlock_acquire(&window_lock);
	status = find_entry(root_table, address, 1, &entry);
	if (status == STATUS_OK)
		*entry = pte_kernel_page(paddr_from_frame(frame), READ_WRITE);
	spinlock_release(&window_lock);
	return status;
}

frame_t paging_unmap_page(uint64_t address)
{
	frame_t frame;
	pte_t *entry;

	spinlock_acquire(&window_lock);
	CHECK(find_entry(root_table, address, 1, &entry) == STATUS_OK && pte_is_present(*entry));
	frame = pte_frame(*entry);
	*entry = pte_uniform(PAGE_EMPTY);
	spinlock_release(&window_lock);
	return frame;
}
