/*
 * lib/deadline_heap: any HEAP_NODES deadlines, put in one after the other, any of them taken out, then another.
 *
 * links: lib/deadline_heap.c
 * options deadline_heap_of_any: --unwind 5
 */
#include "lib/deadline_heap.h"
#include "proofs/cbmc/cbmc_support.h"

#define HEAP_NODES 3u

static void prove_first(const struct deadline_heap *heap, const struct deadline_node *node)
{
	PROVE(deadline_heap_is_valid(heap));
	for (uint32_t i = 0; i < HEAP_NODES; i++) {
		if (deadline_node_is_in(&node[i]))
			PROVE(deadline_heap_first(heap)->deadline <= node[i].deadline);
	}
}

PROOF(deadline_heap_of_any)
{
	static struct deadline_node node[HEAP_NODES];
	static struct deadline_heap heap;
	const uint32_t one = nondet_u32(), other = nondet_u32();

	for (uint32_t i = 0; i < HEAP_NODES; i++) {
		node[i].deadline = nondet_u64();
		deadline_heap_insert(&heap, &node[i]);
	}
	PROVE(heap.count == HEAP_NODES);
	prove_first(&heap, node);
	ASSUME(one < HEAP_NODES && other < HEAP_NODES && one != other);
	deadline_heap_remove(&heap, &node[one]);
	PROVE(heap.count == HEAP_NODES - 1 && !deadline_node_is_in(&node[one]) && deadline_node_is_in(&node[other]));
	prove_first(&heap, node);
	deadline_heap_remove(&heap, &node[other]);
	PROVE(heap.count == HEAP_NODES - 2 && !deadline_node_is_in(&node[other]));
	prove_first(&heap, node);
}
