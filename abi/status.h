/*
 * The one closed list of outcomes, from a guard in the kernel to the caller in ring 3.
 *
 * STATUS_OK is 0. A completion carries the negated number (result = -status), so numbers never change once
 * published; new ones are added at the end of their block. status_name() in lib/status.h gives the text.
 */
#ifndef CAPOS_ABI_STATUS_H
#define CAPOS_ABI_STATUS_H

/* An ignored status is an error at compile time. The provers' parsers do not know the attribute. */
#if defined(__FRAMAC__) || defined(__CPROVER__)
#define STATUS_MUST_USE
#else
#define STATUS_MUST_USE [[nodiscard]]
#endif

enum STATUS_MUST_USE status {
	STATUS_OK = 0,

	/* The request itself is malformed; nothing was looked up or changed. */
	STATUS_BAD_ARGUMENT = 1,     /* a value outside its documented set */
	STATUS_ZERO_LENGTH = 2,      /* a range or count of nothing */
	STATUS_MISALIGNED = 3,       /* an address, offset or length that is not a whole number of pages */
	STATUS_RANGE_WRAPS = 4,      /* start + length passes 2^64 */
	STATUS_NOT_USER_ADDRESS = 5, /* the range leaves the user half, or touches its never-mappable edges */
	STATUS_BAD_PROTECTION = 6,   /* writable and executable, write without read, or an unknown bit */
	STATUS_UNSUPPORTED = 7,      /* unknown opcode, operation number, flag or version */
	STATUS_BUFFER_FAULT = 8,     /* a user buffer is not mapped with the access that the call needs */
	STATUS_TOO_LONG = 9,         /* a string or buffer is longer than the call takes */
	STATUS_NOT_FOUND = 10,       /* no entry of that name or index */

	/* The capability named by the request. */
	STATUS_NO_SUCH_CAPABILITY = 16, /* stale, forged or released id */
	STATUS_WRONG_INTERFACE = 17,    /* the capability is of another interface than the operation needs */
	STATUS_NOT_TRANSFERABLE = 18,   /* the hold may not leave its process */
	STATUS_GONE = 19,               /* the other side, or the object behind the capability, has ended */
	STATUS_NOT_ACCEPTED = 20,       /* more capabilities are sent than the other side takes with this message */

	/* The address space refuses. */
	STATUS_BOOTSTRAP_RANGE = 32,        /* the range touches the ring or CapSet window */
	STATUS_NOT_RESERVED = 33,           /* some page lies outside the caller's anonymous reservations */
	STATUS_NOT_COMMITTED = 34,          /* some page is reserved but has no frame */
	STATUS_OCCUPIED = 35,               /* a fixed range is not empty */
	STATUS_NO_SPACE = 36,               /* no gap of that length in the address space */
	STATUS_NOT_BORROWED = 37,           /* some page is not a mapping of a memory object */
	STATUS_OTHER_OBJECT = 38,           /* some page is a mapping of a different memory object */
	STATUS_BEYOND_OBJECT = 39,          /* offset + length passes the end of the memory object */
	STATUS_NOT_PRIVATE = 40,            /* a word to park on that lies in no anonymous or image page */
	STATUS_NOT_PERMITTED = 41,          /* the capability is a narrower one: this page or access is not in it */
	STATUS_LAYOUT_IMAGE_TOO_LOW = 42,   /* the image touches the hole that catches null pointers */
	STATUS_LAYOUT_IMAGE_TOO_HIGH = 43,  /* the image leaves no room for a heap below the mappings */
	STATUS_LAYOUT_STACK_TOO_LARGE = 44, /* the stack with its guard and offset leaves no room for mappings */
	STATUS_STACK_OVERFLOW = 45,         /* an access to the guard below the first thread's stack */
	STATUS_HEAP_MEETS_MAPPING = 46,     /* the break would pass the heap's end, or a page in its way is not empty */

	/* Something ran out. The ledger that refused is part of the answer. */
	STATUS_OUT_OF_MEMORY = 48,            /* no frame is free anywhere in the system */
	STATUS_NO_CONTIGUOUS_RUN = 49,        /* frames are free, but not enough of them side by side */
	STATUS_OVER_VIRTUAL_RESERVATION = 50, /* ledger virtual_reservation_pages */
	STATUS_OVER_FRAME_GRANT = 51,         /* ledger frame_grant_pages */
	STATUS_OVER_IMAGE = 52,               /* ledger image_pages */
	STATUS_OVER_PAGE_TABLE = 53,          /* ledger page_table_pages */
	STATUS_OVER_CAP_SLOTS = 54,           /* ledger cap_slots */
	STATUS_OVER_KERNEL_OBJECT = 55,       /* ledger kernel_object_bytes */
	STATUS_WOULD_BLOCK = 56,              /* nothing there now; ask again or wait */
	STATUS_TIMED_OUT = 57,
	STATUS_BUSY = 58,           /* another request of the same kind is still open */
	STATUS_CANCELLED = 59,      /* an open operation that RING_CANCEL has ended */
	STATUS_RECEIVER_LIMIT = 60, /* what is transferred does not fit the receiver's ledgers, table or memory */

	/* ELF images: each bad header has its own answer. */
	STATUS_ELF_TRUNCATED = 80, /* the file ends inside a header or table */
	STATUS_ELF_BAD_MAGIC = 81,
	STATUS_ELF_NOT_64_BIT = 82,
	STATUS_ELF_NOT_LITTLE_ENDIAN = 83,
	STATUS_ELF_BAD_VERSION = 84,
	STATUS_ELF_NOT_EXECUTABLE = 85, /* e_type is neither ET_EXEC nor ET_DYN */
	STATUS_ELF_WRONG_MACHINE = 86,
	STATUS_ELF_BAD_HEADER_SIZE = 87, /* e_ehsize or e_phentsize */
	STATUS_ELF_NO_SEGMENTS = 88,
	STATUS_ELF_TOO_MANY_SEGMENTS = 89,
	STATUS_ELF_SEGMENT_OUTSIDE_FILE = 90,
	STATUS_ELF_FILE_LARGER_THAN_MEMORY = 91, /* p_filesz > p_memsz */
	STATUS_ELF_SEGMENT_WRAPS = 92,
	STATUS_ELF_SEGMENT_NOT_USER = 93, /* outside the user half or in the low hole */
	STATUS_ELF_SEGMENT_ON_BOOTSTRAP = 94,
	STATUS_ELF_SEGMENTS_OVERLAP = 95, /* two loads share a page */
	STATUS_ELF_WRITE_AND_EXECUTE = 96,
	STATUS_ELF_BAD_ALIGNMENT = 97,        /* p_align no power of two, or p_offset and p_vaddr differ modulo it */
	STATUS_ELF_ENTRY_NOT_EXECUTABLE = 98, /* e_entry lies in no executable load */
	STATUS_ELF_TWO_TLS = 99,
	STATUS_ELF_BAD_TLS = 100,            /* PT_TLS not inside a load, too large, or badly aligned */
	STATUS_ELF_HAS_INTERPRETER = 101,    /* PT_INTERP: dynamic linking is not done here */
	STATUS_ELF_SEGMENT_UNREADABLE = 102, /* a load without PF_R, or with no known permission at all */
	STATUS_ELF_TOO_LARGE = 103,
	STATUS_ELF_EXECUTABLE_STACK = 104, /* PT_GNU_STACK asks for PF_X */

	/* Boot package (cpio newc) and manifest. */
	STATUS_ARCHIVE_TRUNCATED = 112,
	STATUS_ARCHIVE_BAD_MAGIC = 113,
	STATUS_ARCHIVE_BAD_NUMBER = 114, /* a header field is not eight hexadecimal digits */
	STATUS_ARCHIVE_BAD_NAME = 115,   /* empty, not terminated, absolute, or with a ".." */
	STATUS_ARCHIVE_DUPLICATE = 116,
	STATUS_ARCHIVE_NO_TRAILER = 117,
	STATUS_ARCHIVE_TOO_MANY = 118,
	STATUS_MANIFEST_BAD_LINE = 120, /* not "key value" */
	STATUS_MANIFEST_UNKNOWN_KEY = 121,
	STATUS_MANIFEST_BAD_NUMBER = 122,
	STATUS_MANIFEST_BAD_NAME = 123,
	STATUS_MANIFEST_DUPLICATE = 124,
	STATUS_MANIFEST_NO_INIT = 125,
	STATUS_MANIFEST_TOO_LONG = 126,
	STATUS_MANIFEST_WRONG_SECTION = 127, /* a key that belongs to another part of the file */

	/* What a loader says. */
	STATUS_MEMORY_MAP_EMPTY = 136,    /* no usable page at all */
	STATUS_MEMORY_MAP_TOO_LONG = 137, /* more entries than the normaliser takes */
	STATUS_BOOT_BAD_MAGIC = 138,
	STATUS_BOOT_MISSING = 139, /* the loader did not answer a request that the kernel needs */
	STATUS_BOOT_BASE_REVISION = 140,
	STATUS_BOOT_MODULE_COUNT = 141, /* not exactly one module */
	STATUS_ACPI_NOT_FOUND = 142,
	STATUS_ACPI_BAD_CHECKSUM = 143,
	STATUS_ACPI_BAD_TABLE = 144,
	STATUS_CPU_LACKS_FEATURE = 145,
};

#endif
