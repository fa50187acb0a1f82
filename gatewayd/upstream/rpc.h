/*
 * JSON-RPC requests of ours that are under way, by their ids, over HTTP or over the child's pipes.
 */
#ifndef UPSTREAM_RPC_H
#define UPSTREAM_RPC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/call.h"
#include "gatewayd/upstream/message.h"
#include "gatewayd/upstream/tool.h"

#define RPC_SLOTS 4096u /* under way at once; an id is serial * RPC_SLOTS + slot */
#define RPC_WHY_MAX 512

struct upstream;
struct exchange;
struct rpc;

enum rpc_how {
	RPC_RESULT = 1, /* message is the result */
	RPC_ERROR,      /* message is a JSON-RPC error */
	RPC_HTTP,       /* an HTTP status without a JSON-RPC answer */
	RPC_UNSENT,     /* not a byte has left */
	RPC_LOST,       /* it may have been carried out */
	RPC_TIMEOUT,
};

struct rpc_end {
	enum rpc_how how;
	long status; /* of HTTP; 0 otherwise */
	const struct json_doc *doc;
	const struct message *message; /* for the first two */
	const char *why;               /* for the others */
	bool echo;                     /* there was an answer, with a credential in it: told as RPC_LOST */
};

/* Everything is dead when a callback returns. end() comes once; the request is freed by it or after it. */
struct rpc_ops {
	void (*end)(struct rpc *r, const struct rpc_end *e, void *arg);
	void (*progress)(struct rpc *r, const struct json_doc *d, uint32_t params, void *arg); /* may be NULL */
	/* A message for it holds a credential and is withheld; NULL: one of the role's own acts. */
	void (*echo)(struct rpc *r, void *arg);
};

struct rpc {
	struct upstream *u;
	uint64_t id;
	const struct rpc_ops *ops;
	void *arg;
	uint64_t deadline_ns; /* 0: none */
	bool ended, sent;
	bool note; /* no answer is due: HTTP's acceptance ends it, as a result without a message */
	/* HTTP */
	struct exchange *x;
	size_t fixed; /* header lines that stay when it is sent again: configured ones and credentials */
	struct event *resume;
	unsigned resumes;
};

/* What a request says beside its body. */
struct rpc_request {
	const char *method;
	const char *name;            /* for Mcp-Name, or NULL */
	const struct tool *tool;     /* for Mcp-Param-*, or NULL */
	const struct json_doc *args; /* for the same */
};

struct rpc_table {
	struct rpc *slot[RPC_SLOTS];
	unsigned free_slot[RPC_SLOTS];
	unsigned nfree;
	uint64_t serial;
	uint64_t ended;  /* requests, ever */
	struct buf body; /* of the request that is being made, for the child's pipes */
	struct event *sweep;
	bool sweeping;
};

void rpc_init(struct upstream *u);

/* A request to be filled; timeout_ms 0: none. NULL when too many are under way or memory is short. */
struct rpc *rpc_new(struct upstream *u, const struct rpc_ops *ops, void *arg, uint32_t timeout_ms);
struct buf *rpc_body(struct rpc *r);
/* Puts the configured headers and these credentials in (HTTP); set may be NULL. */
int rpc_authorize(struct rpc *r, const struct credential_set *set) MUST_CHECK;
/* The same, from a request that is there already. */
int rpc_authorize_like(struct rpc *r, const struct rpc *from) MUST_CHECK;
/* On an error nothing was sent and end() will not come. */
int rpc_send(struct rpc *r, const struct rpc_request *q) MUST_CHECK;
/* At any time; breaks off what is under way. NULL is fine. */
void rpc_free(struct rpc *r);

/*
 * A message of the server: on the stream of request `on` (HTTP), or NULL for the pipes and the standing stream.
 * must_parse: what is no JSON-RPC message ends the request.
 */
void rpc_take(struct upstream *u, struct rpc *on, const char *text, size_t len, bool must_parse);
/* Ends a note that was accepted. */
void rpc_accept(struct rpc *r);
/* Ends it with an error of the transport. */
void rpc_fail(struct rpc *r, enum rpc_how how, long status, const char *why);
/* All that are under way, when the child has died. */
void rpc_fail_all(struct upstream *u, const char *why);

/* Sends a notification or an answer of ours; on HTTP with the headers of `like`, which has been authorized. */
int rpc_note(struct upstream *u, const struct rpc *like, const struct buf *body) MUST_CHECK;

#endif
