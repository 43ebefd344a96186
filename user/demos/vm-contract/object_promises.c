#include "user/demos/vm-contract/object_promises.h"

#include <stddef.h>

#include "abi/interface.h"
#include "lib/check.h"
#include "lib/string.h"
#include "user/demos/vm-contract/contract.h"

static void allocation_gives_a_capability(void)
{
	const struct ring_submission *request = REQUEST(contract.frames.handle, FRAME_ALLOCATOR_ALLOCATE, 3, 0);
	struct ring_completion completion;

	EXPECT_OK(ring_client_call(request, &completion));
	EXPECT((completion.flags & COMPLETION_HAS_CAPABILITY) != 0);
	EXPECT_EQUAL(completion.value, 0); /* index of the result capability */
	EXPECT_EQUAL(completion.interface, INTERFACE_MEMORY_OBJECT);
	EXPECT(completion.capability != HANDLE_NONE);
	EXPECT_OK(ring_client_release(completion.capability));
}

static void info_tells_size_and_use(void)
{
	struct memory_object_client object;
	struct memory_object_info info;
	void *first, *second;

	EXPECT_OK(contract_allocate(6, &object));
	EXPECT_OK(memory_object_client_info(object, &info));
	EXPECT_EQUAL(info.page_count, 6);
	EXPECT_EQUAL(info.size, BYTES(6));
	EXPECT_EQUAL(info.mapped_pages, 0);
	EXPECT_EQUAL(info.holds, 1);
	EXPECT_OK(contract_map_object(object, 0, 6, READ_WRITE, &first));
	EXPECT_OK(contract_map_object(object, 2, 3, READ_ONLY, &second));
	EXPECT_OK(memory_object_client_info(object, &info));
	EXPECT_EQUAL(info.mapped_pages, 9);
	EXPECT_OK(memory_object_client_unmap(object, first, BYTES(6)));
	EXPECT_OK(memory_object_client_unmap(object, second, BYTES(3)));
	EXPECT_OK(memory_object_client_info(object, &info));
	EXPECT_EQUAL(info.mapped_pages, 0);
	EXPECT_OK(ring_client_release(object.handle));
}

static void object_starts_zeroed(void)
{
	struct memory_object_client object;
	void *range;

	EXPECT_OK(contract_allocate(20, &object));
	EXPECT_OK(contract_map_object(object, 0, 20, READ_WRITE, &range));
	EXPECT(contract_is_filled(range, 20, 0));
	EXPECT_OK(memory_object_client_unmap(object, range, BYTES(20)));
	EXPECT_OK(ring_client_release(object.handle));
}

static void mappings_share_the_frames(void)
{
	struct memory_object_client object;
	void *first, *second;

	EXPECT_OK(contract_allocate(4, &object));
	EXPECT_OK(contract_map_object(object, 0, 4, READ_WRITE, &first));
	EXPECT_OK(contract_map_object(object, 1, 2, READ_WRITE, &second));
	contract_fill(first, 4, 0x50);
	EXPECT(contract_is_filled(second, 2, 0x50));
	contract_fill(contract_page(second, 1), 1, 0x51);
	EXPECT(contract_is_filled(contract_page(first, 2), 1, 0x51));
	EXPECT(contract_is_filled(contract_page(first, 3), 1, 0x50));
	EXPECT_OK(memory_object_client_unmap(object, first, BYTES(4)));
	EXPECT(contract_is_filled(second, 1, 0x50));
	EXPECT_OK(memory_object_client_unmap(object, second, BYTES(2)));
	EXPECT_OK(ring_client_release(object.handle));
}

static void data_survives_without_a_mapping(void)
{
	struct memory_object_client object;
	void *range;

	EXPECT_OK(contract_allocate(3, &object));
	EXPECT_OK(contract_map_object(object, 0, 3, READ_WRITE, &range));
	contract_fill(range, 3, 0x71);
	EXPECT_OK(memory_object_client_unmap(object, range, BYTES(3)));
	EXPECT(!contract_is_readable(range));
	EXPECT_OK(contract_map_object(object, 0, 3, READ_ONLY, &range));
	EXPECT(contract_is_filled(range, 3, 0x71));
	EXPECT_OK(memory_object_client_unmap(object, range, BYTES(3)));
	EXPECT_OK(ring_client_release(object.handle));
}

static void kernel_copies_through_a_mapping(void)
{
	struct memory_object_client object;
	struct boot_package_span span = { .bytes = 16 };
	uint64_t count;
	void *first, *second;

	EXPECT_OK(contract_allocate(1, &object));
	EXPECT_OK(contract_map_object(object, 0, 1, READ_WRITE, &first));
	EXPECT_OK(contract_map_object(object, 0, 1, READ_ONLY, &second));
	contract_fill(first, 1, 0xff);
	span.buffer = first;
	EXPECT_OK(boot_package_client_read(contract.package, &span, &count));
	EXPECT_EQUAL(count, 16);
	EXPECT(memcmp(first, second, BYTES(1)) == 0);
	EXPECT(!contract_is_filled(second, 1, 0xff));
	EXPECT_OK(memory_object_client_unmap(object, first, BYTES(1)));
	EXPECT_OK(memory_object_client_unmap(object, second, BYTES(1)));
	EXPECT_OK(ring_client_release(object.handle));
}

static void protect_is_of_one_mapping(void)
{
	struct memory_object_client object;
	void *first, *second;

	EXPECT_OK(contract_allocate(2, &object));
	EXPECT_OK(contract_map_object(object, 0, 2, READ_WRITE, &first));
	EXPECT_OK(contract_map_object(object, 0, 2, READ_WRITE, &second));
	contract_fill(first, 2, 0x44);
	EXPECT_OK(memory_object_client_protect(object, first, BYTES(1), READ_ONLY));
	EXPECT(!contract_is_writable(first));
	EXPECT(contract_is_writable(contract_page(first, 1)));
	EXPECT(contract_is_writable(second));
	contract_fill(second, 2, 0x45);
	EXPECT_OK(memory_object_client_protect(object, first, BYTES(2), PROTECTION_NONE));
	EXPECT(!contract_is_readable(first));
	EXPECT_OK(memory_object_client_protect(object, first, BYTES(2), READ_ONLY));
	EXPECT(contract_is_filled(first, 2, 0x45));
	EXPECT_OK(memory_object_client_unmap(object, first, BYTES(2)));
	EXPECT_OK(memory_object_client_unmap(object, second, BYTES(2)));
	EXPECT_OK(ring_client_release(object.handle));
}

static void unmap_may_take_a_part_of_a_mapping(void)
{
	struct memory_object_client object;
	void *range;

	EXPECT_OK(contract_allocate(9, &object));
	EXPECT_OK(contract_map_object(object, 0, 9, READ_WRITE, &range));
	contract_fill(range, 9, 0x17);
	EXPECT_OK(memory_object_client_unmap(object, contract_page(range, 3), BYTES(3)));
	EXPECT(!contract_is_readable(contract_page(range, 4)));
	EXPECT(contract_is_filled(range, 3, 0x17));
	EXPECT(contract_is_filled(contract_page(range, 6), 3, 0x17));
	EXPECT_OK(memory_object_client_unmap(object, range, BYTES(3)));
	EXPECT_OK(memory_object_client_unmap(object, contract_page(range, 6), BYTES(3)));
	EXPECT_OK(ring_client_release(object.handle));
}

static void fixed_mapping_is_exact(void)
{
	struct memory_object_client object;
	struct memory_object_window window = { .length = BYTES(2),
					       .protection = READ_WRITE,
					       .flags = MEMORY_OBJECT_FIXED };
	void *place, *range;

	EXPECT_OK(contract_allocate(2, &object));
	EXPECT_OK(contract_reserve(8, &place));
	EXPECT_OK(contract_unmap(place, 8));
	window.hint = contract_page(place, 3);
	EXPECT_OK(memory_object_client_map(object, &window, &range));
	EXPECT_EQUAL((uint64_t)range, (uint64_t)window.hint);
	EXPECT_OK(memory_object_client_unmap(object, range, BYTES(2)));
	EXPECT_OK(ring_client_release(object.handle));
}

static void code_runs_from_a_mapping(void)
{
	static const unsigned char answer[] = { 0xb8, 43, 0, 0, 0, 0xc3 }; /* mov $43, %eax; ret */
	struct memory_object_client object;
	void *data, *code;

	EXPECT_OK(contract_allocate(1, &object));
	EXPECT_OK(contract_map_object(object, 0, 1, READ_WRITE, &data));
	for (uint32_t i = 0; i < COUNT_OF(answer); i++)
		((unsigned char *)data)[i] = answer[i];
	EXPECT_OK(contract_map_object(object, 0, 1, READ_EXECUTE, &code));
	EXPECT_EQUAL((uint64_t)((int (*)(void))(uint64_t)code)(), 43);
	EXPECT(!contract_is_writable(code));
	EXPECT_OK(memory_object_client_unmap(object, data, BYTES(1)));
	EXPECT_OK(memory_object_client_unmap(object, code, BYTES(1)));
	EXPECT_OK(ring_client_release(object.handle));
}

static void contiguous_is_told(void)
{
	struct memory_object_client object;
	struct memory_object_info info;

	EXPECT_OK(frame_allocator_client_allocate(contract.frames, 8, FRAME_ALLOCATOR_CONTIGUOUS, &object));
	EXPECT_OK(memory_object_client_info(object, &info));
	EXPECT((info.flags & FRAME_ALLOCATOR_CONTIGUOUS) != 0);
	EXPECT_OK(ring_client_release(object.handle));
}

/* 512 frames on a 2 MiB boundary, if the machine has such a block left. */
static void large_block_is_contiguous(void)
{
	struct memory_object_client object;
	struct memory_object_info info;
	enum status status = frame_allocator_client_allocate(contract.frames, 512, FRAME_ALLOCATOR_ALIGN_2MIB, &object);

	if (status == STATUS_NO_CONTIGUOUS_RUN || status == STATUS_OUT_OF_MEMORY || status == STATUS_OVER_FRAME_GRANT)
		return;
	EXPECT_OK(status);
	EXPECT_OK(memory_object_client_info(object, &info));
	EXPECT((info.flags & FRAME_ALLOCATOR_CONTIGUOUS) != 0);
	EXPECT_OK(ring_client_release(object.handle));
}

static void released_ids_never_return(void)
{
	enum {
		TIMES = 100
	};
	handle_t seen[TIMES] = { 0 };

	for (uint32_t i = 0; i < TIMES; i++) {
		struct memory_object_client object;

		EXPECT_OK(contract_allocate(1, &object));
		for (uint32_t j = 0; j < i; j++)
			EXPECT(seen[j] != object.handle);
		seen[i] = object.handle;
		EXPECT_OK(ring_client_release(object.handle));
	}
}

static void mappings_of_objects_stand_side_by_side(void)
{
	struct memory_object_client first, second;
	struct memory_object_window window = { .length = BYTES(2),
					       .protection = READ_WRITE,
					       .flags = MEMORY_OBJECT_FIXED };
	void *place, *range;

	EXPECT_OK(contract_allocate(2, &first));
	EXPECT_OK(contract_allocate(2, &second));
	EXPECT_OK(contract_reserve(4, &place));
	EXPECT_OK(contract_unmap(place, 4));
	window.hint = place;
	EXPECT_OK(memory_object_client_map(first, &window, &range));
	window.hint = contract_page(place, 2);
	EXPECT_OK(memory_object_client_map(second, &window, &range));
	contract_fill(place, 2, 1);
	contract_fill(contract_page(place, 2), 2, 2);
	EXPECT_STATUS(memory_object_client_unmap(first, place, BYTES(4)), STATUS_OTHER_OBJECT);
	EXPECT_STATUS(memory_object_client_protect(second, place, BYTES(4), READ_ONLY), STATUS_OTHER_OBJECT);
	EXPECT(contract_is_filled(place, 2, 1) && contract_is_filled(contract_page(place, 2), 2, 2));
	EXPECT(contract_is_writable(place));
	EXPECT_OK(memory_object_client_unmap(first, place, BYTES(2)));
	EXPECT_OK(memory_object_client_unmap(second, contract_page(place, 2), BYTES(2)));
	EXPECT_OK(ring_client_release(first.handle));
	EXPECT_OK(ring_client_release(second.handle));
}

void object_promises_check(void)
{
	static const struct promise promise[] = {
		{ "allocation-gives-a-capability", allocation_gives_a_capability },
		{ "info-tells-size-and-use", info_tells_size_and_use },
		{ "object-starts-zeroed", object_starts_zeroed },
		{ "mappings-share-the-frames", mappings_share_the_frames },
		{ "data-survives-without-a-mapping", data_survives_without_a_mapping },
		{ "kernel-copies-through-a-mapping", kernel_copies_through_a_mapping },
		{ "protect-is-of-one-mapping", protect_is_of_one_mapping },
		{ "unmap-may-take-a-part-of-a-mapping", unmap_may_take_a_part_of_a_mapping },
		{ "fixed-mapping-is-exact", fixed_mapping_is_exact },
		{ "code-runs-from-a-mapping", code_runs_from_a_mapping },
		{ "contiguous-is-told", contiguous_is_told },
		{ "large-block-is-contiguous", large_block_is_contiguous },
		{ "released-ids-never-return", released_ids_never_return },
		{ "mappings-of-objects-stand-side-by-side", mappings_of_objects_stand_side_by_side },
	};

	contract_check(promise, COUNT_OF(promise));
}
