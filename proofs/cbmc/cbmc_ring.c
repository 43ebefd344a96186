/*
 * lib/ring, the kernel's side: a page in which everything is what a hostile program makes it, also between two reads,
 * and any counts of the kernel's own.
 *
 * links: lib/ring.c
 * options ring_answers_nulls: --unwind 5
 */
#include "lib/ring.h"
#include "proofs/cbmc/cbmc_support.h"

#define RING_STEPS 3u

struct ring_page nondet_ring_page(void);

static struct ring_page ring;

/* What one look lets through is within the page, at every index, and fits the completion queue. */
PROOF(ring_look)
{
	const struct ring_kernel kernel = { .sq_head = nondet_u64(), .cq_tail = nondet_u64() };

	ring.header.sq_tail = nondet_u32();
	ring.header.cq_head = nondet_u32();

	const struct ring_look look = ring_kernel_look(&kernel, &ring);

	PROVE(look.pending <= UINT32_MAX && look.waiting <= UINT32_MAX);
	PROVE(ring_look_fits(look) ==
	      (look.pending >= 1 && look.pending <= RING_SQ_ENTRIES && look.pending + look.waiting <= RING_CQ_ENTRIES));
	PROVE(!ring_look_fits(look) || ring_look_is_possible(look));
}

/* Each word of each entry lies in its own array; going on is the next index, wrap and all. */
PROOF(ring_places)
{
	const uint32_t index = nondet_u32(), word = nondet_u32();
	const uint64_t from = ring_submission_place(index), to = ring_completion_place(index);
	const uint8_t *start = (const uint8_t *)&ring;

	PROVE(ring_submission_next(from) == ring_submission_place(index + 1));
	PROVE(ring_completion_next(to) == ring_completion_place(index + 1));
	ASSUME(word < sizeof(struct ring_submission) / sizeof(uint64_t));
	PROVE((const uint8_t *)ring_submission_word(&ring, from, word) - start ==
	      (ptrdiff_t)(__builtin_offsetof(struct ring_page, submission) +
			  index % RING_SQ_ENTRIES * sizeof(struct ring_submission) + word * sizeof(uint64_t)));
	ASSUME(word < sizeof(struct ring_completion) / sizeof(uint64_t));
	PROVE((const uint8_t *)ring_completion_word(&ring, to, word) - start ==
	      (ptrdiff_t)(__builtin_offsetof(struct ring_page, completion) +
			  index % RING_CQ_ENTRIES * sizeof(struct ring_completion) + word * sizeof(uint64_t)));
}

/* What is decoded from a first word is what the program's side put into it. */
PROOF(ring_decode)
{
	const enum ring_opcode opcode = (enum ring_opcode)nondet_u8();
	const uint16_t operation = nondet_u16();
	const handle_t capability = nondet_u32();
	const uint8_t accepts = nondet_u8();
	struct ring_submission slot;

	ring_fill(&slot, opcode, operation, capability, 0);
	PROVE(slot.accepts == 0);
	slot.accepts = accepts;

	const uint64_t first = *(const ring_word_t *)(const void *)&slot;

	PROVE(ring_first_opcode(first) == (uint8_t)opcode && ring_first_accepts(first) == accepts);
	PROVE(ring_first_operation(first) == operation && ring_first_capability(first) == capability);
}

/* Null operations: as many completions as submissions taken, each taken one such; no index of the program's is touched.
 */
PROOF(ring_answers_nulls)
{
	struct ring_kernel kernel = { .sq_head = UINT64_MAX - 1, .cq_tail = UINT32_MAX }; /* both wrap */
	const struct ring_kernel before = kernel;
	const uint64_t pending = nondet_u64();

	ring = nondet_ring_page();

	const struct ring_header header = ring.header;
	const uint32_t step = nondet_u32();

	ASSUME(step < RING_STEPS);

	const uint64_t first = ring_read_first(&ring, ring_submission_place((uint32_t)kernel.sq_head + step));

	ASSUME(pending >= 1 && pending <= RING_STEPS);

	const uint64_t left = ring_kernel_answer_nulls(&kernel, &ring, pending);

	PROVE(left <= pending);
	PROVE(step >= pending - left || (uint16_t)first == RING_NOP);
	PROVE(kernel.sq_head - before.sq_head == pending - left && kernel.cq_tail - before.cq_tail == pending - left);
	PROVE(ring.header.sq_tail == header.sq_tail && ring.header.cq_head == header.cq_head);
	PROVE(left == 0 ||
	      (uint16_t)ring_read_first(&ring, ring_submission_place((uint32_t)kernel.sq_head)) != RING_NOP);
}
