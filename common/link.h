/*
 * A role's connection to another daemon: made by the parent (roles have no way to connect),
 * named where several roles share a socket, handed over, and made again when the role asks.
 */
#ifndef COMMON_LINK_H
#define COMMON_LINK_H

#include "common/loop.h"
#include "common/supervise.h"

struct link;

struct link_spec {
	const char *run_dir;
	const char *socket;   /* "vault-broker.sock", … */
	enum ipc_role peer;   /* VAULT or RECORDER */
	enum ipc_type naming; /* UPSTREAM_NAME or RECEIPT_NAME; 0: none */
	const char *name;     /* the server's, for naming */
};

/* A link that does nothing until link_make(). The specification's strings are borrowed. Fatal without memory. */
struct link *link_new(struct loop *l, const struct link_spec *spec);

/* Connects and hands the connection to the child; tries again every LINK_RETRY_MS while the daemon is away. */
#define LINK_RETRY_MS 100l
void link_make(struct link *k, struct child *c);

#endif
