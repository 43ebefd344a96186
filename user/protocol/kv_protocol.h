/*
 * The key-value service: what its clients and its master say to it, all of it calls of one endpoint.
 *
 * Who calls is told by the badge of the facet. KV_MASTER_BADGE is the master's, which opens and closes sessions; each
 * other badge is one session, never used for another. A session works on the keys of one space; several sessions, one
 * after the other or at once, may work on the same. Keys outlive sessions.
 *
 * A client first shares a memory object with the service, its buffer. Keys travel in the call; values lie in the
 * buffer, and the call says where. The service reads and writes that part of the buffer before it answers, and not
 * afterwards.
 *
 * A client that ends can't say so, and the service does not learn it by itself. The master waits for the process and
 * closes its session: what the service held for it, it gives back then.
 */
#ifndef CAPOS_USER_PROTOCOL_KV_PROTOCOL_H
#define CAPOS_USER_PROTOCOL_KV_PROTOCOL_H

#include <stdint.h>

#include "abi/endpoint_abi.h"

#define KV_REQUESTS "requests" /* the service's CapSet: its endpoint */
#define KV_SESSION "session"   /* a client's CapSet: its facet */

#define KV_MASTER_BADGE 0u
#define KV_SESSIONS 64u /* at once */
#define KV_MAX_KEY_BYTES 64u

enum kv_method {
	/* Of a session. PUT, GET and DELETE: struct kv_request and the key's bytes. */
	KV_SHARE = 0,  /* with the buffer; once, before all else */
	KV_PUT = 1,    /* the value of the key is now what lies there; replaces an older one */
	KV_GET = 2,    /* value: its length. Its bytes go there, if `length` leaves room for all of them */
	KV_DELETE = 3, /* `offset` and `length` mean nothing */

	/* Of the master. */
	KV_OPEN = 16,  /* uint64_t space -> the session's facet, which can be moved, not copied; value: its badge */
	KV_CLOSE = 17, /* uint64_t badge */
	KV_READ_STATISTICS = 18, /* -> struct kv_statistics */
	KV_STOP = 19,            /* the service's last call */
};

enum kv_answer {
	KV_OK = 0,
	KV_NOT_FOUND = 1,   /* no such key, no such session to close */
	KV_BAD_REQUEST = 2, /* no such method for this badge, wrong parameters, not the capability it takes or gives */
	KV_NO_SESSION = 3,  /* the badge's session was closed */
	KV_NO_BUFFER = 4,   /* nothing was shared yet */
	KV_OUTSIDE = 5,     /* offset and length leave the buffer */
	KV_NO_ROOM = 6,     /* GET: the value is longer than `length`; the answer's value says how long */
	KV_FULL = 7,        /* the service has no memory, or no session, left; nothing has changed */
};

struct kv_request {
	uint64_t offset, length; /* into the buffer, bytes */
};

/* With the key behind it, as a client sends it: sizeof(struct kv_request) + key bytes of it. */
struct kv_message {
	struct kv_request request;
	uint8_t key[KV_MAX_KEY_BYTES]; /* 1 to KV_MAX_KEY_BYTES of them */
};

struct kv_statistics {
	uint64_t sessions; /* open */
	uint64_t keys;
	uint64_t value_bytes;
	uint64_t heap_pages; /* committed */
	uint64_t requests;   /* PUT, GET and DELETE, since the start */
};

_Static_assert(sizeof(struct kv_message) <= ENDPOINT_MAX_BYTES, "a request fits into a call");

#endif
