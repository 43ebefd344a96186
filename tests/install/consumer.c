/* A program outside the tree that uses the installed library: built with pkg-config's flags alone. */
#include <lib/frame_bitmap.h>
#include <lib/ledger.h>

#include <stdio.h>
#include <stdlib.h>

void check_failed(const char *expression, const char *file, int line);

void check_failed(const char *expression, const char *file, int line)
{
	(void)fprintf(stderr, "%s:%d: %s\n", file, line, expression);
	abort();
}

int main(void)
{
	const uint64_t limits[LEDGER_COUNT] = { [LEDGER_FRAME_GRANT] = 3 };
	const uint64_t frames = 1000;
	void *storage = malloc(frame_bitmap_storage_bytes(frames));
	struct resource_ledger ledger;
	struct frame_bitmap bitmap;
	unsigned taken = 0;
	frame_t frame;

	resource_ledger_init(&ledger, limits);
	if (storage == NULL || frame_bitmap_init(&bitmap, frames, storage) != STATUS_OK)
		return 1;
	if (frame_bitmap_free(&bitmap, frame_range_make(10, 20)) != STATUS_OK)
		return 1;
	while (resource_ledger_charge(&ledger, LEDGER_FRAME_GRANT, 1) == STATUS_OK) {
		if (frame_bitmap_allocate(&bitmap, 0, &frame) != STATUS_OK)
			return 1;
		taken++;
	}
	printf("%u frames taken, %u left\n", taken, (unsigned)bitmap.free_frames);
	free(storage);
	return taken == 3 && bitmap.free_frames == 7 ? 0 : 1;
}
