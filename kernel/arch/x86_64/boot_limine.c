#include "kernel/arch/x86_64/boot_limine.h"

#define LIMINE_ID(third, fourth)                      \
	{                                             \
		.id = { UINT64_C(0xc7b1dd30df4c8b88), \
			UINT64_C(0x0a82e883a194f07b), \
			UINT64_C(third),              \
			UINT64_C(fourth) }            \
	}

volatile struct limine_requests boot_limine_requests __attribute__((section(".limine_requests"), used)) = {
	.start_marker = { UINT64_C(0xf6b8f4b39de7d1ae), UINT64_C(0xfab91a6940fcb9cf), UINT64_C(0x785c6ed015d3e316),
			  UINT64_C(0x181e920a7852b9d9) },
	.base_revision = { UINT64_C(0xf9562b2d5c95a6c8), UINT64_C(0x6a7b384944536bdc), LIMINE_BASE_REVISION },
	.direct_map = LIMINE_ID(0x48dcf1cb8ad2b852, 0x63984e959a98244b),
	.memory_map = LIMINE_ID(0x67cf3d9d378a806f, 0xe304acdfc50c3c62),
	.image_address = LIMINE_ID(0x71ba76863cc55f63, 0xb2644a48c516a487),
	.modules = LIMINE_ID(0x3e7e279702be32af, 0xca1c4f3bd1280cee),
	.rsdp = LIMINE_ID(0xc5e77b6b397e7b43, 0x27637845accdcf3c),
	.loader = LIMINE_ID(0xf55038d8e2a1202f, 0x279426fcf5f59740),
	.command_line = LIMINE_ID(0x4b161536e598651e, 0xb390ad4a2f1f303a),
	.image_file = LIMINE_ID(0xad97e90e83f1ed67, 0x31eb5d1c5ff23b69),
	.entropy = LIMINE_ID(0x65ea80255d5682c5, 0x9117240723f493eb),
	.entropy_words = LIMINE_ENTROPY_WORDS,
	.end_marker = { UINT64_C(0xadc0e0531bb10d03), UINT64_C(0x9572709f31764c62) },
};
