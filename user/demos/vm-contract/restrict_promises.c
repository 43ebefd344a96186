#include "user/demos/vm-contract/restrict_promises.h"

#include <stddef.h>

#include "abi/interface.h"
#include "lib/check.h"
#include "user/demos/vm-contract/contract.h"

#define PAGES 8u

static enum status narrow(struct memory_object_client object, uint64_t first, uint64_t pages, uint32_t flags,
			  struct memory_object_client *narrower)
{
	const struct memory_object_part part = { BYTES(first), BYTES(pages), flags };

	return memory_object_client_restrict(object, &part, narrower);
}

static void part_sees_its_pages_alone(void)
{
	struct memory_object_client object, part;
	struct memory_object_info info;
	void *whole, *range;

	EXPECT_OK(contract_allocate(PAGES, &object));
	EXPECT_OK(contract_map_object(object, 0, PAGES, READ_WRITE, &whole));
	for (uint32_t i = 0; i < PAGES; i++)
		contract_fill(contract_page(whole, i), 1, (uint8_t)(i + 1));
	EXPECT_OK(narrow(object, 2, 3, 0, &part));
	EXPECT_OK(memory_object_client_info(part, &info));
	EXPECT_EQUAL(info.page_count, 3);
	EXPECT_EQUAL(info.size, BYTES(3));
	EXPECT_EQUAL(info.holds, 2);
	EXPECT_EQUAL(info.flags & MEMORY_OBJECT_INFO_READ_ONLY, 0);
	EXPECT_OK(contract_map_object(part, 0, 3, READ_WRITE, &range));
	for (uint32_t i = 0; i < 3; i++)
		EXPECT(contract_is_filled(contract_page(range, i), 1, (uint8_t)(i + 3)));
	EXPECT_STATUS(contract_map_object(part, 0, 4, READ_ONLY, &whole), STATUS_BEYOND_OBJECT);
	EXPECT_STATUS(contract_map_object(part, 3, 1, READ_ONLY, &whole), STATUS_BEYOND_OBJECT);
	EXPECT_OK(memory_object_client_unmap(part, range, BYTES(3)));
	EXPECT_OK(memory_object_client_unmap(object, whole, BYTES(PAGES)));
	EXPECT_OK(ring_client_release(part.handle));
	EXPECT_OK(ring_client_release(object.handle));
}

static void read_only_is_never_writable(void)
{
	struct memory_object_client object, reader;
	struct memory_object_info info;
	void *written, *read, *other;

	EXPECT_OK(contract_allocate(PAGES, &object));
	EXPECT_OK(narrow(object, 0, PAGES, MEMORY_OBJECT_READ_ONLY, &reader));
	EXPECT_OK(memory_object_client_info(reader, &info));
	EXPECT((info.flags & MEMORY_OBJECT_INFO_READ_ONLY) != 0);
	EXPECT_STATUS(contract_map_object(reader, 0, 1, READ_WRITE, &other), STATUS_NOT_PERMITTED);
	EXPECT_OK(contract_map_object(object, 0, PAGES, READ_WRITE, &written));
	EXPECT_OK(contract_map_object(reader, 0, PAGES, READ_ONLY, &read));
	contract_fill(written, PAGES, 0x4e);
	EXPECT(contract_is_filled(read, PAGES, 0x4e));
	EXPECT(!contract_is_writable(read));
	EXPECT_STATUS(memory_object_client_protect(reader, read, BYTES(PAGES), READ_WRITE), STATUS_NOT_PERMITTED);
	EXPECT_STATUS(memory_object_client_protect(reader, written, BYTES(PAGES), READ_WRITE), STATUS_NOT_PERMITTED);
	EXPECT_OK(memory_object_client_protect(reader, read, BYTES(PAGES), READ_EXECUTE));
	EXPECT_OK(memory_object_client_protect(reader, read, BYTES(PAGES), PROTECTION_NONE));
	EXPECT(!contract_is_writable(read));
	EXPECT_OK(memory_object_client_unmap(reader, read, BYTES(PAGES)));
	EXPECT_OK(memory_object_client_unmap(object, written, BYTES(PAGES)));
	EXPECT_OK(ring_client_release(reader.handle));
	EXPECT_OK(ring_client_release(object.handle));
}

static void narrower_of_narrower_is_within_both(void)
{
	struct memory_object_client object, reader, part;
	struct memory_object_info info;
	void *whole, *range;

	EXPECT_OK(contract_allocate(PAGES, &object));
	EXPECT_OK(contract_map_object(object, 0, PAGES, READ_WRITE, &whole));
	contract_fill(contract_page(whole, 4), 1, 0x19);
	EXPECT_OK(narrow(object, 1, 6, MEMORY_OBJECT_READ_ONLY, &reader));
	EXPECT_OK(narrow(reader, 3, 2, 0, &part));
	EXPECT_OK(memory_object_client_info(part, &info));
	EXPECT_EQUAL(info.page_count, 2);
	EXPECT((info.flags & MEMORY_OBJECT_INFO_READ_ONLY) != 0);
	EXPECT_STATUS(contract_map_object(part, 0, 1, READ_WRITE, &range), STATUS_NOT_PERMITTED);
	EXPECT_OK(contract_map_object(part, 0, 1, READ_ONLY, &range));
	EXPECT(contract_is_filled(range, 1, 0x19));
	EXPECT_STATUS(narrow(reader, 5, 2, 0, &part), STATUS_BEYOND_OBJECT);
	EXPECT_OK(memory_object_client_unmap(part, range, BYTES(1)));
	EXPECT_OK(memory_object_client_unmap(object, whole, BYTES(PAGES)));
	EXPECT_OK(ring_client_release(part.handle));
	EXPECT_OK(ring_client_release(reader.handle));
	EXPECT_OK(ring_client_release(object.handle));
}

/* It costs what its source does; the object lives as long as any of them. */
static void narrower_is_a_hold(void)
{
	const uint64_t grant = contract_used(LEDGER_FRAME_GRANT), slots = contract_used(LEDGER_CAP_SLOTS);
	struct memory_object_client object, part;
	void *range;

	EXPECT_OK(contract_allocate(PAGES, &object));
	EXPECT_OK(narrow(object, 7, 1, 0, &part));
	EXPECT_EQUAL(contract_used(LEDGER_FRAME_GRANT), grant + UINT64_C(2) * PAGES);
	EXPECT_EQUAL(contract_used(LEDGER_CAP_SLOTS), slots + 2);
	EXPECT_OK(ring_client_release(object.handle));
	EXPECT_OK(contract_map_object(part, 0, 1, READ_WRITE, &range));
	contract_fill(range, 1, 0x21);
	EXPECT(contract_is_filled(range, 1, 0x21));
	EXPECT_OK(memory_object_client_unmap(part, range, BYTES(1)));
	EXPECT_OK(ring_client_release(part.handle));
}

static void refuse_restrict(handle_t object)
{
	const struct {
		const char *why;
		uint64_t offset, length, flags;
		enum status wanted;
	} refusal[] = {
		{ "unknown flag", 0, BYTES(1), 2, STATUS_UNSUPPORTED },
		{ "flag of 64 bits", 0, BYTES(1), UINT64_C(1) << 32, STATUS_UNSUPPORTED },
		{ "no pages", 0, 0, 0, STATUS_ZERO_LENGTH },
		{ "offset within a page", 1, BYTES(1), 0, STATUS_MISALIGNED },
		{ "length within a page", 0, BYTES(1) + 1, 0, STATUS_MISALIGNED },
		{ "a page too many", 0, BYTES(PAGES + 1), 0, STATUS_BEYOND_OBJECT },
		{ "begins at the end", BYTES(PAGES), BYTES(1), 0, STATUS_BEYOND_OBJECT },
		{ "begins past the end", BYTES(PAGES + 1), BYTES(1), 0, STATUS_BEYOND_OBJECT },
		{ "far past the end", BYTES(1), UINT64_C(1) << 40, 0, STATUS_BEYOND_OBJECT },
		{ "sum that wraps", BYTES(1), UINT64_MAX & ~(PAGE_SIZE - 1), 0, STATUS_NOT_USER_ADDRESS },
		{ "offset at the end of 2^64", UINT64_MAX & ~(PAGE_SIZE - 1), BYTES(1), 0, STATUS_BEYOND_OBJECT },
	};

	for (uint32_t i = 0; i < COUNT_OF(refusal); i++)
		contract_refuse(
			"restrict", refusal[i].why,
			REQUEST(object, MEMORY_OBJECT_RESTRICT, refusal[i].offset, refusal[i].length, refusal[i].flags),
			refusal[i].wanted);
}

void restrict_promises_check(void)
{
	static const struct promise promise[] = {
		{ "part-sees-its-pages-alone", part_sees_its_pages_alone },
		{ "read-only-is-never-writable", read_only_is_never_writable },
		{ "narrower-of-narrower-is-within-both", narrower_of_narrower_is_within_both },
		{ "narrower-is-a-hold", narrower_is_a_hold },
	};
	struct memory_object_client object;

	contract_check(promise, COUNT_OF(promise));
	CHECK(contract_allocate(PAGES, &object) == STATUS_OK);
	refuse_restrict(object.handle);
	CHECK(ring_client_release(object.handle) == STATUS_OK);
}
