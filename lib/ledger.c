#include "lib/ledger.h"

void resource_ledger_init(struct resource_ledger *ledger, const uint64_t limits[LEDGER_COUNT])
{
	for (uint32_t kind = 0; kind < LEDGER_COUNT; kind++)
		ledger->of[kind] = (struct ledger){ .used = 0, .limit = limits[kind], .peak = 0 };
}

enum status resource_ledger_shrink(struct resource_ledger *ledger, const uint64_t amount[LEDGER_COUNT])
{
	for (uint32_t kind = 0; kind < LEDGER_COUNT; kind++) {
		const struct ledger *one = &ledger->of[kind];

		GUARD(amount[kind] <= one->limit - one->used, ledger_refusal((enum ledger_kind)kind));
	}
	for (uint32_t kind = 0; kind < LEDGER_COUNT; kind++)
		ledger->of[kind].limit -= amount[kind];
	return STATUS_OK;
}

void resource_ledger_grow(struct resource_ledger *ledger, const uint64_t amount[LEDGER_COUNT])
{
	for (uint32_t kind = 0; kind < LEDGER_COUNT; kind++) {
		CHECK(amount[kind] <= UINT64_MAX - ledger->of[kind].limit);
		ledger->of[kind].limit += amount[kind];
	}
}

enum status ledger_refusal(enum ledger_kind kind)
{
	static const enum status refusal[LEDGER_COUNT] = {
		[LEDGER_VIRTUAL_RESERVATION] = STATUS_OVER_VIRTUAL_RESERVATION,
		[LEDGER_FRAME_GRANT] = STATUS_OVER_FRAME_GRANT,
		[LEDGER_IMAGE] = STATUS_OVER_IMAGE,
		[LEDGER_PAGE_TABLE] = STATUS_OVER_PAGE_TABLE,
		[LEDGER_CAP_SLOTS] = STATUS_OVER_CAP_SLOTS,
		[LEDGER_KERNEL_OBJECT] = STATUS_OVER_KERNEL_OBJECT,
	};

	CHECK(kind < LEDGER_COUNT);
	return refusal[kind];
}

const char *ledger_name(enum ledger_kind kind)
{
	static const char *const name[LEDGER_COUNT] = {
		[LEDGER_VIRTUAL_RESERVATION] = "virtual_reservation_pages",
		[LEDGER_FRAME_GRANT] = "frame_grant_pages",
		[LEDGER_IMAGE] = "image_pages",
		[LEDGER_PAGE_TABLE] = "page_table_pages",
		[LEDGER_CAP_SLOTS] = "cap_slots",
		[LEDGER_KERNEL_OBJECT] = "kernel_object_bytes",
	};

	CHECK(kind < LEDGER_COUNT);
	return name[kind];
}

bool resource_ledger_is_valid(const struct resource_ledger *ledger)
{
	for (uint32_t kind = 0; kind < LEDGER_COUNT; kind++) {
		if (!ledger_is_valid(&ledger->of[kind]))
			return false;
	}
	return true;
}
