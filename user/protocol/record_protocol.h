/*
 * What ipc-zerocopy-producer and ipc-zerocopy-consumer say to each other. Payloads lie in one memory object that both
 * have mapped, a page each; a call carries a record's sequence number and checksum and nothing of its bytes.
 */
#ifndef CAPOS_USER_PROTOCOL_RECORD_PROTOCOL_H
#define CAPOS_USER_PROTOCOL_RECORD_PROTOCOL_H

#include <stdint.h>

#include "abi/memory_layout.h"

#define RECORD_ENDPOINT "records" /* name in the consumer's CapSet */
#define RECORD_COUNT UINT64_C(4)

/* A page of the object; record number n lies in page n % RECORD_COUNT. */
struct record {
	uint64_t bytes; /* of the payload that are good. A claim: whoever reads it checks the copy that it goes on with
			 */
	uint8_t payload[PAGE_SIZE - sizeof(uint64_t)];
};

enum record_method {
	RECORD_SHARE = 0, /* with the object, before all else */
	/* Parameters: struct record_notice. OK: the consumer has put its reply into the record; value: its checksum. */
	RECORD_SEND = 1,
	RECORD_END = 2, /* the consumer's last call */
};

/* The consumer's answers. */
enum record_answer {
	RECORD_OK = 0,
	RECORD_BAD_CALL = 1,     /* no such method, wrong parameters, no object yet */
	RECORD_BAD_CHECKSUM = 2, /* the bytes are not what the caller says; the number is expected again */
	RECORD_OUT_OF_ORDER = 3, /* value: the number that is expected */
	RECORD_NO_ROOM = 4,      /* the consumer can't map the object */
};

struct record_notice {
	uint64_t sequence; /* from 0 */
	uint64_t checksum;
};

/* FNV-1a, 64 bits, of bytes that another process may change meanwhile. */
static inline uint64_t record_checksum(const volatile uint8_t *payload, uint64_t bytes)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);

	for (uint64_t i = 0; i < bytes; i++)
		hash = (hash ^ payload[i]) * UINT64_C(0x100000001b3);
	return hash;
}

/* A byte of the consumer's reply to a record: the reply lies where the record lay, and is as long. */
static inline uint8_t record_reply(uint8_t byte)
{
	return (uint8_t)~byte;
}

_Static_assert(sizeof(struct record) == PAGE_SIZE, "one page");

#endif
