/* The server's tools: listed page by page, told to the broker and, their tiers, to the vault. */
#ifndef UPSTREAM_TOOLS_H
#define UPSTREAM_TOOLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/call.h"
#include "gatewayd/upstream/rpc.h"
#include "gatewayd/upstream/tool.h"

#define TOOLS_MAX 1000
#define TOOLS_PAGES_MAX 100
#define TOOLS_BYTES_MAX (16ul * 1048576u)
#define TOOLS_CURSOR_MAX 65536u

struct upstream;

struct tool_list {
	struct tool *item; /* owned, in the server's order */
	size_t n;
	size_t bytes, canonical_bytes; /* of their definitions */
};

struct tools {
	struct tool_list now;  /* what was listed last */
	struct tool **by_name; /* the same, sorted */
	uint32_t generation;
	/* A listing under way. */
	struct tool_list next;
	const struct credential_set *creds;
	void (*done)(struct upstream *u, const struct rpc_end *failed);
	struct rpc *rpc;
	unsigned pages;
};

/*
 * Lists all pages; creds must live until done(). failed is NULL when the list was taken over,
 * else how it failed (why is always set).
 */
void tools_list(struct upstream *u, const struct credential_set *creds,
		void (*done)(struct upstream *u, const struct rpc_end *failed));
/* Gives up a listing; done() will not come. */
void tools_list_stop(struct upstream *u);
/* A server without tools: the empty list. */
void tools_none(struct upstream *u);

/* To whoever is connected; nothing before the first listing. */
void tools_publish_broker(struct upstream *u);
void tools_publish_vault(struct upstream *u);

const struct tool *tools_find(const struct upstream *u, const char *name);

#endif
