#include "lib/bit_tree.h"

/* Words that hold that many bits; also the number of bits of the level above. */
static uint64_t words_of_bits(uint64_t bits)
{
	return bits / BITS_PER_WORD + (bits % BITS_PER_WORD != 0);
}

uint64_t bit_tree_words(uint64_t bits)
{
	uint64_t words = words_of_bits(bits), total = words;
	/*@ ghost uint32_t k = 1; */

	/*@ loop invariant 1 <= k <= 6 && words == up(bits - 1, k) + 1 && total == room(bits - 1, k);
	    loop invariant k == 1 || 0 < up(bits - 1, k - 1);
	    loop invariant words <= 0x40000000 && total <= k * 0x40000000;
	    loop assigns words, total, k;
	    loop variant 6 - k; */
	while (words > 1) {
		words = words_of_bits(words);
		total += words;
		/*@ ghost k++; */
	}
	return total;
}

static void words_zero(uint64_t *word, uint64_t count)
{
	/*@ loop invariant 0 <= i <= count && \forall integer j; 0 <= j < i ==> word[j] == 0;
	    loop assigns i, word[0 .. count - 1];
	    loop variant count - i; */
	for (uint64_t i = 0; i < count; i++)
		word[i] = 0;
}

/* The levels of a tree, one behind the other. */
static void tree_lay(struct bit_tree *tree, uint64_t bits, uint64_t *storage)
{
	uint64_t words = words_of_bits(bits), used = 0;

	*tree = (struct bit_tree){ .bits = bits, .levels = 1 };
	tree->level[0] = storage;
	/*@ assert tree->levels == 1; */
	/*@ loop invariant tree->bits == bits && 1 <= tree->levels <= 6;
	    loop invariant words == up(bits - 1, tree->levels) + 1 && used == room(bits - 1, tree->levels - 1);
	    loop invariant tree->levels == 1 || 0 < up(bits - 1, tree->levels - 1);
	    loop invariant words <= 0x40000000 && used <= tree->levels * 0x40000000;
	    loop invariant \forall integer k; 0 <= k < tree->levels ==> tree->level[k] == storage + room(bits - 1, k);
	    loop assigns words, used, tree->levels, tree->level[0 .. 5];
	    loop variant 6 - tree->levels; */
	while (words > 1 && tree->levels < BIT_TREE_LEVELS) {
		used += words;
		/*@ assert used == room(bits - 1, tree->levels); */
		tree->level[tree->levels] = storage + used;
		/*@ assert tree->level[tree->levels] == storage + room(bits - 1, tree->levels); */
		/*@ assert \forall integer k; 0 <= k < tree->levels ==> tree->level[k] == storage + room(bits - 1, k); */
		tree->levels++;
		words = words_of_bits(words);
	}
	/*@ assert last(tree, tree->levels) == 0; */
}

/* No bit set in a tree whose levels have so many words. */
static void tree_empty(struct bit_tree *tree, uint64_t words)
{
	/*@ assert \forall integer k; 0 <= k < tree->levels ==>
	      0 <= room(tree->bits - 1, k) && room(tree->bits - 1, k) + last(tree, k + 1) < words; */
	words_zero(tree->level[0], words);
	/*@ assert same_shape{Pre, Here}(tree); */
	/*@ assert tree->bits == \at(tree->bits, Pre) && tree->levels == \at(tree->levels, Pre); */
	/*@ assert in_a_row(tree); */
	/*@ assert sizes(tree); */
	/*@ assert \forall integer k; 0 <= k < tree->levels ==>
	      0 <= room(tree->bits - 1, k) && room(tree->bits - 1, k) + last(tree, k + 1) < words; */
	/*@ assert rooms(tree); */
	/*@ assert levels_apart(tree); */
	/*@ assert \forall integer i; 0 <= i < words ==> tree->level[0][i] == 0; */
	/*@ assert \forall integer k, i; 0 <= k < tree->levels && 0 <= i <= last(tree, k + 1) ==>
	      tree->level[0][room(tree->bits - 1, k) + i] == 0; */
	/*@ assert all_zero(tree); */
	/*@ assert words_cover(tree); */
	/*@ assert \forall integer k, n; 0 <= k < tree->levels && 0 <= n && n / 64 <= last(tree, k + 1) ==>
	      !bit_at(tree, k, n); */
	/*@ assert ends(tree); */
	/*@ assert \forall integer k, n; 1 <= k < tree->levels && 0 <= n <= last(tree, k) ==> !bit_at(tree, k, n); */
	/*@ assert \forall integer k, n; 1 <= k < tree->levels && 0 <= n <= last(tree, k) ==> tree->level[k - 1][n] == 0; */
	/*@ assert all_true(tree); */
}

void bit_tree_init(struct bit_tree *tree, uint64_t bits, uint64_t *storage)
{
	tree_lay(tree, bits, storage);
	tree_empty(tree, bit_tree_words(bits));
}

void bit_tree_word_filled(struct bit_tree *tree, uint64_t index)
{
	/*@ loop invariant 1 <= level <= tree->levels && shape(tree) && ends(tree) && same_shape{Pre, Here}(tree);
	    loop invariant 0 <= index <= last(tree, level) && tree->level[level - 1][index] != 0;
	    loop invariant true_but(tree, level, index);
	    loop invariant same_bits{Pre, Here}(tree);
	    loop assigns level, index, tree->level[0][0 .. room(\at(tree->bits, Pre) - 1, tree->levels) - 1];
	    loop variant tree->levels - level; */
	for (uint32_t level = 1; level < tree->levels; level++) {
		/*@ assert index / 64 <= last(tree, level + 1); */
		/*@ assert 0 <= room(tree->bits - 1, level) + index / 64 < room(tree->bits - 1, tree->levels); */
		if (bit_tree_raise(tree, level, index))
			return;
		index /= BITS_PER_WORD;
	}
}

void bit_tree_word_emptied(struct bit_tree *tree, uint64_t index)
{
	/*@ loop invariant 1 <= level <= tree->levels && shape(tree) && ends(tree) && same_shape{Pre, Here}(tree);
	    loop invariant 0 <= index <= last(tree, level) && tree->level[level - 1][index] == 0;
	    loop invariant true_but(tree, level, index);
	    loop invariant same_bits{Pre, Here}(tree);
	    loop assigns level, index, tree->level[0][0 .. room(\at(tree->bits, Pre) - 1, tree->levels) - 1];
	    loop variant tree->levels - level; */
	for (uint32_t level = 1; level < tree->levels; level++) {
		/*@ assert index / 64 <= last(tree, level + 1); */
		/*@ assert 0 <= room(tree->bits - 1, level) + index / 64 < room(tree->bits - 1, tree->levels); */
		if (bit_tree_lower(tree, level, index))
			return;
		index /= BITS_PER_WORD;
	}
}

/* The bits of [first, end) that lie in word `index`; the range touches it. */
static inline void word_set_range(struct bit_tree *tree, uint64_t index, uint64_t first, uint64_t end)
{
	const uint64_t old = bit_tree_word(tree, index);
	const uint64_t now = bits_with_all(old, bits_of_range(index, first, end));

	/*@ assert \forall integer b; 0 <= b < 64 ==>
	      (bit(now, b) <==> bit(old, b) || first <= index * 64 + b < end); */
	/*@ assert \forall integer b; 0 <= b < 64 && bit(old, b) ==> has(tree, 64 * index + b); */
	bit_tree_write_word(tree, index, now);
}

static inline void word_clear_range(struct bit_tree *tree, uint64_t index, uint64_t first, uint64_t end)
{
	const uint64_t old = bit_tree_word(tree, index);
	const uint64_t now = bits_without_all(old, bits_of_range(index, first, end));

	/*@ assert \forall integer b; 0 <= b < 64 ==>
	      (bit(now, b) <==> bit(old, b) && !(first <= index * 64 + b < end)); */
	/*@ assert \forall integer b; 0 <= b < 64 && bit(old, b) ==> has(tree, 64 * index + b); */
	bit_tree_write_word(tree, index, now);
}

void bit_tree_set_range(struct bit_tree *tree, uint64_t first, uint64_t end)
{
	/*@ loop invariant first / 64 <= i <= (end - 1) / 64 + 1;
	    loop invariant tree_fits(tree) && in_a_row(tree) && same_shape{Pre, Here}(tree);
	    loop invariant same_words_but_range{Pre, Here}(tree, first / 64, i);
	    loop invariant \forall integer n; first / 64 <= n / 64 < i && 0 <= n ==>
	      (has(tree, n) <==> has{Pre}(tree, n) || first <= n < end);
	    loop assigns i, tree->level[0][0 .. room(\at(tree->bits, Pre) - 1, \at(tree->levels, Pre)) - 1];
	    loop variant (end - 1) / 64 + 1 - i; */
	for (uint64_t i = first / BITS_PER_WORD; i <= (end - 1) / BITS_PER_WORD; i++)
		word_set_range(tree, i, first, end);
}

void bit_tree_clear_range(struct bit_tree *tree, uint64_t first, uint64_t end)
{
	/*@ loop invariant first / 64 <= i <= (end - 1) / 64 + 1;
	    loop invariant tree_fits(tree) && in_a_row(tree) && same_shape{Pre, Here}(tree);
	    loop invariant same_words_but_range{Pre, Here}(tree, first / 64, i);
	    loop invariant \forall integer n; first / 64 <= n / 64 < i && 0 <= n ==>
	      (has(tree, n) <==> has{Pre}(tree, n) && !(first <= n < end));
	    loop assigns i, tree->level[0][0 .. room(\at(tree->bits, Pre) - 1, \at(tree->levels, Pre)) - 1];
	    loop variant (end - 1) / 64 + 1 - i; */
	for (uint64_t i = first / BITS_PER_WORD; i <= (end - 1) / BITS_PER_WORD; i++)
		word_clear_range(tree, i, first, end);
}

static inline uint64_t word_at(const struct bit_tree *tree, uint32_t level, uint64_t index)
{
	return tree->level[level][index];
}

/* The lowest level at which a bit at or after `from` (a bit number of level 0) is set in its word, and that bit. */
static struct bit_place climb(const struct bit_tree *tree, uint64_t from)
{
	uint64_t size = tree->bits;

	/*@ loop invariant 0 <= k <= tree->levels && size == last(tree, k) + 1 && (k >= 1 ==> from >= 1);
	    loop invariant \forall integer n; 0 <= n < tree->bits && n < \at(from, Pre) ==> up(n, k) < from;
	    loop invariant \forall integer n; \at(from, Pre) <= n < tree->bits && has(tree, n) ==> from <= up(n, k);
	    loop assigns k, from, size;
	    loop variant tree->levels - k; */
	for (uint32_t k = 0; k < tree->levels && from < size; k++) {
		const uint64_t index = from / BITS_PER_WORD;
		/*@ assert 0 <= index <= last(tree, k + 1); */
		const uint64_t word = bits_of_rest(word_at(tree, k, index), (uint32_t)(from % BITS_PER_WORD));

		if (word != 0) {
			const uint64_t lowest = index * BITS_PER_WORD + bits_lowest(word);

			/*@ assert lowest / 64 == index && from <= lowest && bit_at(tree, k, lowest); */
			/*@ assert lowest <= last(tree, k); */
			/*@ assert \forall integer m; from <= m < lowest ==> !bit_at(tree, k, m); */
			return (struct bit_place){ k, lowest };
		}
		/*@ assert \forall integer m; from <= m && m / 64 == index ==> !bit_at(tree, k, m); */
		/*@ assert \forall integer n; \at(from, Pre) <= n < tree->bits && has(tree, n) ==> index < up(n, k) / 64; */
		from = index + 1;
		size = words_of_bits(size);
	}
	return (struct bit_place){ tree->levels, 0 };
}

/* The lowest bit of level 0 below a set bit of `level`. */
static uint64_t descend(const struct bit_tree *tree, uint32_t level, uint64_t bit)
{
	/*@ loop invariant 0 <= level <= \at(level, Pre) && 0 <= bit <= last(tree, level) && bit_at(tree, level, bit);
	    loop invariant \forall integer n; 0 <= n < tree->bits && up(n, level) == bit ==>
	      up(n, \at(level, Pre)) == \at(bit, Pre);
	    loop invariant \forall integer n; 0 <= n < tree->bits && has(tree, n) &&
	      up(n, \at(level, Pre)) >= \at(bit, Pre) ==> up(n, level) >= bit;
	    loop assigns level, bit;
	    loop variant level; */
	while (level > 0) {
		level--;
		/*@ assert bit <= last(tree, level + 1) <= tree->bits - 1; */
		bit = bit * BITS_PER_WORD + bits_lowest(word_at(tree, level, bit));
	}
	return bit;
}

bool bit_tree_find(const struct bit_tree *tree, uint64_t from, uint64_t *bit)
{
	/*@ ghost
	    /@ loop invariant 0 <= k < tree->levels;
	       loop invariant \forall integer j, n; 0 <= j <= k && 0 <= n < tree->bits && has(tree, n) ==>
		 bit_at(tree, j, up(n, j));
	       loop assigns k;
	       loop variant tree->levels - k; @/
	    for (uint32_t k = 0; k + 1 < tree->levels; k++) {
		    /@ assert \forall integer n; 0 <= n < tree->bits && has(tree, n) ==>
			 tree->level[k][up(n, k) / 64] != 0 && up(n, k) <= last(tree, k); @/
		    /@ assert \forall integer n; 0 <= n < tree->bits ==>
			 up(n, k + 1) == up(n, k) / 64 && up(n, k + 1) <= last(tree, k + 1); @/
		    /@ assert \forall integer n; 0 <= n < tree->bits && has(tree, n) ==>
			 bit_at(tree, k + 1, up(n, k + 1)); @/
	    }
	*/
	const struct bit_place at = climb(tree, from);

	if (at.level == tree->levels)
		return false;
	*bit = descend(tree, at.level, at.bit);
	return true;
}

uint64_t bit_tree_find_clear(const struct bit_tree *tree, uint64_t first, uint64_t end)
{
	/*@ loop invariant first / 64 <= i <= (end - 1) / 64 + 1;
	    loop invariant \forall integer n; first <= n < end && n / 64 < i ==> has(tree, n);
	    loop assigns i;
	    loop variant (end - 1) / 64 + 1 - i; */
	for (uint64_t i = first / BITS_PER_WORD; i <= (end - 1) / BITS_PER_WORD; i++) {
		const uint64_t clear = bits_without_all(bits_of_range(i, first, end), bit_tree_word(tree, i));

		/*@ assert \forall integer b; 0 <= b < 64 ==>
		      (bit(clear, b) <==> first <= i * 64 + b < end && !has(tree, 64 * i + b)); */

		if (clear != 0) {
			const uint64_t lowest = i * BITS_PER_WORD + bits_lowest(clear);

			/*@ assert lowest / 64 == i && first <= lowest < end; */
			/*@ assert \forall integer n; first <= n < lowest && n / 64 == i ==> !bit(clear, n % 64); */
			/*@ assert \forall integer n; first <= n < lowest && n / 64 == i ==> has(tree, n); */
			/*@ assert \forall integer n; first <= n < lowest ==> n < end && n / 64 <= i; */
			return lowest;
		}
	}
	return end;
}

/* Word `index` of level 0, 0 past the end. */
static uint64_t word_or_zero(const struct bit_tree *tree, uint64_t index)
{
	return index < words_of_bits(tree->bits) ? bit_tree_word(tree, index) : 0;
}

/* Runs of up to 64: all places of a word at which one begins are computed at once; a run reaches at most the next. */
static bool find_short_run(const struct bit_tree *tree, struct bit_run *run, uint64_t until, uint64_t *first)
{
	const uint64_t word_align = run->align <= BITS_PER_WORD ? 1 : run->align / BITS_PER_WORD;
	const uint64_t places = bits_multiples(run->align <= BITS_PER_WORD ? (uint32_t)run->align : BITS_PER_WORD);
	uint64_t bit;

	while (run->from < until) {
		if (!bit_tree_find(tree, run->from, &bit)) {
			run->from = tree->bits;
			return false;
		}
		const uint64_t index = bit / BITS_PER_WORD;

		if ((index & (word_align - 1)) == 0) {
			const uint64_t low = bit_tree_word(tree, index) & bits_from((uint32_t)(bit % BITS_PER_WORD));
			const uint64_t starts =
				places & bits_run_starts(low, word_or_zero(tree, index + 1), (uint32_t)run->count);

			if (starts != 0) {
				*first = index * BITS_PER_WORD + bits_lowest(starts);
				return true;
			}
		}
		run->from = bits_align_up(index + 1, word_align) * BITS_PER_WORD;
	}
	return false;
}

/* The bit after the last clear one of a word: 0 if all are set, 64 if the last is clear. */
static uint32_t start_of_tail(uint64_t word)
{
	return word == UINT64_MAX ? 0 : bits_highest(~word) + 1;
}

/*
 * The first bit at or after run->from from which all bits of its word are set: only there can a run over 64 begin.
 * False: there is none in the words before `until`; run->from is the first word behind those.
 */
static bool find_tail(const struct bit_tree *tree, struct bit_run *run, uint64_t until, uint64_t *first)
{
	uint64_t bit;

	while (run->from < until) {
		if (!bit_tree_find(tree, run->from, &bit)) {
			run->from = tree->bits;
			return false;
		}
		const uint64_t index = bit / BITS_PER_WORD;
		const uint64_t tail = index * BITS_PER_WORD + start_of_tail(bit_tree_word(tree, index));

		if (tail < (index + 1) * BITS_PER_WORD) {
			*first = tail > bit ? tail : bit;
			return true;
		}
		run->from = tail;
	}
	return false;
}

/* Runs over 64: from each tail of a word as far as it goes. The clear bit that ends it is where the next search starts.
 */
static bool find_long_run(const struct bit_tree *tree, struct bit_run *run, uint64_t until, uint64_t *first)
{
	uint64_t start;

	while (find_tail(tree, run, until, &start)) {
		start = bits_align_up(start, run->align);
		if (start > tree->bits || run->count > tree->bits - start) {
			run->from = tree->bits;
			return false;
		}
		run->from = bit_tree_find_clear(tree, start, start + run->count);
		if (run->from == start + run->count) {
			*first = start;
			return true;
		}
	}
	return false;
}

bool bit_tree_find_run(const struct bit_tree *tree, struct bit_run *run, uint64_t until, uint64_t *first)
{
	if (run->count <= BITS_PER_WORD)
		return find_short_run(tree, run, until, first);
	return find_long_run(tree, run, until, first);
}

/* The first `words` bits of `above` say which of the words of `below` are not zero. */
static bool summary_is_valid(const uint64_t *below, const uint64_t *above, uint64_t words)
{
	for (uint64_t i = 0; i < words; i++) {
		if (bits_test(above[i / BITS_PER_WORD], (uint32_t)(i % BITS_PER_WORD)) != (below[i] != 0))
			return false;
	}
	return true;
}

/* No bit at or above `bits` is set in the last word of a level. */
static bool end_is_clear(const uint64_t *word, uint64_t bits)
{
	const uint32_t rest = (uint32_t)(bits % BITS_PER_WORD);

	return rest == 0 || (word[bits / BITS_PER_WORD] & bits_from(rest)) == 0;
}

bool bit_tree_is_valid(const struct bit_tree *tree)
{
	uint64_t bits = tree->bits;

	if (bits == 0 || bits > BIT_TREE_MAX_BITS || tree->levels == 0 || tree->levels > BIT_TREE_LEVELS)
		return false;
	for (uint32_t level = 0; level < tree->levels; level++) {
		const bool is_top = level + 1 == tree->levels;

		if (!end_is_clear(tree->level[level], bits))
			return false;
		bits = words_of_bits(bits);
		if (!is_top && !summary_is_valid(tree->level[level], tree->level[level + 1], bits))
			return false;
	}
	return bits == 1;
}
