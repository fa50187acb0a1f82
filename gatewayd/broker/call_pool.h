/*
 * The records of calls: from a pool of bounded size, found by their number, by their client's request
 * and by their session. What a call does is in call.c.
 */
#ifndef BROKER_CALL_POOL_H
#define BROKER_CALL_POOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "common/buf.h"
#include "common/call.h"
#include "common/ipc.h"
#include "gatewayd/broker/names.h"

#define CALLS_MAX 4096                     /* all together, those whose outcome is not yet on record included */
#define CALLS_PER_SESSION 256              /* in flight */
#define CALLS_BYTES_MAX (256ul * 1048576u) /* of held arguments */
#define CALL_KEEP_BYTES 16384u             /* a record keeps so much memory for its next call */
#define CALL_BODY_MAX (IPC_BODY_MAX + 65536u)
#define CALL_TEXT_MAX 900

struct peer;
struct session;
struct upstream;

TAILQ_HEAD(call_queue, call);

enum call_state {
	CALL_REFUSED,   /* a denial on its way to the record; then its answer is given */
	CALL_ASKING,    /* waits for the approval that a person could give, to name it in its denial */
	CALL_DECIDING,  /* waits for the decision point of others; nothing is on record yet */
	CALL_GRANTING,  /* waits for the receipt and for the sealed credentials */
	CALL_ABANDONED, /* answered and never to be sent; waits for its receipt, to record that */
	CALL_RUNNING,   /* sent to its upstream role */
	CALL_CLOSING,   /* its outcome is on its way to the record */
	CALL_STATES
};

/* An answer that waits until its denial is on record. */
struct call_answer {
	uint32_t http;
	int32_t code;
	bool as_result; /* a tool result with isError, so that the model reads why */
	bool approval;  /* says where the call's approval can be given, in the form that the client knows */
	char text[CALL_TEXT_MAX];
};

struct call_outcome {
	uint8_t kind; /* enum outcome_kind; 0: none yet */
	char reason_code[65];
	uint8_t result_sha256[HASH_LEN];
	uint32_t bytes_out;
	uint64_t latency_us;
};

struct call {
	uint64_t id;    /* 0: the record is free */
	uint32_t place; /* in the pool; the low bits of every id it gets */
	enum call_state state;
	enum mcp_era era;
	bool wants_progress, has_receipt, has_sealed;
	bool has_output; /* the tool has an outputSchema */
	uint8_t elicits; /* enum elicits: what its client can be asked */

	struct peer *front; /* NULL: nobody waits for the answer */
	uint64_t request;   /* its number there */
	LIST_ENTRY(call) by_request;

	struct session *session; /* NULL for unknown tokens, and when it is not in flight any more */
	uint8_t session_id[ID_LEN];
	LIST_ENTRY(call) of_session;
	uint8_t mcp_session[ID_LEN]; /* legacy: where rpc_id belongs to */
	uint8_t rpc_id[256];
	size_t rpc_id_len;

	struct upstream *upstream; /* NULL for denials, and when it is not in flight any more */
	char name[NAME_TOOL_MAX + 1];
	uint8_t txn[ID_LEN];
	struct buf body, sealed; /* body: the arguments, then the forwarded _meta */
	size_t args_len;
	struct buf marks; /* what was found in its result, for its outcome */
	struct buf later; /* messages that wait: an INTENT, an ATTACH behind it (call_later.c) */
	uint8_t def_sha256[HASH_LEN];
	uint8_t approval[ID_LEN]; /* all zero: none */

	uint64_t seq, receipt_expires_ns;
	uint8_t receipt_mac[HASH_LEN];

	uint64_t started_ns, due_ns;
	struct call_queue *queue; /* where it stands in order of time, or NULL */
	TAILQ_ENTRY(call) in_queue;

	struct call_answer answer;
	struct call_outcome outcome;
};

struct call_pool {
	struct call **record; /* owned; CALLS_MAX places, filled as needed */
	uint32_t nrecords;
	LIST_HEAD(call_list, call) free; /* through of_session */
	struct call_list *by_request;    /* owned; buckets */
	struct call_queue waiting;       /* for vault or recorder, oldest first */
	struct call_queue deciding;      /* for the decision point of others */
	struct call_queue closing;       /* in the order in which they ended */
	uint32_t used;
	size_t bytes; /* of all bodies, and of what waits */
	uint64_t serial;
};

struct call_pool *call_pool_new(void); /* fatal when out of memory */
void call_pool_free(struct call_pool *p);

/* A record with a fresh number and transaction, bound to a client's request; NULL at CALLS_MAX. */
struct call *call_new(struct call_pool *p, struct peer *front, const struct ipc_request *q);
/* Wipes and takes back; it must stand in no session, upstream or queue. */
void call_free(struct call_pool *p, struct call *c);

/* NULL when there is none of this number any more. */
struct call *call_find(const struct call_pool *p, uint64_t id);
/* The call of a front's request while its client waits for it; NULL. */
struct call *call_find_request(const struct call_pool *p, const struct peer *front, uint64_t request);

/* Nobody waits for the answer from here on. */
void call_unbind(struct call *c);
/* Keeps the bytes to be sent; KG_E_LIMIT when all calls would hold too many. */
int call_keep_body(struct call_pool *p, struct call *c, struct ipc_bytes args, struct ipc_bytes meta) MUST_CHECK;
void call_drop_body(struct call_pool *p, struct call *c);
/* Keeps a message to be sent later; KG_E_LIMIT in the same way. */
int call_keep_message(struct call_pool *p, struct call *c, enum ipc_type type, const void *msg) MUST_CHECK;
void call_drop_messages(struct call_pool *p, struct call *c);

void call_enqueue(struct call *c, struct call_queue *q);
void call_dequeue(struct call *c);
/* Puts it into a session's and an upstream's count of calls in flight, and takes it out. */
void call_enter(struct call *c, struct session *s, struct upstream *u);
void call_leave(struct call *c);

#endif
