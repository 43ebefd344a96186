#include "lib/ledger.h"

void resource_ledger_init(struct resource_ledger *ledger, const uint64_t limits[LEDGER_COUNT])
{
	/*@ loop invariant 0 <= kind <= LEDGER_COUNT;
	    loop invariant \forall integer k; 0 <= k < kind ==> ledger->of[k].used == 0;
	    loop invariant \forall integer k; 0 <= k < kind ==> ledger->of[k].limit == limits[k];
	    loop invariant \forall integer k; 0 <= k < kind ==> ledger->of[k].peak == 0;
	    loop assigns kind, ledger->of[0 .. LEDGER_COUNT - 1];
	    loop variant LEDGER_COUNT - kind; */
	for (uint32_t kind = 0; kind < LEDGER_COUNT; kind++) {
		struct ledger *one = &ledger->of[kind];

		one->used = 0;
		one->limit = limits[kind];
		one->peak = 0;
	}
}

enum status resource_ledger_shrink(struct resource_ledger *ledger, const uint64_t amount[LEDGER_COUNT])
{
	/*@ loop invariant 0 <= kind <= LEDGER_COUNT;
	    loop invariant \forall integer k; 0 <= k < kind ==> ledger->of[k].used + amount[k] <= ledger->of[k].limit;
	    loop assigns kind;
	    loop variant LEDGER_COUNT - kind; */
	for (uint32_t kind = 0; kind < LEDGER_COUNT; kind++) {
		const struct ledger *one = &ledger->of[kind];

		GUARD(amount[kind] <= one->limit - one->used, ledger_refusal((enum ledger_kind)kind));
	}
	/*@ loop invariant 0 <= kind <= LEDGER_COUNT;
	    loop invariant \forall integer k; 0 <= k < LEDGER_COUNT ==>
	      ledger->of[k].limit == \at(ledger->of[k].limit, Pre) - (k < kind ? amount[k] : 0);
	    loop invariant all_fit(ledger);
	    loop invariant \forall integer k; kind <= k < LEDGER_COUNT ==>
	      ledger->of[k].used + amount[k] <= ledger->of[k].limit;
	    loop assigns kind, ledger->of[0 .. LEDGER_COUNT - 1].limit;
	    loop variant LEDGER_COUNT - kind; */
	for (uint32_t kind = 0; kind < LEDGER_COUNT; kind++)
		ledger->of[kind].limit -= amount[kind];
	return STATUS_OK;
}

void resource_ledger_grow(struct resource_ledger *ledger, const uint64_t amount[LEDGER_COUNT])
{
	/*@ loop invariant 0 <= kind <= LEDGER_COUNT;
	    loop invariant \forall integer k; 0 <= k < LEDGER_COUNT ==>
	      ledger->of[k].limit == \at(ledger->of[k].limit, Pre) + (k < kind ? amount[k] : 0);
	    loop invariant all_fit(ledger);
	    loop assigns kind, ledger->of[0 .. LEDGER_COUNT - 1].limit;
	    loop variant LEDGER_COUNT - kind; */
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
	/*@ loop invariant 0 <= kind <= LEDGER_COUNT;
	    loop invariant \forall integer k; 0 <= k < kind ==> fits(&ledger->of[k]);
	    loop assigns kind;
	    loop variant LEDGER_COUNT - kind; */
	for (uint32_t kind = 0; kind < LEDGER_COUNT; kind++) {
		if (!ledger_is_valid(&ledger->of[kind]))
			return false;
	}
	return true;
}
