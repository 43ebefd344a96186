/*
 * A loader that speaks the Limine boot protocol, strictly: what the protocol leaves open is chosen to be unlike what a
 * kernel might expect, and what it does not promise is not there. README.md has the list.
 */
#include <stddef.h>

#include "boot/shim/answers.h"
#include "boot/shim/boot_source.h"
#include "boot/shim/handover.h"
#include "boot/shim/kernel_image.h"
#include "boot/shim/loader_paging.h"
#include "boot/shim/placement.h"
#include "boot/shim/io_port.h"
#include "boot/shim/report.h"
#include "boot/shim/requests.h"
#include "lib/check.h"
#include "lib/string.h"

/* As in shim_entry.S. */
enum shim_door {
	SHIM_DOOR_MULTIBOOT2 = 0,
	SHIM_DOOR_PVH = 1,
};

/* On a 1 GiB boundary, as loaders have it, but not on one of 512 GiB. */
#define DIRECT_MAP UINT64_C(0xffff923440000000)
#define DIRECT_MAP_LIMIT (UINT64_C(1) << 46)
#define BELOW_4_GIB (UINT64_C(1) << 32)
#define ARENA_FRAMES 32u
#define EXCEPTION_VECTORS 32u
#define GATE_INTERRUPT_64 UINT64_C(0x8e00)
#define SHIM_CODE_SELECTOR UINT64_C(0x08)

#define MSR_PAT 0x277u
/* PAT0-5: write-back, write-through, UC-, UC, write-protect, write-combining (SDM vol. 3, 12.12). */
#define PAT_VALUE UINT64_C(0x0000010500070406)

#define PIC1_DATA 0x21u
#define PIC2_DATA 0xa1u

/* In shim.ld and shim_entry.S. */
extern const uint8_t shim_image_start[], shim_image_end[];
extern const uint8_t shim_exception[];

_Noreturn void shim_main(uint32_t door, uint32_t magic, uint32_t information);

struct shim {
	struct boot_source source;
	struct placement placement;
	struct kernel_image image;
	struct loader_paging paging;
	struct requests requests;
	struct boot_facts facts;
};

static struct shim shim;
static uint64_t exception_gates[EXCEPTION_VECTORS][2];

static void load_exception_gates(void)
{
	uint64_t target = (uintptr_t)shim_exception;
	for (uint32_t i = 0; i < EXCEPTION_VECTORS; i++) {
		exception_gates[i][0] = (target & 0xffff) | SHIM_CODE_SELECTOR << 16 | GATE_INTERRUPT_64 << 32 |
					(target & 0xffff0000) << 32;
		exception_gates[i][1] = target >> 32;
	}
	struct {
		uint16_t limit;
		uint64_t base;
	} __attribute__((packed)) pointer = { sizeof(exception_gates) - 1, (uintptr_t)exception_gates };
	__asm__ volatile("lidt %0" : : "m"(pointer));
}

static void set_memory_types(void)
{
	__asm__ volatile("wrmsr" : : "c"(MSR_PAT), "a"((uint32_t)PAT_VALUE), "d"((uint32_t)(PAT_VALUE >> 32)));
}

static void mask_interrupt_controllers(void)
{
	io_port_write(PIC1_DATA, 0xff);
	io_port_write(PIC2_DATA, 0xff);
}

static uint8_t *direct(uint64_t physical)
{
	return (uint8_t *)(uintptr_t)(DIRECT_MAP + physical);
}

static uint64_t frames_of(uint64_t bytes)
{
	return (bytes + PAGE_SIZE - 1) >> PAGE_SHIFT;
}

/* Loader-reclaimable memory anywhere, filled with the pattern. Gives its physical address. */
static uint64_t take_reclaimable(uint64_t frames)
{
	uint64_t physical = placement_take(&shim.placement, (struct placement_wish){
								    .frames = frames,
								    .alignment = 1,
								    .below = PLACEMENT_ANYWHERE,
								    .kind = MEMORY_LOADER_RECLAIMABLE,
							    });
	placement_fill(direct(physical), frames << PAGE_SHIFT);
	return physical;
}

static void read_source(enum shim_door door, uint32_t magic, uint32_t information)
{
	memory_map_init(&shim.source.map);
	if (door == SHIM_DOOR_PVH)
		pvh_source_read(information, &shim.source);
	else
		multiboot2_read(magic, information, &shim.source);
	if (shim.source.kernel.size == 0)
		report_refuse("no kernel");
	if (shim.source.package.size == 0)
		report_refuse("no package");
}

/* Frame 0 is never usable at base revision 2; the loader's own image becomes the kernel's once it has moved off it. */
static void prepare_memory_map(void)
{
	struct memory_map *map = &shim.source.map;
	uint64_t start = (uintptr_t)shim_image_start;
	uint64_t bytes = (uintptr_t)shim_image_end - start;
	if (memory_map_add(map, 0, PAGE_SIZE, MEMORY_RESERVED) != STATUS_OK ||
	    memory_map_add(map, start, bytes, MEMORY_LOADER_RECLAIMABLE) != STATUS_OK)
		report_refuse("the memory map has too many entries");
	if (memory_map_check_usable(map) != STATUS_OK)
		report_refuse("the memory map has no usable memory");
	if (paddr_to_u64(paddr_from_frame(frame_from_u64(memory_map_end_of_ram(map)))) > DIRECT_MAP_LIMIT)
		report_refuse("more memory than the direct map holds");
	placement_init(&shim.placement, map);
	placement_avoid(&shim.placement, shim.source.kernel);
	placement_avoid(&shim.placement, shim.source.package);
}

static void make_direct_map(void)
{
	const struct memory_map *map = &shim.source.map;
	uint64_t frames = loader_paging_frames(map, shim.image.bytes);
	uint64_t pool = placement_take(&shim.placement, (struct placement_wish){
								.frames = frames,
								.alignment = 1,
								.below = BELOW_4_GIB,
								.kind = MEMORY_LOADER_RECLAIMABLE,
							});
	placement_fill((void *)(uintptr_t)pool, frames << PAGE_SHIFT);
	loader_paging_init(&shim.paging, pool, frames);
	loader_paging_map_memory(&shim.paging, map, DIRECT_MAP);
	loader_paging_share(&shim.paging);
}

static void place_kernel(void)
{
	uint64_t physical = placement_take(&shim.placement, (struct placement_wish){
								    .frames = shim.image.bytes >> PAGE_SHIFT,
								    .alignment = shim.image.alignment >> PAGE_SHIFT,
								    .below = PLACEMENT_ANYWHERE,
								    .kind = MEMORY_KERNEL_IMAGE,
							    });
	kernel_image_load(&shim.image, shim.source.kernel, direct(physical));
	kernel_image_map(&shim.image, physical, &shim.paging);
	shim.facts.image_physical = physical;
	shim.facts.image_virtual = shim.image.base;
	requests_scan((uint64_t *)(void *)direct(physical), shim.image.bytes / sizeof(uint64_t), &shim.requests);
}

/* A copy on pages of its own, at its direct-map address. */
static struct byte_span move_file(struct byte_span file, enum memory_kind kind)
{
	uint64_t frames = frames_of(file.size);
	uint64_t physical = placement_take(&shim.placement, (struct placement_wish){
								    .frames = frames,
								    .alignment = 1,
								    .below = PLACEMENT_ANYWHERE,
								    .kind = kind,
							    });
	uint8_t *copy = direct(physical);
	placement_fill(copy, frames << PAGE_SHIFT);
	memcpy(copy, file.bytes, file.size);
	return (struct byte_span){ copy, file.size };
}

/* The places the files came from are usable memory now: whoever still reads them there reads nonsense. */
static void spoil(struct byte_span file)
{
	memset((void *)(uintptr_t)file.bytes, (uint8_t)PLACEMENT_PATTERN, file.size);
}

static void fill_gdt(struct handover *handover)
{
	static const uint64_t descriptors[HANDOVER_GDT_ENTRIES] = {
		0,
		UINT64_C(0x00009a000000ffff), /* 08h: code, 16 bit */
		UINT64_C(0x000092000000ffff), /* 10h: data, 16 bit */
		UINT64_C(0x00cf9a000000ffff), /* 18h: code, 32 bit */
		UINT64_C(0x00cf92000000ffff), /* 20h: data, 32 bit */
		UINT64_C(0x00209a0000000000), /* 28h: code, 64 bit */
		UINT64_C(0x0000920000000000), /* 30h: data, 64 bit */
	};
	memcpy(handover->gdt, descriptors, sizeof(descriptors));
	uint16_t limit = sizeof(descriptors) - 1;
	uint64_t base = (uintptr_t)handover->gdt;
	memcpy(handover->gdt_pointer, &limit, sizeof(limit));
	memcpy(handover->gdt_pointer + sizeof(limit), &base, sizeof(base));
}

static _Noreturn void hand_over(struct answers *answers, uint64_t stack_top)
{
	struct handover *handover = answers_allocate(answers, sizeof(*handover));
	*handover = (struct handover){
		.root = shim.paging.root,
		.stack = stack_top,
		.entry = answers->entry,
		.wipe_start = (uintptr_t)direct((uintptr_t)shim_image_start),
		.wipe_words = (uint64_t)(shim_image_end - shim_image_start) / sizeof(uint64_t),
		.wipe_pattern = PLACEMENT_PATTERN,
	};
	fill_gdt(handover);
	uint64_t bytes = (uint64_t)(handover_code_end - handover_code);
	void *code = answers_allocate(answers, bytes);
	memcpy(code, handover_code, bytes);
	void (*jump)(const struct handover *) = (void (*)(const struct handover *))(uintptr_t)code;
	jump(handover);
	__builtin_unreachable();
}

static void announce(uint64_t entry)
{
	report_text("shim: kernel at ");
	report_number(shim.facts.image_physical);
	report_text(", direct map at ");
	report_number(shim.facts.direct_map);
	report_text(", entry ");
	report_number(entry);
	report_text("\n");
}

_Noreturn void shim_main(uint32_t door, uint32_t magic, uint32_t information)
{
	report_init();
	load_exception_gates();
	set_memory_types();
	mask_interrupt_controllers();

	read_source((enum shim_door)door, magic, information);
	prepare_memory_map();
	kernel_image_plan(shim.source.kernel, &shim.image);
	make_direct_map();
	place_kernel();
	loader_paging_share(&shim.paging);

	/* Every taking comes before the first answer: the memory map is one of the answers. */
	shim.facts.kernel_file = move_file(shim.source.kernel, MEMORY_LOADER_RECLAIMABLE);
	shim.facts.package = move_file(shim.source.package, MEMORY_KERNEL_IMAGE);
	uint64_t stack_bytes = answers_stack_bytes(&shim.requests);
	uint64_t stack_top = (uintptr_t)direct(take_reclaimable(frames_of(stack_bytes))) + stack_bytes;
	uint8_t *arena = direct(take_reclaimable(ARENA_FRAMES));
	spoil(shim.source.kernel);
	spoil(shim.source.package);

	shim.facts.direct_map = DIRECT_MAP;
	shim.facts.map = &shim.source.map;
	shim.facts.source = &shim.source;
	struct answers answers = {
		.facts = &shim.facts,
		.requests = &shim.requests,
		.arena = arena,
		.arena_end = arena + ((uint64_t)ARENA_FRAMES << PAGE_SHIFT),
		.entry = shim.image.entry,
	};
	answers_write(&answers);
	announce(answers.entry);
	hand_over(&answers, stack_top);
}
