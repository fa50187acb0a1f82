/* One request of a front: who asks, whether they may, and what is to be done. */
#ifndef BROKER_REQUEST_H
#define BROKER_REQUEST_H

#include "gatewayd/broker/broker.h"

/* A request in hand, with what was found out about it. All pointers are borrowed. */
struct act {
	struct broker *b;
	struct peer *front;
	const struct ipc_request *q;
	struct session *session; /* NULL only while its token is not known */
	struct mcp_session *mcp; /* NULL for modern clients and before initialize */
	int server;              /* of /mcp/SERVER, or LIST_ALL_SERVERS */
	uint64_t now_ns, now_unix;
	bool again; /* it was held before: it is answered now */
	bool hashed;
	uint8_t args_sha256[HASH_LEN]; /* of a tools/call's arguments, once hashed */
};

/* Answers or begins. KG_E_PROTO for what an honest front never sends. */
int request_run(struct broker *b, struct peer *front, const struct ipc_request *q);
/* The same for a request that was held (held.h). */
int request_run_again(struct broker *b, struct peer *front, const struct ipc_request *q);

/* What the client calls itself: a legacy one says it once, in initialize. */
struct ipc_bytes act_client(const struct act *a);

/* What it can be asked (enum elicits): a legacy one says that in initialize too. */
uint8_t act_elicits(const struct act *a);

/* An error as the answer to the request in hand. */
void act_refuse(const struct act *a, uint32_t http, int32_t code, const char *text);

/* The methods that are answered here (methods.c) and tools/call (method_call.c). KG_E_PROTO as above. */
int method_initialize(struct act *a);
int method_ping(struct act *a);
int method_discover(struct act *a);
int method_tools_list(struct act *a);
int method_tools_call(struct act *a);
int method_cancelled(struct act *a);
int method_session_delete(struct act *a);
int method_note(struct act *a);

#endif
