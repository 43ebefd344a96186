#include "boot/shim/requests.h"

#include <stddef.h>

#include "boot/shim/report.h"
#include "lib/check.h"

static const uint64_t start_marker[] = {
	UINT64_C(0xf6b8f4b39de7d1ae),
	UINT64_C(0xfab91a6940fcb9cf),
	UINT64_C(0x785c6ed015d3e316),
	UINT64_C(0x181e920a7852b9d9),
};
static const uint64_t end_marker[] = { UINT64_C(0xadc0e0531bb10d03), UINT64_C(0x9572709f31764c62) };
static const uint64_t base_revision[] = { UINT64_C(0xf9562b2d5c95a6c8), UINT64_C(0x6a7b384944536bdc) };
static const uint64_t common[] = { REQUESTS_COMMON_0, REQUESTS_COMMON_1 };

#define BASE_REVISION_WORDS 3

static bool words_match(const uint64_t *at, const uint64_t *end, const uint64_t *wanted, size_t count)
{
	if ((size_t)(end - at) < count)
		return false;
	for (size_t i = 0; i < count; i++) {
		if (at[i] != wanted[i])
			return false;
	}
	return true;
}

/* The words between the last start marker and the first end marker. */
static void find_markers(uint64_t *image, const uint64_t *image_end, uint64_t **first, const uint64_t **end)
{
	*first = NULL;
	*end = NULL;
	for (uint64_t *at = image; at < image_end; at++) {
		if (words_match(at, image_end, start_marker, COUNT_OF(start_marker)))
			*first = at + COUNT_OF(start_marker);
		if (*end == NULL && words_match(at, image_end, end_marker, COUNT_OF(end_marker)))
			*end = at;
	}
	if (*first == NULL)
		report_refuse("the kernel has no Limine start marker");
	if (*end == NULL)
		report_refuse("the kernel has no Limine end marker");
	if (*end < *first)
		report_refuse("the kernel's Limine end marker comes before its start marker");
}

static void add_base_revision(struct requests *requests, uint64_t *tag)
{
	if (requests->base_revision != NULL)
		report_refuse("the kernel has two base revision tags");
	if (requests->end - tag < BASE_REVISION_WORDS)
		report_refuse("the base revision tag crosses the end marker");
	requests->base_revision = tag;
}

static void add_request(struct requests *requests, uint64_t *request)
{
	uint64_t *same;
	if (requests->end - request < REQUEST_EXTRA)
		report_refuse("a request crosses the end marker");
	if (requests_find(requests, request + 2, &same))
		report_refuse("the kernel makes one request twice");
	if (requests->count == REQUESTS_MAX)
		report_refuse("the kernel makes too many requests");
	requests->request[requests->count++] = request;
}

void requests_scan(uint64_t *image, uint64_t words, struct requests *requests)
{
	*requests = (struct requests){ .count = 0 };
	uint64_t *first;
	find_markers(image, image + words, &first, &requests->end);
	for (uint64_t *at = first; at < requests->end; at++) {
		if (words_match(at, requests->end, base_revision, COUNT_OF(base_revision)))
			add_base_revision(requests, at);
		if (words_match(at, requests->end, common, COUNT_OF(common)))
			add_request(requests, at);
	}
	if (requests->base_revision == NULL)
		report_refuse("the kernel has no base revision tag, and revision 0 is not served");
}

bool requests_find(const struct requests *requests, const uint64_t id[2], uint64_t **request)
{
	for (uint32_t i = 0; i < requests->count; i++) {
		uint64_t *candidate = requests->request[i];
		if (candidate[2] == id[0] && candidate[3] == id[1]) {
			*request = candidate;
			return true;
		}
	}
	return false;
}

uint64_t requests_extra(const struct requests *requests, const uint64_t *request, uint32_t index)
{
	if (requests->end - request <= (ptrdiff_t)REQUEST_EXTRA + (ptrdiff_t)index)
		report_refuse("a request crosses the end marker");
	return request[REQUEST_EXTRA + index];
}
