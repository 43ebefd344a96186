#include "kernel/task/transfer.h"

#include "kernel/task/process.h"
#include "lib/check.h"

/* ---- the sender's side ---- */

static enum status take_copy(struct transfer *transfer, struct transfer_item *item)
{
	TRY(process_capability_use(transfer->from, item->source, &item->hold));
	item->is_used = true;
	GUARD(item->hold.mode == TRANSFER_COPY, STATUS_NOT_TRANSFERABLE);
	return STATUS_OK;
}

static enum status take_move(struct transfer *transfer, struct transfer_item *item)
{
	enum status status;

	spinlock_acquire(&transfer->from->cap_lock);
	status = cap_table_move_begin(&transfer->from->caps, item->source, &item->hold);
	spinlock_release(&transfer->from->cap_lock);
	return status;
}

/* What was to move resolves again. */
static void give_back(struct transfer *transfer, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		if (transfer->item[i].kind == TRANSFER_KIND_COPY)
			continue;
		spinlock_acquire(&transfer->from->cap_lock);
		cap_table_move_abort(&transfer->from->caps, transfer->item[i].source);
		spinlock_release(&transfer->from->cap_lock);
	}
}

static enum status take_all(struct transfer *transfer)
{
	for (uint32_t i = 0; i < transfer->count; i++) {
		struct transfer_item *item = &transfer->item[i];
		enum status status =
			item->kind == TRANSFER_KIND_COPY ? take_copy(transfer, item) : take_move(transfer, item);

		if (status == STATUS_OK)
			continue;
		give_back(transfer, i);
		return status;
	}
	return STATUS_OK;
}

/* ---- the receiver's side ---- */

/* Slots are counted by plan and by each hold: once is right. */
static enum status reserve_all(struct transfer *transfer)
{
	struct charge charge = { .kinds = 0 };
	struct capability_plan plan;
	handle_t handle[CAPSET_MAX];
	enum status status;

	TRY(process_capability_plan(transfer->to, transfer->count, &charge, &plan));
	for (uint32_t i = 0; i < transfer->count; i++)
		hold_charge(&transfer->item[i].hold, &charge);
	charge.amount[LEDGER_CAP_SLOTS] -= transfer->count;
	status = account_charge_and_promise(&transfer->to->account, &charge, plan.frames);
	if (status != STATUS_OK) {
		process_capability_cancel(transfer->to, &plan);
		return status;
	}
	process_capability_reserve(transfer->to, &plan, transfer->count, handle);
	for (uint32_t i = 0; i < transfer->count; i++)
		transfer->item[i].target = handle[i];
	return STATUS_OK;
}

enum status transfer_prepare(struct transfer *transfer)
{
	if (transfer->count == 0)
		return STATUS_OK;
	CHECK(transfer->count <= CAPSET_MAX);
	for (uint32_t i = 0; i < transfer->count; i++)
		transfer->item[i].is_used = false;
	TRY(take_all(transfer));
	transfer->refusal = reserve_all(transfer);
	if (transfer->refusal == STATUS_OK)
		return STATUS_OK;
	give_back(transfer, transfer->count);
	return STATUS_RECEIVER_LIMIT;
}

/* ---- the end ---- */

/* The receiver has paid for its hold, so the sender's is refunded; the count of holds stays as it is. */
static void commit_move(struct transfer *transfer, const struct transfer_item *item)
{
	struct charge refund = { .kinds = 0 };

	spinlock_acquire(&transfer->from->cap_lock);
	cap_table_move_commit(&transfer->from->caps, item->source);
	spinlock_release(&transfer->from->cap_lock);
	hold_charge(&item->hold, &refund);
	account_refund(&transfer->from->account, &refund);
}

void transfer_commit(struct transfer *transfer)
{
	for (uint32_t i = 0; i < transfer->count; i++) {
		struct transfer_item *item = &transfer->item[i];

		if (item->kind == TRANSFER_KIND_COPY && hold_is_counted(&item->hold))
			hold_add(&item->hold);
		/* Refund before publishing: afterwards the receiver may end the object. */
		if (item->kind == TRANSFER_KIND_MOVE)
			commit_move(transfer, item);
		process_capability_publish(transfer->to, item->target, &item->hold, transfer->from->id);
	}
}

/* What the receiver's slots cost goes back without a trace in its peaks. */
void transfer_abort(struct transfer *transfer)
{
	struct charge charge = { .kinds = 0 };

	if (transfer->count == 0)
		return;
	for (uint32_t i = 0; i < transfer->count; i++) {
		hold_charge(&transfer->item[i].hold, &charge);
		spinlock_acquire(&transfer->to->cap_lock);
		cap_table_cancel(&transfer->to->caps, transfer->item[i].target);
		spinlock_release(&transfer->to->cap_lock);
	}
	account_cancel(&transfer->to->account, &charge);
	give_back(transfer, transfer->count);
}

void transfer_finish_items(struct transfer *transfer)
{
	for (uint32_t i = 0; i < transfer->count; i++) {
		if (!transfer->item[i].is_used)
			continue;
		transfer->item[i].is_used = false;
		hold_end_use(&transfer->item[i].hold);
	}
}
