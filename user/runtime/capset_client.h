/*
 * The capabilities that the program started with, by name. The page is read-only and never changes while it runs.
 */
#ifndef CAPOS_USER_RUNTIME_CAPSET_CLIENT_H
#define CAPOS_USER_RUNTIME_CAPSET_CLIENT_H

#include <stdint.h>

#include "abi/capset.h"
#include "abi/handle.h"
#include "abi/interface.h"
#include "abi/status.h"

/* UNSUPPORTED if the page is of another version; every lookup then answers NOT_FOUND. */
enum status capset_client_init(const struct capset_page *page);

/* NOT_FOUND: no entry of that name. WRONG_INTERFACE: there is one, of another interface. */
enum status capset_client_find(const char *name, enum interface_id interface, handle_t *capability);

/* 0 before capset_client_init. */
uint64_t capset_client_process_id(void);

#endif
