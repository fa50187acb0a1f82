/*
 * The life of one tools/call, as a table of states and events (call.c). Whatever happens, a call
 * whose intent may be on record ends with an outcome.
 */
#ifndef BROKER_CALL_H
#define BROKER_CALL_H

#include "common/ipc.h"
#include "gatewayd/broker/broker.h"

#define GRANT_WAIT_NS 5000000000ull /* for the receipt, and for the sealed credentials */
#define TICK_MS 50l                 /* how exactly times are kept */

enum call_event {
	CALL_EV_RECEIPT,  /* struct ipc_receipt */
	CALL_EV_ATTACHED, /* struct ipc_attached */
	CALL_EV_RESULT,   /* struct ipc_result */
	CALL_EV_STOPPED,  /* struct call_stop */
	CALL_EV_DEADLINE, /* what it waits for did not come in time */
	CALL_EV_VAULT_LOST,
	CALL_EV_RECORDER_LOST,
	CALL_EV_UPSTREAM_LOST,
	CALL_EV_RECORDED, /* its outcome is durable */
	CALL_EVENTS
};

/* Somebody does not want the call any more. */
struct call_stop {
	uint32_t http;
	int32_t code;
	const char *reason_code;
	const char *text;
};

/* Runs one event. KG_E_PROTO when the sender of that message could not have meant this call. */
int call_event(struct broker *b, struct call *c, enum call_event e, const void *detail);

/*
 * The ends of a call: an answer to whoever waits (once), and the outcome on its way to the record.
 * call_end() forgets everything but what the outcome needs.
 */
void call_answer_error(struct call *c, uint32_t http, int32_t code, const char *text);
void call_end(struct broker *b, struct call *c, enum outcome_kind kind, const char *reason_code);

/* The result of the upstream: answers and ends (call_result.c). */
int call_take_result(struct broker *b, struct call *c, const struct ipc_result *m);

/* Hands the members of a progress notification on, as an object; KG_E_PROTO when they make none. */
int call_take_progress(struct broker *b, const struct call *c, struct ipc_bytes members);

/* Sends the call to its upstream role (call_start.c). */
int call_dispatch(struct broker *b, struct call *c) MUST_CHECK;

/* Arms the timer that watches what waits (deadline.c). */
void deadline_watch(struct broker *b);
void deadline_on_tick(evutil_socket_t fd, short what, void *arg);

/* Sends the outcome of a call that ends; sends again those that a lost recorder may not have written (outcome.c). */
void outcome_send(struct broker *b, const struct call *c);
void outcome_resend_all(struct broker *b);

/* A call that the policy allows: has it recorded and attached, both at once. The request is answered in any case
 * (call_start.c). */
struct act;
void call_begin(const struct act *a, const struct tool *t, const struct decision *d);

/* What a denial concerns. */
struct denial {
	const char *upstream; /* "" when there is none */
	struct ipc_bytes name;
	uint8_t tier;              /* 0: unknown */
	const uint8_t *def_sha256; /* NULL: unknown */
	const char *reason_code;
	const char *reason; /* for the record */
	struct call_answer answer;
};
/* Has a denial recorded; its answer follows. */
void call_deny(const struct act *a, const struct denial *d);

/* Every call that a lost connection concerns hears of it (cancel.c). */
void calls_front_lost(struct broker *b, struct peer *front);
void calls_peer_lost(struct broker *b, enum call_event e, const struct upstream *u);

/* Every open call of a session that ends (cancel.c). */
void calls_session_ended(struct broker *b, struct session *s, const struct call_stop *stop);
/* notifications/cancelled: the call of this legacy session with this raw id, if it runs. */
void calls_cancel(struct broker *b, struct session *s, const uint8_t mcp_session[ID_LEN], struct ipc_bytes rpc_id);
/* The client has closed the stream: a legacy call goes on, a modern one is cancelled. */
void calls_request_gone(struct broker *b, struct peer *front, uint64_t request);

#endif
