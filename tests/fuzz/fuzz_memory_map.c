#include <stdint.h>

#include "lib/check.h"
#include "lib/memory_map.h"
#include "lib/string.h"

#define RECORD_BYTES 9u
#define MODEL_FRAMES 64u
#define PAGE UINT64_C(4096)

struct record {
	uint64_t base, length;
	enum memory_kind kind;
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Small numbers near frames of the model, or, by the top bits of the first byte, anywhere. */
static struct record record_decode(const uint8_t *data)
{
	struct record record = { .kind = (enum memory_kind)((data[0] & 0x1f) % MEMORY_KIND_COUNT) };
	uint32_t base = 0, length = 0;

	memcpy(&base, data + 1, sizeof(base));
	memcpy(&length, data + 5, sizeof(length));
	record.base = base % (MODEL_FRAMES * PAGE);
	record.length = length % (MODEL_FRAMES * PAGE);
	if ((data[0] & 0x20) != 0)
		record.base &= ~(PAGE - 1);
	if ((data[0] & 0x40) != 0)
		record.length &= ~(PAGE - 1);
	if ((data[0] & 0x80) != 0)
		record.length = (uint64_t)length << 32 | base;
	return record;
}

/* What the frame must be once `record` is added to what it was (-1: nothing). */
static int model_frame(int kind, uint64_t frame, const struct record *record)
{
	const uint64_t first = frame * PAGE;
	const uint64_t last = first + (PAGE - 1);

	if (record->length == 0 || record->length - 1 > UINT64_MAX - record->base)
		return kind;

	const uint64_t record_last = record->base + (record->length - 1);
	const bool touched = record->base <= last && record_last >= first;
	const bool whole = record->base <= first && record_last >= last;

	if (!(record->kind == MEMORY_USABLE ? whole : touched))
		return kind;
	return (int)record->kind > kind ? (int)record->kind : kind;
}

static int map_frame(const struct memory_map *map, uint64_t frame)
{
	for (uint32_t i = 0; i < map->count; i++) {
		if (frame >= frame_to_u64(map->entry[i].frames.start) && frame < frame_to_u64(map->entry[i].frames.end))
			return (int)map->entry[i].kind;
	}
	return -1;
}

/* The map against a model of its first frames; what is refused changes neither. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct memory_map map;
	int model[MODEL_FRAMES];

	memory_map_init(&map);
	for (uint32_t i = 0; i < MODEL_FRAMES; i++)
		model[i] = -1;
	for (size_t at = 0; at + RECORD_BYTES <= size; at += RECORD_BYTES) {
		const struct record record = record_decode(data + at);

		const enum status status = memory_map_add(&map, record.base, record.length, record.kind);

		CHECK(memory_map_is_valid(&map));
		if (status != STATUS_OK) {
			CHECK(status == STATUS_MEMORY_MAP_TOO_LONG);
			continue;
		}
		for (uint32_t i = 0; i < MODEL_FRAMES; i++)
			model[i] = model_frame(model[i], i, &record);
	}
	for (uint32_t i = 0; i < MODEL_FRAMES; i++)
		CHECK(map_frame(&map, i) == model[i]);
	memory_map_convert(&map, MEMORY_LOADER_RECLAIMABLE, MEMORY_USABLE);
	CHECK(memory_map_is_valid(&map));
	for (uint32_t i = 0; i < MODEL_FRAMES; i++)
		CHECK(map_frame(&map, i) == (model[i] == MEMORY_LOADER_RECLAIMABLE ? MEMORY_USABLE : model[i]));
	return 0;
}
