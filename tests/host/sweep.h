/*
 * All or nothing, seen: an operation is refused at each point where something can run out, and after each refusal
 * everything must be as it was. In the end nothing runs out, and it works.
 */
#ifndef CAPOS_TESTS_HOST_SWEEP_H
#define CAPOS_TESTS_HOST_SWEEP_H

#include <stdbool.h>
#include <stdint.h>

#include "abi/status.h"
#include "lib/ledger.h"

/* What is swept. Each function gets `subject`. */
struct sweep {
	void *subject;
	enum status (*run)(void *subject);
	void (*remember)(void *subject);     /* how things are */
	bool (*is_unchanged)(void *subject); /* since then; says what has changed */
	/* Leave the ledger room for so much more than it has used. */
	void (*leave_room)(void *subject, enum ledger_kind kind, uint64_t room);
	uint64_t most_values; /* of a ledger's room that are tried, fewer under slow tools */
};

/* The k-th promise of frames refused, for each k, until it works: OUT_OF_MEMORY, nothing changed. How many. */
uint64_t sweep_promises(const struct sweep *sweep);

/* Each room in the ledger below the need, or about `most_values` of them: its own refusal, nothing changed; then the
 * need, with which it works. */
void sweep_ledger(const struct sweep *sweep, enum ledger_kind kind, uint64_t need);

#endif
