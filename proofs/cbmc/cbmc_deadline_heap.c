/*
 * lib/deadline_heap: from any heap of up to NODES nodes, one node goes in or out. All links are pointers here, and each
 * is checked.
 *
 * A heap is built by hanging node after node below one that is in already, as its first child: so each shape, with each
 * order of siblings, is built under some numbering of the nodes. Shapes are taken one after the other, and so are the
 * nodes that go; deadlines are any that fit. Besides, the first goes from above as many as there are.
 *
 * links: lib/deadline_heap.c
 * options each: -DCAPOS_HOST --unwind 26
 */
#include "lib/deadline_heap.h"

#include "proofs/cbmc/cbmc_support.h"

#ifndef NODES
#define NODES 4u
#endif

/* Objects of their own, and not an array: a prover then knows better what a pointer may point to. */
static struct deadline_node a, b, c, d, e, f, g;
static struct deadline_node *const node[] = { &a, &b, &c, &d, &e, &f, &g };
#define ALL COUNT_OF(node)

static uint64_t deadline[ALL];
static struct deadline_heap heap;

/* As the first of those below `parent`. */
static void hang(struct deadline_node *parent, struct deadline_node *child)
{
	ASSUME(child->deadline >= parent->deadline);
	child->next = parent->child;
	child->previous = parent;
	if (parent->child != NULL)
		parent->child->previous = child;
	parent->child = child;
}

/* Of `nodes` nodes there are (nodes - 1)! shapes: the second is below the first, the third below one of two, ... */
static uint32_t shapes_of(uint32_t nodes)
{
	uint32_t shapes = 1;

	for (uint32_t i = 2; i < nodes; i++)
		shapes *= i;
	return shapes;
}

static void heap_of_shape(uint32_t nodes, uint32_t shape)
{
	for (uint32_t i = 0; i < ALL; i++) {
		deadline[i] = nondet_u64();
		*node[i] = (struct deadline_node){ NULL, NULL, NULL, deadline[i] };
	}
	heap = (struct deadline_heap){ nodes == 0 ? NULL : node[0], nodes };
	node[0]->previous = heap.root;
	for (uint32_t i = 1; i < nodes; i++) {
		hang(node[shape % i], node[i]);
		shape /= i;
	}
}

/* Its neighbours know it, and it stands where one of them says. */
static void prove_links(const struct deadline_node *one)
{
	const struct deadline_node *before = one->previous;

	PROVE(one->child == NULL || (one->child->previous == one && one->child != one));
	PROVE(one->next == NULL || (one->next->previous == one && one->next != one));
	PROVE(one->child == NULL || one->child != one->next);
	if (one == heap.root)
		PROVE(before == one && one->next == NULL);
	else
		PROVE(before != NULL && (before->child == one || before->next == one));
}

/* From any node up to the root: no node is earlier than its parent. A way that does not end there goes in a circle. */
static void prove_way_up(const struct deadline_node *one, uint32_t steps)
{
	for (uint32_t i = 0; i < steps && one != heap.root; i++) {
		PROVE(one->previous->child != one || one->previous->deadline <= one->deadline);
		one = one->previous;
	}
	PROVE(one == heap.root);
}

static void prove_in(uint32_t i, uint32_t count)
{
	PROVE(deadline_node_is_in(node[i]));
	prove_links(node[i]);
	prove_way_up(node[i], count - 1);
	PROVE(deadline_heap_first(&heap)->deadline <= deadline[i]);
}

static void prove_out(uint32_t i)
{
	PROVE(!deadline_node_is_in(node[i]) && node[i]->child == NULL && node[i]->next == NULL);
}

/* In the heap are the first `nodes` nodes, but `out`: each is there once, and no other. */
static void prove_heap(uint32_t nodes, uint32_t out)
{
	const uint32_t count = out < nodes ? nodes - 1 : nodes;

	PROVE(heap.count == count && (heap.root == NULL) == (count == 0));
	for (uint32_t i = 0; i < ALL; i++) {
		PROVE(node[i]->deadline == deadline[i]);
		if (i < nodes && i != out)
			prove_in(i, count);
		else
			prove_out(i);
	}
}

PROOF(deadline_heap_insert_any)
{
	for (uint32_t nodes = 0; nodes <= NODES; nodes++)
		for (uint32_t shape = 0; shape < shapes_of(nodes); shape++) {
			heap_of_shape(nodes, shape);
			deadline_heap_insert(&heap, node[nodes]);
			prove_heap(nodes + 1, ALL);
		}
}

/* The first is one of the least, and can be taken like any other. */
PROOF(deadline_heap_remove_any)
{
	for (uint32_t nodes = 1; nodes <= NODES; nodes++)
		for (uint32_t shape = 0; shape < shapes_of(nodes); shape++)
			for (uint32_t out = 0; out < nodes; out++) {
				heap_of_shape(nodes, shape);
				PROVE(deadline_heap_first(&heap) == node[0]);
				deadline_heap_remove(&heap, node[out]);
				prove_heap(nodes, out);
			}
}

/* All others right below the first: pairs of pairs. */
PROOF(deadline_heap_remove_above_many)
{
	for (uint32_t nodes = NODES + 1; nodes <= ALL; nodes++) {
		heap_of_shape(nodes, 0);
		deadline_heap_remove(&heap, node[0]);
		prove_heap(nodes, 0);
	}
}

/* The heap's own look at itself finds nothing wrong. */
PROOF(deadline_heap_looks_valid)
{
	for (uint32_t nodes = 0; nodes <= NODES; nodes++)
		for (uint32_t shape = 0; shape < shapes_of(nodes); shape++) {
			heap_of_shape(nodes, shape);
			PROVE(deadline_heap_is_valid(&heap));
		}
}
