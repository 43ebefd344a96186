/*
 * lib/range: for every number that a caller can give. What is accepted is exactly what is whole, inside the user half,
 * clear of the window, and does not wrap; refusals come in the order that the header says; no sum or difference wraps.
 */
#include "proofs/wp/wp_support.h"
#include "lib/range.h"

/*@ predicate is_range(struct uaddr_range r) = r.start.raw <= r.end.raw;
    predicate whole_page(integer n) = n % PAGE_SIZE == 0; */

/*@ assigns \nothing;
    ensures \result == true <==> whole_page(value); */
static inline bool u64_is_page_aligned(uint64_t value);

/*@ assigns \nothing;
    ensures \result.start.raw == start && \result.end.raw == end; */
static inline struct frame_range frame_range_make(uint64_t start, uint64_t end);

/*@ requires start <= end;
    assigns \nothing;
    ensures \result.start.raw == start && \result.end.raw == end && is_range(\result); */
static inline struct uaddr_range uaddr_range_make(uint64_t start, uint64_t end);

/*@ requires range.start.raw <= range.end.raw;
    assigns \nothing;
    ensures \result == range.end.raw - range.start.raw; */
static inline uint64_t frame_range_count(struct frame_range range);

/*@ requires is_range(range);
    assigns \nothing;
    ensures \result == range.end.raw - range.start.raw; */
static inline uint64_t uaddr_range_bytes(struct uaddr_range range);

/*@ requires is_range(range);
    assigns \nothing;
    ensures \result == (range.end.raw - range.start.raw) / PAGE_SIZE; */
static inline uint64_t uaddr_range_pages(struct uaddr_range range);

/*@ requires is_range(a) && is_range(b);
    assigns \nothing;
    ensures common: a.start.raw < a.end.raw && b.start.raw < b.end.raw ==> (\result == true <==>
      \exists integer n; a.start.raw <= n < a.end.raw && b.start.raw <= n < b.end.raw); */
static inline bool uaddr_range_overlaps(struct uaddr_range a, struct uaddr_range b);

/*@ assigns \nothing;
    ensures \result == true <==> range.start.raw <= address.raw < range.end.raw; */
static inline bool uaddr_range_contains(struct uaddr_range range, uaddr_t address);

/*@ requires \valid(range);
    assigns *range;
    ensures order: \result == (length == 0 ? STATUS_ZERO_LENGTH :
      start % PAGE_SIZE != 0 || length % PAGE_SIZE != 0 ? STATUS_MISALIGNED :
      start + length > UINT64_MAX ? STATUS_RANGE_WRAPS :
      start < USER_START || start + length > USER_LIMIT ? STATUS_NOT_USER_ADDRESS :
      start < BOOTSTRAP_END && start + length > BOOTSTRAP_START ? STATUS_BOOTSTRAP_RANGE : STATUS_OK);
    ensures made: \result == STATUS_OK ==> range->start.raw == start && range->end.raw == start + length &&
      is_range(*range) && whole_page(range->start.raw) && whole_page(range->end.raw);
    ensures refused: \result != STATUS_OK ==> *range == \old(*range); */
static inline enum status uaddr_range_of_pages(uint64_t start, uint64_t length, struct uaddr_range *range);

/*@ requires \valid(range);
    assigns *range;
    ensures order: \result == (start + length > UINT64_MAX ? STATUS_RANGE_WRAPS :
      start >= USER_LIMIT || start + length > USER_LIMIT ? STATUS_NOT_USER_ADDRESS : STATUS_OK);
    ensures made: \result == STATUS_OK ==> range->start.raw == start && range->end.raw == start + length &&
      is_range(*range);
    ensures refused: \result != STATUS_OK ==> *range == \old(*range); */
enum status uaddr_range_of_bytes(uint64_t start, uint64_t length, struct uaddr_range *range);

/*@ requires \valid(pages);
    assigns *pages;
    ensures order: \result == (length == 0 ? STATUS_ZERO_LENGTH : length % PAGE_SIZE != 0 ? STATUS_MISALIGNED :
      length > USER_LIMIT - USER_START ? STATUS_NOT_USER_ADDRESS : STATUS_OK);
    ensures made: \result == STATUS_OK ==> *pages * PAGE_SIZE == length;
    ensures refused: \result != STATUS_OK ==> *pages == \old(*pages); */
static inline enum status page_count_of_length(uint64_t length, uint64_t *pages);

/*@ assigns \nothing;
    ensures \result == (protection == 0 || protection == 1 || protection == 3 || protection == 5 ?
      STATUS_OK : STATUS_BAD_PROTECTION); */
static inline enum status protection_check(uint64_t protection);

#include "lib/range.c"
