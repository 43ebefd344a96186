/* links: HOST_TASK_KERNEL */
/* Capabilities from one process to another: each kind in each mode, all of a list or none, and what each side pays. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "kernel/task/endpoint.h"
#include "kernel/task/transfer.h"
#include "lib/check.h"
#include "tests/host/actor.h"
#include "tests/host/host_support.h"
#include "tests/host/task_snapshot.h"

#define FRAMES 2048u
#define OBJECT_PAGES 9u
#define MOST_VALUES 2000u

enum sent {
	SENT_TIMER,
	SENT_OBJECT,
	SENT_OWNER,
	SENT_CLIENT,
	SENT_CLIENT_MOVE, /* a facet that cannot be copied */
	SENT_MEMORY,      /* bound to its process */
	SENT_HANDLE,      /* the same */
	SENT_COUNT
};

#define TRANSFERABLE SENT_MEMORY /* those before it */

static struct actor from, to, third;
static handle_t sent[SENT_COUNT];

static struct cap_hold hold_of(struct actor *actor, handle_t handle)
{
	struct cap_hold hold;

	assert_int_equal(process_capability_use(actor->process, handle, &hold), STATUS_OK);
	hold_end_use(&hold);
	return hold;
}

static void begin(void)
{
	struct cap_hold hold = { .interface = INTERFACE_ENDPOINT_CLIENT, .mode = TRANSFER_MOVE, .badge = 77 };

	task_machine_start(FRAMES);
	actor_begin(&from, "from");
	actor_begin(&to, "to");
	actor_begin(&third, "third");
	sent[SENT_TIMER] = actor_grant(&from, INTERFACE_TIMER, TRANSFER_COPY, NULL);
	sent[SENT_OBJECT] = actor_make_object(&from, OBJECT_PAGES);
	sent[SENT_OWNER] = actor_make_endpoint(&from);
	sent[SENT_CLIENT] = actor_make_client(&from, sent[SENT_OWNER], 5, &from);
	hold.object = actor_object(&from, sent[SENT_OWNER]);
	endpoint_add_client(hold.object);
	assert_int_equal(process_capability_add(from.process, &hold, 0, &sent[SENT_CLIENT_MOVE]), STATUS_OK);
	sent[SENT_MEMORY] = actor_grant(&from, INTERFACE_VIRTUAL_MEMORY, TRANSFER_NONE, &from.process->space);
	process_add_hold(third.process);
	sent[SENT_HANDLE] = actor_grant(&from, INTERFACE_PROCESS_HANDLE, TRANSFER_NONE, third.process);
	(void)actor_grant(&to, INTERFACE_TIMER, TRANSFER_COPY, NULL); /* so that its table has a page */
}

static void end(void)
{
	actor_end(&from);
	actor_end(&to);
	actor_end(&third);
	task_machine_stop();
}

static struct transfer make(struct transfer_item *item, uint32_t count)
{
	return (struct transfer){ from.process, to.process, count, item, STATUS_OK };
}

/* Whatever comes of it, what was held on to meanwhile is let go in the end. */
static enum status prepare(struct transfer *transfer)
{
	enum status status = transfer_prepare(transfer);

	if (status != STATUS_OK)
		transfer_finish(transfer);
	return status;
}

static void commit(struct transfer *transfer)
{
	transfer_commit(transfer);
	transfer_finish(transfer);
}

static void give_up(struct transfer *transfer)
{
	transfer_abort(transfer);
	transfer_finish(transfer);
}

static enum status prepare_one(struct transfer_item *item, handle_t source, enum transfer_kind kind)
{
	struct transfer transfer = make(item, 1);

	item->source = source;
	item->kind = kind;
	return prepare(&transfer);
}

/* ---- each kind ---- */

static enum status expected_of(enum sent which, enum transfer_kind kind)
{
	if (which >= TRANSFERABLE)
		return STATUS_NOT_TRANSFERABLE;
	return which == SENT_CLIENT_MOVE && kind == TRANSFER_KIND_COPY ? STATUS_NOT_TRANSFERABLE : STATUS_OK;
}

static void assert_same_hold(const struct cap_hold *one, const struct cap_hold *other)
{
	assert_ptr_equal(one->object, other->object);
	assert_int_equal(one->badge, other->badge);
	assert_int_equal(one->interface, other->interface);
	assert_int_equal(one->mode, other->mode);
}

/* What each side has taken of each ledger since then. */
static void assert_taken(struct actor *actor, const struct task_snapshot *before, const struct charge *charge,
			 int times)
{
	for (uint32_t kind = 0; kind < LEDGER_COUNT; kind++)
		assert_int_equal(actor_used(actor, (enum ledger_kind)kind),
				 before->ledger[kind].used + (uint64_t)times * charge->amount[kind]);
}

static void send_one(enum sent which, enum transfer_kind kind)
{
	struct cap_hold hold = hold_of(&from, sent[which]), received;
	uint32_t holds = hold_count(&hold);
	struct task_snapshot sender, receiver;
	struct charge charge = { .kinds = 0 };
	struct transfer_item item;
	struct transfer transfer = make(&item, 1);

	hold_charge(&hold, &charge);
	task_snapshot_take(&sender, from.process);
	task_snapshot_take(&receiver, to.process);
	assert_int_equal(prepare_one(&item, sent[which], kind), STATUS_OK);
	assert_int_equal(actor_has(&from, sent[which]), kind == TRANSFER_KIND_COPY);
	assert_false(actor_has(&to, item.target));
	assert_taken(&to, &receiver, &charge, 1);
	commit(&transfer);
	received = hold_of(&to, item.target);
	assert_same_hold(&received, &hold);
	assert_int_equal(cap_hold_origin(&received), from.process->id);
	assert_int_equal(actor_has(&from, sent[which]), kind == TRANSFER_KIND_COPY);
	if (hold_is_counted(&hold))
		assert_int_equal(hold_count(&hold), kind == TRANSFER_KIND_COPY ? holds + 1 : holds);
	assert_taken(&from, &sender, &charge, kind == TRANSFER_KIND_COPY ? 0 : -1);
	assert_taken(&to, &receiver, &charge, 1);
	actor_assert_valid(&from);
	actor_assert_valid(&to);
	assert_int_equal(process_capability_release(to.process, item.target), STATUS_OK);
	assert_taken(&to, &receiver, &charge, 0);
}

static void test_each_kind(void **state)
{
	(void)state;
	for (uint32_t which = 0; which < SENT_COUNT; which++) {
		for (uint32_t kind = TRANSFER_KIND_COPY; kind <= TRANSFER_KIND_MOVE; kind++) {
			enum status expected = expected_of((enum sent)which, (enum transfer_kind)kind);
			struct task_snapshot sender, receiver;
			struct transfer_item item;

			begin();
			if (expected == STATUS_OK) {
				send_one((enum sent)which, (enum transfer_kind)kind);
				end();
				continue;
			}
			task_snapshot_take(&sender, from.process);
			task_snapshot_take(&receiver, to.process);
			assert_int_equal(prepare_one(&item, sent[which], (enum transfer_kind)kind), expected);
			assert_true(task_snapshot_holds(&sender, from.process));
			assert_true(task_snapshot_holds(&receiver, to.process));
			end();
		}
	}
}

/* ---- lists ---- */

static void fill_list(struct transfer_item item[TRANSFERABLE], uint32_t moves)
{
	for (uint32_t i = 0; i < TRANSFERABLE; i++) {
		item[i].source = sent[i];
		item[i].kind = (moves >> i & 1) != 0 || i == SENT_CLIENT_MOVE ? TRANSFER_KIND_MOVE : TRANSFER_KIND_COPY;
	}
}

/* One that is wrong, at each place: nothing of the list is sent. */
static void test_one_is_wrong(void **state)
{
	struct transfer_item item[TRANSFERABLE];
	struct transfer transfer = make(item, TRANSFERABLE);
	struct task_snapshot sender, receiver;

	(void)state;
	begin();

	const struct {
		handle_t source;
		enum transfer_kind kind;
		enum status status;
	} wrong[] = {
		{ HANDLE_NONE, TRANSFER_KIND_COPY, STATUS_NO_SUCH_CAPABILITY },
		{ HANDLE_NONE, TRANSFER_KIND_MOVE, STATUS_NO_SUCH_CAPABILITY },
		{ UINT32_MAX, TRANSFER_KIND_MOVE, STATUS_NO_SUCH_CAPABILITY },
		{ sent[SENT_TIMER] + 0x10000, TRANSFER_KIND_COPY, STATUS_NO_SUCH_CAPABILITY },
		{ sent[SENT_MEMORY], TRANSFER_KIND_COPY, STATUS_NOT_TRANSFERABLE },
		{ sent[SENT_HANDLE], TRANSFER_KIND_MOVE, STATUS_NOT_TRANSFERABLE },
		{ sent[SENT_CLIENT_MOVE], TRANSFER_KIND_COPY, STATUS_NOT_TRANSFERABLE },
	};

	transfer.from = from.process;
	transfer.to = to.process;
	task_snapshot_take(&sender, from.process);
	task_snapshot_take(&receiver, to.process);
	for (uint32_t place = 0; place < TRANSFERABLE - 1; place++) {
		for (uint32_t i = 0; i < COUNT_OF(wrong); i++) {
			fill_list(item, place * 5);
			item[place].source = wrong[i].source;
			item[place].kind = wrong[i].kind;
			assert_int_equal(prepare(&transfer), wrong[i].status);
			assert_true(task_snapshot_holds(&sender, from.process));
			assert_true(task_snapshot_holds(&receiver, to.process));
		}
	}
	end();
}

/* An id twice in a list: what is moved is not there a second time. */
static void test_duplicates(void **state)
{
	static const struct {
		enum transfer_kind first, second;
		enum status status;
	} twice[] = {
		{ TRANSFER_KIND_MOVE, TRANSFER_KIND_MOVE, STATUS_NO_SUCH_CAPABILITY },
		{ TRANSFER_KIND_MOVE, TRANSFER_KIND_COPY, STATUS_NO_SUCH_CAPABILITY },
		{ TRANSFER_KIND_COPY, TRANSFER_KIND_MOVE, STATUS_OK },
		{ TRANSFER_KIND_COPY, TRANSFER_KIND_COPY, STATUS_OK },
	};

	(void)state;
	for (uint32_t which = 0; which < SENT_CLIENT_MOVE; which++) {
		for (uint32_t i = 0; i < COUNT_OF(twice); i++) {
			struct task_snapshot sender, receiver;
			struct transfer_item item[2];
			struct transfer transfer;

			begin();
			transfer = make(item, 2);
			item[0] = (struct transfer_item){ .source = sent[which], .kind = twice[i].first };
			item[1] = (struct transfer_item){ .source = sent[which], .kind = twice[i].second };
			task_snapshot_take(&sender, from.process);
			task_snapshot_take(&receiver, to.process);
			assert_int_equal(prepare(&transfer), twice[i].status);
			if (twice[i].status == STATUS_OK) {
				commit(&transfer);
				assert_int_equal(actor_has(&from, sent[which]), twice[i].second == TRANSFER_KIND_COPY);
				assert_int_not_equal(item[0].target, item[1].target);
				assert_true(actor_has(&to, item[0].target) && actor_has(&to, item[1].target));
			} else {
				assert_true(task_snapshot_holds(&sender, from.process));
				assert_true(task_snapshot_holds(&receiver, to.process));
			}
			actor_assert_valid(&from);
			actor_assert_valid(&to);
			end();
		}
	}
}

/* Each mixture of copies and moves, given up after all was ready: but for generations, as if it had never been. */
static void test_abort(void **state)
{
	(void)state;
	for (uint32_t moves = 0; moves < 1u << TRANSFERABLE; moves++) {
		struct transfer_item item[TRANSFERABLE];
		struct task_snapshot sender, receiver;
		struct transfer transfer;

		begin();
		transfer = make(item, TRANSFERABLE);
		fill_list(item, moves);
		task_snapshot_take(&sender, from.process);
		task_snapshot_take(&receiver, to.process);
		assert_int_equal(prepare(&transfer), STATUS_OK);
		give_up(&transfer);
		assert_true(task_snapshot_holds(&sender, from.process));
		receiver.slots = 0; /* each id that was reserved is used up */
		task_snapshot_take(&sender, to.process);
		sender.slots = 0;
		sender.caps.free_head = receiver.caps.free_head;
		assert_memory_equal(&sender, &receiver, sizeof(sender));
		actor_assert_valid(&from);
		actor_assert_valid(&to);
		end();
	}
}

static void test_nothing(void **state)
{
	struct task_snapshot sender;
	struct transfer transfer;

	(void)state;
	begin();
	transfer = make(NULL, 0);
	task_snapshot_take(&sender, from.process);
	assert_int_equal(prepare(&transfer), STATUS_OK);
	give_up(&transfer);
	assert_int_equal(prepare(&transfer), STATUS_OK);
	commit(&transfer);
	assert_true(task_snapshot_holds(&sender, from.process));
	end();
}

/* ---- what the receiver has not ---- */

/* All of them with so little room in one ledger, or with that promise refused. */
static enum status try_all(struct transfer *transfer)
{
	struct task_snapshot sender, receiver;
	enum status status;

	task_snapshot_take(&sender, from.process);
	task_snapshot_take(&receiver, to.process);
	status = prepare(transfer);
	if (status == STATUS_OK)
		return STATUS_OK;
	assert_int_equal(status, STATUS_RECEIVER_LIMIT);
	assert_true(task_snapshot_holds(&sender, from.process));
	assert_true(task_snapshot_holds(&receiver, to.process));
	return status;
}

static void limit_receiver(enum ledger_kind kind, uint64_t need)
{
	uint64_t step = need / host_rounds(MOST_VALUES) + 1;
	struct transfer_item item[TRANSFERABLE];
	struct transfer transfer;

	begin();
	transfer = make(item, TRANSFERABLE);
	fill_list(item, 6);
	for (uint64_t below = need; below > 0; below -= below < step ? below : step) {
		machine_set_limit(&to.process->account, kind, actor_used(&to, kind) + below - 1);
		assert_int_equal(try_all(&transfer), STATUS_RECEIVER_LIMIT);
	}
	machine_set_limit(&to.process->account, kind, actor_used(&to, kind) + need);
	assert_int_equal(try_all(&transfer), STATUS_OK);
	commit(&transfer);
	actor_assert_valid(&from);
	actor_assert_valid(&to);
	end();
}

static void test_receiver_ledgers(void **state)
{
	struct charge charge = { .kinds = 0 };

	(void)state;
	begin();
	for (uint32_t i = 0; i < TRANSFERABLE; i++) {
		struct cap_hold hold = hold_of(&from, sent[i]);

		hold_charge(&hold, &charge);
	}
	end();
	assert_int_equal(charge.amount[LEDGER_CAP_SLOTS], TRANSFERABLE);
	assert_int_equal(charge.amount[LEDGER_FRAME_GRANT], OBJECT_PAGES);
	assert_int_equal(charge.amount[LEDGER_KERNEL_OBJECT],
			 3 * sizeof(struct endpoint) + memory_object_kernel_bytes(OBJECT_PAGES, 0));
	for (uint32_t kind = 0; kind < LEDGER_COUNT; kind++)
		if (charge.amount[kind] != 0)
			limit_receiver((enum ledger_kind)kind, charge.amount[kind]);
}

/* A page for the receiver's table: its own to pay for, and to find. */
static void test_receiver_grows(void **state)
{
	struct transfer_item item[TRANSFERABLE];
	struct task_snapshot sender;
	struct transfer transfer;

	(void)state;
	begin();
	while (to.process->caps.used < CAP_SLOTS_PER_PAGE - 2)
		(void)actor_grant(&to, INTERFACE_TIMER, TRANSFER_COPY, NULL);
	transfer = make(item, TRANSFERABLE);
	fill_list(item, 31);
	(void)machine_refuse_promise(0);
	assert_int_equal(try_all(&transfer), STATUS_RECEIVER_LIMIT);
	assert_true(machine_refuse_promise(UINT64_MAX));
	task_snapshot_take(&sender, from.process);
	assert_int_equal(prepare(&transfer), STATUS_OK);
	assert_int_equal(to.process->caps.pages, 2);
	give_up(&transfer);
	sender.free--; /* the page stays, and is paid for */
	sender.uses[FRAME_FREE]--;
	sender.uses[FRAME_CAP_TABLE]++;
	assert_true(task_snapshot_holds(&sender, from.process));
	actor_assert_valid(&to);
	end();
}

static void test_receiver_full(void **state)
{
	struct transfer_item item;

	(void)state;
	begin();
	while (to.process->caps.used < CAP_TABLE_MAX_SLOTS)
		(void)actor_grant(&to, INTERFACE_TIMER, TRANSFER_COPY, NULL);
	assert_int_equal(prepare_one(&item, sent[SENT_OBJECT], TRANSFER_KIND_MOVE), STATUS_RECEIVER_LIMIT);
	assert_true(actor_has(&from, sent[SENT_OBJECT]));
	actor_assert_valid(&from);
	end();
}

/* ---- in each other's way ---- */

/* Two on their way to one receiver: each has its own slots, whatever becomes of the other one. */
static void test_two_transfers(void **state)
{
	(void)state;
	for (uint32_t fate = 0; fate < 8; fate++) { /* order, and which are given up */
		struct transfer_item item[2][2];
		struct transfer transfer[2];

		begin();
		while (to.process->caps.used < CAP_SLOTS_PER_PAGE - 3) /* room for one of them */
			(void)actor_grant(&to, INTERFACE_TIMER, TRANSFER_COPY, NULL);
		for (uint32_t i = 0; i < 2; i++) {
			transfer[i] = make(item[i], 2);
			item[i][0] = (struct transfer_item){ .source = sent[SENT_OBJECT], .kind = TRANSFER_KIND_COPY };
			item[i][1] = (struct transfer_item){ .source = sent[i == 0 ? SENT_OWNER : SENT_CLIENT],
							     .kind = TRANSFER_KIND_MOVE };
			assert_int_equal(prepare(&transfer[i]), STATUS_OK);
		}
		assert_int_not_equal(item[0][0].target, item[1][0].target);
		for (uint32_t k = 0; k < 2; k++) {
			uint32_t i = (fate & 1) != 0 ? 1 - k : k;
			bool is_given_up = (fate >> (1 + i) & 1) != 0;

			if (is_given_up)
				give_up(&transfer[i]);
			else
				commit(&transfer[i]);
			assert_int_equal(actor_has(&to, item[i][0].target), !is_given_up);
			assert_int_equal(actor_has(&to, item[i][1].target), !is_given_up);
			assert_int_equal(actor_has(&from, item[i][1].source), is_given_up);
		}
		actor_assert_valid(&from);
		actor_assert_valid(&to);
		end();
	}
}

/* The sender lets go of a copy's source before it arrives: the object lives on in the receiver. */
static void test_released_meanwhile(void **state)
{
	struct cap_hold hold;
	struct transfer_item item;
	struct transfer transfer;

	(void)state;
	begin();
	transfer = make(&item, 1);
	assert_int_equal(prepare_one(&item, sent[SENT_OBJECT], TRANSFER_KIND_COPY), STATUS_OK);
	assert_int_equal(process_capability_release(from.process, sent[SENT_OBJECT]), STATUS_OK);
	commit(&transfer);
	hold = hold_of(&to, item.target);
	assert_int_equal(hold_count(&hold), 1);
	assert_true(memory_object_is_valid(hold.object));
	actor_assert_valid(&to);
	assert_int_equal(prepare_one(&item, sent[SENT_CLIENT], TRANSFER_KIND_COPY), STATUS_OK);
	assert_int_equal(process_capability_release(from.process, sent[SENT_CLIENT]), STATUS_OK);
	give_up(&transfer);
	actor_assert_valid(&from);
	end();
}

static uint64_t object_frames(void)
{
	struct memory_object_census census;

	memory_object_count(&census);
	assert_true(census.valid);
	return census.frames;
}

/*
 * The last who hold an object let go of it while it is on its way: its frames go when the transfer is finished, and not
 * before, since that is done with an endpoint's lock held. Refused by the list itself, by the receiver, given up, and
 * arrived and released again.
 */
static void test_last_use(void **state)
{
	(void)state;
	for (uint32_t fate = 0; fate < 4; fate++) {
		struct transfer_item item[2];
		struct transfer transfer;

		begin();
		transfer = make(item, fate == 0 ? 2 : 1);
		item[0] = (struct transfer_item){ .source = sent[SENT_OBJECT], .kind = TRANSFER_KIND_COPY };
		item[1] = (struct transfer_item){ .source = HANDLE_NONE, .kind = TRANSFER_KIND_COPY };
		if (fate == 1)
			machine_set_limit(&to.process->account, LEDGER_CAP_SLOTS, actor_used(&to, LEDGER_CAP_SLOTS));
		assert_int_equal(transfer_prepare(&transfer), fate == 0   ? STATUS_NO_SUCH_CAPABILITY
							      : fate == 1 ? STATUS_RECEIVER_LIMIT
									  : STATUS_OK);
		assert_int_equal(process_capability_release(from.process, sent[SENT_OBJECT]), STATUS_OK);
		if (fate == 2)
			transfer_abort(&transfer);
		if (fate == 3) {
			transfer_commit(&transfer);
			assert_int_equal(process_capability_release(to.process, item[0].target), STATUS_OK);
		}
		assert_int_equal(object_frames(), OBJECT_PAGES);
		transfer_finish(&transfer);
		assert_int_equal(object_frames(), 0);
		end();
	}
}

/* To itself: a new id for what it has. */
static void test_to_itself(void **state)
{
	struct task_snapshot before;
	struct transfer_item item;
	struct transfer transfer;

	(void)state;
	begin();
	transfer = (struct transfer){ from.process, from.process, 1, &item, STATUS_OK };
	task_snapshot_take(&before, from.process);
	item = (struct transfer_item){ .source = sent[SENT_OBJECT], .kind = TRANSFER_KIND_MOVE };
	assert_int_equal(prepare(&transfer), STATUS_OK);
	commit(&transfer);
	assert_false(actor_has(&from, sent[SENT_OBJECT]));
	assert_true(actor_has(&from, item.target));
	for (uint32_t kind = 0; kind < LEDGER_COUNT; kind++)
		assert_int_equal(actor_used(&from, (enum ledger_kind)kind), before.ledger[kind].used);
	actor_assert_valid(&from);
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_kind),      cmocka_unit_test(test_one_is_wrong),
		cmocka_unit_test(test_duplicates),     cmocka_unit_test(test_abort),
		cmocka_unit_test(test_nothing),        cmocka_unit_test(test_receiver_ledgers),
		cmocka_unit_test(test_receiver_grows), cmocka_unit_test(test_receiver_full),
		cmocka_unit_test(test_two_transfers),  cmocka_unit_test(test_released_meanwhile),
		cmocka_unit_test(test_to_itself),      cmocka_unit_test(test_last_use),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
