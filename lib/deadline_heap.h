/*
 * Deadlines, the earliest first: an intrusive pairing heap. Whoever waits embeds a node; nothing is allocated, nothing
 * recurses. Insertion and a look at the first take a few steps; removal of any node takes O(log n) amortised, so one
 * removal may take as many steps as there are nodes, paid for by the insertions before it.
 *
 * Pure: no locks, no globals. The owner serialises. Invariant (deadline_heap_is_valid): no node is earlier than the one
 * above it. Of equal deadlines any may be first.
 */
#ifndef CAPOS_LIB_DEADLINE_HEAP_H
#define CAPOS_LIB_DEADLINE_HEAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* All zeros: in no heap. It may not move while it is in one. */
struct deadline_node {
	struct deadline_node *child;    /* first of those below it */
	struct deadline_node *next;     /* below the same one */
	struct deadline_node *previous; /* the same; the first child's is its parent, the root's is itself; else NULL */
	uint64_t deadline;              /* the owner's; fixed while it is in a heap */
};

/* All zeros: empty. */
struct deadline_heap {
	struct deadline_node *root;
	uint64_t count;
};

/* Its deadline is set; it is in no heap: CHECK. */
void deadline_heap_insert(struct deadline_heap *heap, struct deadline_node *node);

/* It is in this heap; that it is in one at all is a CHECK. */
void deadline_heap_remove(struct deadline_heap *heap, struct deadline_node *node);

/* One of the earliest, still in; NULL: the heap is empty. */
static inline struct deadline_node *deadline_heap_first(const struct deadline_heap *heap)
{
	return heap->root;
}

static inline bool deadline_node_is_in(const struct deadline_node *node)
{
	return node->previous != NULL;
}

/* Looks at every node. */
bool deadline_heap_is_valid(const struct deadline_heap *heap);

#endif
