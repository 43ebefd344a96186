#include "kernel/mem/frame.h"

#include "kernel/arch/x86_64/cpu_local.h"
#include "kernel/arch/x86_64/interrupt_window.h"
#include "kernel/arch/x86_64/page_zero.h"
#include "kernel/arch/x86_64/spinlock.h"
#include "kernel/arch/x86_64/tlb.h"
#include "kernel/mem/shortage.h"
#include "lib/check.h"
#include "lib/frame_bitmap.h"

#define STACK_FRAMES 748u /* with what else a stack has: 3 KiB and a little per CPU */
#define STACK_REFILL 64u
#define FREE_STEP 1024u /* frames between two interrupt windows */
#define STACK_ZEROED 16u

struct frame_stack {
	struct spinlock lock;
	uint32_t depth;
	uint32_t zeroed_depth;
	uint32_t frame[STACK_FRAMES];
	uint32_t zeroed[STACK_ZEROED]; /* free frames that are known to be zero: page tables without entries */
};

uint64_t direct_map_base;
struct frame_info *frame_table;
uint64_t frame_table_count;

static struct frame_stack stack_of_cpu[CPU_MAX];
static struct spinlock bitmap_lock = SPINLOCK_INIT(LOCK_BITMAP);
static struct frame_bitmap bitmap; /* bitmap_lock */
static uint64_t kernel_at_boot;    /* fixed after frame_init */
static uint64_t total_frames;      /* of RAM: all with a use; fixed after frame_init */

/*
 * Free frames minus promised ones. Changed only by atomic steps; a promise takes its number here first, so that a later
 * take finds a frame for sure.
 */
static uint64_t available;

/* In a loop over many frames: an interrupt window now and then. */
static inline void step(uint64_t done)
{
	if (done % FREE_STEP == FREE_STEP - 1)
		interrupt_window_open();
}

uint64_t frame_storage_bytes(uint64_t frames)
{
	return frames * sizeof(struct frame_info) + frame_bitmap_storage_bytes(frames);
}

static enum frame_use use_of_kind(enum memory_kind kind)
{
	switch (kind) {
	case MEMORY_USABLE:
		return FRAME_FREE;
	case MEMORY_LOADER_RECLAIMABLE:
	case MEMORY_KERNEL_IMAGE:
		return FRAME_KERNEL;
	case MEMORY_BOOT_PACKAGE:
		return FRAME_PACKAGE;
	case MEMORY_ACPI_RECLAIMABLE:
	case MEMORY_FRAMEBUFFER:
	case MEMORY_ACPI_NVS:
	case MEMORY_RESERVED:
	case MEMORY_BAD:
	case MEMORY_KIND_COUNT:
		return FRAME_UNUSABLE;
	}
	return FRAME_UNUSABLE;
}

static void mark_range(struct frame_range range, enum frame_use use)
{
	for (uint64_t n = frame_to_u64(range.start); n < frame_to_u64(range.end) && n < frame_table_count; n++)
		frame_table[n] = (struct frame_info){ .owner = (uint64_t)use };
}

static void add_free(struct frame_range range)
{
	mark_range(range, FRAME_FREE);
	spinlock_acquire(&bitmap_lock);
	CHECK(frame_bitmap_free(&bitmap, range) == STATUS_OK);
	spinlock_release(&bitmap_lock);
	__atomic_add_fetch(&available, frame_range_count(range), __ATOMIC_RELAXED);
}

/* One range of the map: marked, counted, and free if it is usable. Frame 0 is never handed out. */
static void take_over(struct frame_range range, enum memory_kind kind)
{
	enum frame_use use = use_of_kind(kind);

	if (frame_to_u64(range.start) == 0) {
		mark_range(frame_range_make(0, 1), FRAME_UNUSABLE);
		range.start = frame_from_u64(1);
	}
	if (frame_range_count(range) == 0)
		return;
	if (use == FRAME_FREE)
		add_free(range);
	else
		mark_range(range, use);
	if (use == FRAME_KERNEL)
		kernel_at_boot += frame_range_count(range);
	if (use != FRAME_UNUSABLE)
		total_frames += frame_range_count(range);
}

enum status frame_init(const struct memory_map *map, void *storage)
{
	uint64_t frames = memory_map_end_of_ram(map);
	uint64_t done = 0;

	TRY(memory_map_check_usable(map));
	frame_table = storage;
	frame_table_count = frames;
	total_frames = 0;
	kernel_at_boot = 0;
	available = 0;
	for (uint32_t i = 0; i < CPU_MAX; i++) {
		spinlock_name(&stack_of_cpu[i].lock, LOCK_FRAME_STACK);
		stack_of_cpu[i].depth = stack_of_cpu[i].zeroed_depth = 0;
	}
	TRY(frame_bitmap_init(&bitmap, frames, (char *)storage + frames * sizeof(struct frame_info)));
	for (uint32_t i = 0; i < map->count && done < frames; i++) { /* each frame is written once */
		const struct memory_map_entry *entry = &map->entry[i];

		mark_range(frame_range_make(done, frame_to_u64(entry->frames.start)), FRAME_UNUSABLE);
		take_over(entry->frames, entry->kind);
		done = frame_to_u64(entry->frames.end);
	}
	return STATUS_OK;
}

enum status frame_promise(uint64_t count)
{
	uint64_t now = __atomic_load_n(&available, __ATOMIC_RELAXED);

	if (count != 0 && shortage_strikes(SHORTAGE_FRAMES))
		return STATUS_OUT_OF_MEMORY;
	do {
		GUARD(count <= now, STATUS_OUT_OF_MEMORY);
	} while (!__atomic_compare_exchange_n(&available, &now, now - count, true, __ATOMIC_RELAXED, __ATOMIC_RELAXED));
	return STATUS_OK;
}

void frame_promise_return(uint64_t count)
{
	__atomic_add_fetch(&available, count, __ATOMIC_RELAXED);
}

/* Move everything from one stack into the bitmap. */
static void drain_stack(struct frame_stack *stack)
{
	spinlock_acquire(&stack->lock);
	spinlock_acquire(&bitmap_lock);
	CHECK(frame_bitmap_free_batch(&bitmap, stack->frame, stack->depth) == STATUS_OK);
	CHECK(frame_bitmap_free_batch(&bitmap, stack->zeroed, stack->zeroed_depth) == STATUS_OK);
	spinlock_release(&bitmap_lock);
	stack->depth = 0;
	stack->zeroed_depth = 0;
	spinlock_release(&stack->lock);
}

void frame_drain_stacks(void)
{
	for (uint32_t i = 0; i < CPU_MAX; i++) {
		drain_stack(&stack_of_cpu[i]);
		interrupt_window_open();
	}
}

/* The own stack is empty and so is the bitmap: a promised frame lies on another CPU's stack, or is on its way there. */
static frame_t take_from_anywhere(void)
{
	for (;;) {
		uint32_t number;
		uint32_t got;

		frame_drain_stacks();
		spinlock_acquire(&bitmap_lock);
		got = frame_bitmap_allocate_batch(&bitmap, 0, 1, &number);
		spinlock_release(&bitmap_lock);
		if (got == 1)
			return frame_from_u64(number);
		tlb_poll();
		__builtin_ia32_pause();
	}
}

/* Fill an empty stack; its lock is held. */
static void refill_stack(struct frame_stack *stack)
{
	uint32_t batch[STACK_REFILL];
	uint32_t got;

	spinlock_acquire(&bitmap_lock);
	got = frame_bitmap_allocate_batch(&bitmap, 0, STACK_REFILL, batch);
	spinlock_release(&bitmap_lock);
	for (uint32_t i = 0; i < got; i++) /* lowest on top */
		stack->frame[i] = batch[got - 1 - i];
	stack->depth = got;
}

static inline struct frame_stack *lock_own_stack(void)
{
	struct frame_stack *stack = &stack_of_cpu[cpu_index()];

	spinlock_acquire(&stack->lock);
	return stack;
}

/* The own stack, whose lock is held and which this releases, is empty. */
static frame_t take_elsewhere(struct frame_stack *stack)
{
	frame_t frame;

	refill_stack(stack);
	if (UNLIKELY(stack->depth == 0)) {
		spinlock_release(&stack->lock);
		return take_from_anywhere();
	}
	frame = frame_from_u64(stack->frame[--stack->depth]);
	spinlock_release(&stack->lock);
	return frame;
}

/* Take a frame off the own stack, whose lock is held and which this releases. */
static inline frame_t take_and_unlock(struct frame_stack *stack)
{
	frame_t frame;

	if (UNLIKELY(stack->depth == 0))
		return take_elsewhere(stack);
	frame = frame_from_u64(stack->frame[--stack->depth]);
	spinlock_release(&stack->lock);
	return frame;
}

static inline void set_owner(frame_t frame, uint64_t owner_word)
{
	struct frame_info *info = frame_info_of(frame);

	CHECK(info->owner == FRAME_FREE);
	*info = (struct frame_info){ .owner = owner_word };
}

frame_t frame_take(enum frame_use use, const void *owner)
{
	frame_t frame = take_and_unlock(lock_own_stack());

	set_owner(frame, frame_owner_word(use, owner));
	return frame;
}

frame_t frame_take_zeroed(enum frame_use use, const void *owner)
{
	const uint64_t owner_word = frame_owner_word(use, owner);
	struct frame_stack *stack = lock_own_stack();
	frame_t frame;

	if (stack->zeroed_depth != 0) {
		frame = frame_from_u64(stack->zeroed[--stack->zeroed_depth]);
		spinlock_release(&stack->lock);
	} else {
		frame = take_and_unlock(stack);
		page_zero(direct_map_of_frame(frame));
	}
	set_owner(frame, owner_word);
	return frame;
}

void frame_take_batch(uint32_t count, enum frame_use use, const void *owner, uint32_t number[])
{
	const uint64_t owner_word = frame_owner_word(use, owner);
	struct frame_stack *stack = lock_own_stack();
	uint32_t stacked = count < stack->depth ? count : stack->depth;
	const uint32_t *from = stack->frame + (stack->depth - stacked);

	stack->depth -= stacked;
	for (uint32_t i = 0; i < stacked; i++) {
		number[i] = from[i];
		set_owner(frame_from_u64(from[i]), owner_word);
	}
	spinlock_release(&stack->lock);
	for (uint32_t i = 0; i < stacked; i++)
		page_zero(direct_map_of_frame(frame_from_u64(number[i])));
	for (uint32_t i = stacked; i < count; i++)
		number[i] = (uint32_t)frame_to_u64(frame_take_zeroed(use, owner));
}

/* The bitmap is everybody's again between two steps. */
static enum status find_run(uint64_t count, uint64_t align, frame_t *first)
{
	struct frame_run run = { .count = count, .align = align };
	enum status status;

	for (;;) {
		spinlock_acquire(&bitmap_lock);
		status = frame_bitmap_allocate_run_step(&bitmap, &run, first);
		spinlock_release(&bitmap_lock);
		if (status != STATUS_WOULD_BLOCK)
			return status;
		interrupt_window_open();
	}
}

enum status frame_take_run(uint64_t count, uint64_t align, enum frame_use use, const void *owner, frame_t *first)
{
	enum status found;

	GUARD(!shortage_strikes(SHORTAGE_RUN), STATUS_NO_CONTIGUOUS_RUN);
	found = find_run(count, align, first);
	if (found != STATUS_OK) { /* stacks may hold the frames in between */
		frame_drain_stacks();
		found = find_run(count, align, first);
	}
	GUARD(found != STATUS_OUT_OF_MEMORY, STATUS_NO_CONTIGUOUS_RUN); /* other promises are not taken yet */
	TRY(found);
	for (uint64_t i = 0; i < count; i++) {
		struct frame_info *info = frame_info_of(frame_plus(*first, i));

		CHECK(info->owner == FRAME_FREE);
		*info = (struct frame_info){ .owner = frame_owner_word(use, owner) };
		step(i);
	}
	return STATUS_OK;
}

enum status frame_allocate(enum frame_use use, const void *owner, frame_t *frame)
{
	TRY(frame_promise(1));
	*frame = frame_take_zeroed(use, owner);
	return STATUS_OK;
}

/* Half of a full stack goes back; its lock is held. The oldest entries, so that the cache-warm ones stay. */
static void spill_stack(struct frame_stack *stack)
{
	uint32_t half = STACK_FRAMES / 2;

	spinlock_acquire(&bitmap_lock);
	CHECK(frame_bitmap_free_batch(&bitmap, stack->frame, half) == STATUS_OK);
	spinlock_release(&bitmap_lock);
	stack->depth -= half;
	for (uint32_t i = 0; i < stack->depth; i++)
		stack->frame[i] = stack->frame[i + half];
}

static inline void push(struct frame_stack *stack, uint32_t number)
{
	if (UNLIKELY(stack->depth == STACK_FRAMES))
		spill_stack(stack);
	stack->frame[stack->depth++] = number;
}

void frame_free(frame_t frame, enum frame_use use, const void *owner)
{
	struct frame_stack *stack;
	struct frame_info *info;

	CHECK(frame_to_u64(frame) < frame_table_count);
	info = frame_info_of(frame);
	CHECK(info->owner == frame_owner_word(use, owner) && use != FRAME_FREE && use != FRAME_UNUSABLE);
	info->owner = FRAME_FREE;
	stack = lock_own_stack();
	push(stack, (uint32_t)frame_to_u64(frame));
	spinlock_release(&stack->lock);
	__atomic_add_fetch(&available, 1, __ATOMIC_RELAXED);
}

/*
 * A page table without entries is all zero, and goes where that is remembered, if there is room. Not for frames that
 * hold pages. The stack's lock is held.
 */
static bool push_known_zero(struct frame_stack *stack, const struct frame_info *info, uint32_t number)
{
	CHECK((info->owner & 15) > FRAME_FREE);
	if (frame_use_of(info) != FRAME_TABLE || info->count != 0 || stack->zeroed_depth == STACK_ZEROED)
		return false;
	stack->zeroed[stack->zeroed_depth++] = number;
	return true;
}

/* Frames of the list from `number` on, as many as the stack has room for; returns the next. The stack is locked. */
static uint32_t free_some(struct frame_stack *stack, uint32_t number)
{
	struct frame_info *const infos = frame_table; /* read once: a store below might change it, for all C knows */
	uint32_t *slot = stack->frame + stack->depth;
	const uint32_t *end = stack->frame + STACK_FRAMES;

	while (number != FRAME_LINK_END && slot != end) {
		struct frame_info *info = &infos[number];

		if (LIKELY(frame_use_of(info) > FRAME_TABLE) || !push_known_zero(stack, info, number))
			*slot++ = number;
		info->owner = FRAME_FREE;
		number = info->link;
	}
	stack->depth = (uint32_t)(slot - stack->frame);
	return number;
}

void frame_gather_free(struct frame_gather *gather)
{
	uint32_t number = gather->head;

	for (;;) {
		struct frame_stack *stack = lock_own_stack();

		number = free_some(stack, number);
		if (UNLIKELY(number != FRAME_LINK_END))
			spill_stack(stack);
		spinlock_release(&stack->lock);
		if (LIKELY(number == FRAME_LINK_END))
			break;
		interrupt_window_open();
	}
	__atomic_add_fetch(&available, gather->count, __ATOMIC_RELAXED);
	*gather = FRAME_GATHER_EMPTY;
}

uint32_t frame_stack_depth(uint32_t cpu)
{
	struct frame_stack *stack;
	uint32_t depth;

	if (cpu >= CPU_MAX)
		return 0;
	stack = &stack_of_cpu[cpu];
	spinlock_acquire(&stack->lock);
	depth = stack->depth + stack->zeroed_depth;
	spinlock_release(&stack->lock);
	return depth;
}

uint64_t frame_free_count(void)
{
	return __atomic_load_n(&available, __ATOMIC_RELAXED);
}

void frame_statistics_read(struct frame_statistics *statistics)
{
	*statistics = (struct frame_statistics){ .total = total_frames, .kernel_at_boot = kernel_at_boot };
	for (uint32_t i = 0; i < CPU_MAX; i++)
		statistics->stacked += frame_stack_depth(i);
	spinlock_acquire(&bitmap_lock);
	statistics->free = bitmap.free_frames + statistics->stacked;
	statistics->free_blocks = bitmap.free_blocks;
	spinlock_release(&bitmap_lock);
}

void frame_count_uses(uint64_t counts[FRAME_USE_COUNT])
{
	for (uint32_t use = 0; use < FRAME_USE_COUNT; use++)
		counts[use] = 0;
	for (uint64_t n = 0; n < frame_table_count; n++) {
		uint64_t use = frame_table[n].owner & 15;

		if (use < FRAME_USE_COUNT)
			counts[use]++;
		step(n);
	}
}

static bool frame_is_zero(frame_t frame)
{
	const uint64_t *word = direct_map_of_frame(frame);

	for (uint32_t i = 0; i < PAGE_SIZE / sizeof(*word); i++)
		if (word[i] != 0)
			return false;
	return true;
}

static bool stacked_are_valid(const uint32_t *number, uint32_t depth, bool known_zero)
{
	for (uint32_t i = 0; i < depth; i++) {
		frame_t frame = frame_from_u64(number[i]);

		if (number[i] >= frame_table_count || frame_bitmap_is_free(&bitmap, frame))
			return false;
		if (frame_info_of(frame)->owner != FRAME_FREE)
			return false;
		if (known_zero && !frame_is_zero(frame))
			return false;
	}
	return true;
}

static bool stacks_are_valid(void)
{
	for (uint32_t cpu = 0; cpu < CPU_MAX; cpu++) {
		const struct frame_stack *stack = &stack_of_cpu[cpu];

		if (stack->depth > STACK_FRAMES || stack->zeroed_depth > STACK_ZEROED)
			return false;
		if (!stacked_are_valid(stack->frame, stack->depth, false) ||
		    !stacked_are_valid(stack->zeroed, stack->zeroed_depth, true))
			return false;
	}
	return true;
}

/* The frames of bitmap and frame table, which lie behind each other. */
static bool storage_is_kept(void)
{
	uint64_t first = frame_to_u64(direct_map_frame(frame_table));
	uint64_t pages = (frame_storage_bytes(frame_table_count) + PAGE_SIZE - 1) / PAGE_SIZE;

	for (uint64_t n = first; n < first + pages; n++)
		if (frame_table[n].owner != FRAME_KERNEL)
			return false;
	return true;
}

bool frame_is_valid(void)
{
	struct frame_statistics statistics;
	uint64_t counts[FRAME_USE_COUNT];
	uint64_t marked = 0;

	frame_statistics_read(&statistics);
	frame_count_uses(counts);
	for (uint64_t n = 0; n < frame_table_count; n++) {
		bool is_free = frame_bitmap_is_free(&bitmap, frame_from_u64(n));

		if (is_free && frame_table[n].owner != FRAME_FREE)
			return false;
		step(n);
	}
	for (uint32_t use = FRAME_FREE; use < FRAME_USE_COUNT; use++)
		marked += counts[use];
	return frame_bitmap_is_valid(&bitmap) && stacks_are_valid() && storage_is_kept() &&
	       counts[FRAME_FREE] == statistics.free && available <= statistics.free &&
	       statistics.free <= total_frames && marked == total_frames && frame_table[0].owner == FRAME_UNUSABLE;
}
