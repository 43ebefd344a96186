#include "lib/deadline_heap.h"

#include "lib/check.h"

/* Two heaps, by their roots, become one. The root's own links to others are left to set_root. */
static struct deadline_node *meld(struct deadline_node *a, struct deadline_node *b)
{
	struct deadline_node *above = b->deadline < a->deadline ? b : a;
	struct deadline_node *below = above == a ? b : a;

	below->next = above->child;
	below->previous = above;
	if (below->next != NULL)
		below->next->previous = below;
	above->child = below;
	return above;
}

/*
 * The heaps of a list of siblings become one; not empty. First in pairs from the left, then the pairs from the right:
 * the order that makes removal logarithmic in the long run (Fredman, Sedgewick, Sleator, Tarjan 1986).
 */
static struct deadline_node *meld_siblings(struct deadline_node *first)
{
	struct deadline_node *pairs = NULL; /* linked by `next`, the last pair first */
	struct deadline_node *all;

	do {
		struct deadline_node *second = first->next;
		struct deadline_node *rest = second != NULL ? second->next : NULL;
		struct deadline_node *pair = second != NULL ? meld(first, second) : first;

		pair->next = pairs;
		pairs = pair;
		first = rest;
	} while (first != NULL);
	all = pairs;
	pairs = pairs->next;
	while (pairs != NULL) {
		struct deadline_node *rest = pairs->next;

		all = meld(all, pairs);
		pairs = rest;
	}
	return all;
}

static void set_root(struct deadline_heap *heap, struct deadline_node *root)
{
	heap->root = root;
	if (root == NULL)
		return;
	root->next = NULL;
	root->previous = root;
}

void deadline_heap_insert(struct deadline_heap *heap, struct deadline_node *node)
{
	CHECK(!deadline_node_is_in(node));
	set_root(heap, heap->root != NULL ? meld(heap->root, node) : node);
	heap->count++;
}

/* A node that is not the root, out from between its neighbours. What is below it stays with it. */
static void cut(struct deadline_node *node)
{
	if (node->previous->child == node)
		node->previous->child = node->next;
	else
		node->previous->next = node->next;
	if (node->next != NULL)
		node->next->previous = node->previous;
}

void deadline_heap_remove(struct deadline_heap *heap, struct deadline_node *node)
{
	struct deadline_node *below = NULL;

	CHECK(deadline_node_is_in(node));
	if (node != heap->root)
		cut(node);
	if (node->child != NULL)
		below = meld_siblings(node->child);
	if (node == heap->root)
		set_root(heap, below);
	else if (below != NULL)
		set_root(heap, meld(heap->root, below));
	node->child = NULL;
	node->next = NULL;
	node->previous = NULL;
	heap->count--;
}

/* Links and order of those right below a node; counts them. */
static bool children_are_valid(const struct deadline_node *node, uint64_t most, uint64_t *seen)
{
	const struct deadline_node *before = node;

	for (const struct deadline_node *child = node->child; child != NULL; child = child->next) {
		if (child->previous != before || child->deadline < node->deadline || ++*seen > most)
			return false;
		before = child;
	}
	return true;
}

/* The next one down, then to the right, then up and to the right; NULL at the end. Links are valid so far. */
static const struct deadline_node *next_in_order(const struct deadline_node *node)
{
	if (node->child != NULL)
		return node->child;
	while (node->next == NULL && node->previous != node) {
		while (node->previous->child != node)
			node = node->previous;
		node = node->previous;
	}
	return node->next;
}

bool deadline_heap_is_valid(const struct deadline_heap *heap)
{
	uint64_t seen = 1;

	if (heap->root == NULL)
		return heap->count == 0;
	if (heap->root->previous != heap->root || heap->root->next != NULL)
		return false;
	for (const struct deadline_node *node = heap->root; node != NULL; node = next_in_order(node)) {
		if (!children_are_valid(node, heap->count, &seen))
			return false;
	}
	return seen == heap->count;
}
