/*
 * The life of one tools/call, as a table of states and events (call.c). Whatever happens, a call
 * whose intent may be on record ends with an outcome.
 */
#ifndef BROKER_CALL_H
#define BROKER_CALL_H

#include "common/ipc.h"
#include "gatewayd/broker/broker.h"

#define GRANT_WAIT_NS 5000000000ull /* for the receipt, and for the sealed credentials */
#define CALLS_TOO_MANY "the gateway has as many calls in flight as it can hold, nothing was sent: try again"
#define TICK_MS 50l /* how exactly times are kept */

enum call_event {
	CALL_EV_RECEIPT,  /* struct ipc_receipt */
	CALL_EV_ATTACHED, /* struct ipc_attached */
	CALL_EV_RESULT,   /* struct ipc_result */
	CALL_EV_STOPPED,  /* struct call_stop */
	CALL_EV_DEADLINE, /* what it waits for did not come in time */
	CALL_EV_VAULT_LOST,
	CALL_EV_RECORDER_LOST,
	CALL_EV_UPSTREAM_LOST,
	CALL_EV_PDP_LOST,
	CALL_EV_ASKED,    /* struct ipc_approval_asked */
	CALL_EV_DECIDED,  /* struct ipc_pdp_answer */
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

/*
 * What a call's intent says: of the request itself, then of the tool and its decision. All is borrowed from these
 * (call_intent.c).
 */
struct act;
struct ipc_intent call_intent(const struct act *a, const struct call *c);
void call_intent_tool(struct ipc_intent *m, const struct tool *t, const struct decision *d);

/*
 * A call that is not on record yet waits with its messages encoded (call_later.c). They are read back as borrowed from
 * the call; KG_E_PROTO when there is none.
 */
int call_later_intent(const struct call *c, struct ipc_intent *out) MUST_CHECK;
int call_later_attach(const struct call *c, struct ipc_attach *out) MUST_CHECK;
/* Sends its intent as a denial, with these facts when they are not NULL; c->answer follows when it is durable. */
void call_refuse(struct broker *b, struct call *c, const char *reason_code, const char *reason,
		 const struct ipc_bytes *facts);
/* Ends without an outcome: there is no intent that would wait for one. */
void call_forget(struct broker *b, struct call *c);

/* Sends the outcome of a call that ends; sends again those that a lost recorder may not have written (outcome.c). */
void outcome_send(struct broker *b, const struct call *c);
void outcome_resend_all(struct broker *b);

/* A call that the policy allows: has it recorded and attached, both at once. The request is answered in any case
 * (call_start.c). */
void call_begin(const struct act *a, const struct tool *t, const struct decision *d);
/* In flight, waiting for vault or recorder, of which each gets GRANT_WAIT_NS. */
void call_wait(struct broker *b, struct call *c);

/* What a denial concerns. */
struct denial {
	const char *upstream; /* "" when there is none */
	struct ipc_bytes name;
	uint8_t tier;              /* 0: unknown */
	const uint8_t *def_sha256; /* NULL: unknown */
	const char *reason_code;
	const char *reason;      /* for the record */
	const uint8_t *approval; /* NULL: none */
	struct ipc_bytes facts;
	struct call_answer answer;
};
/* A denial whose answer is a tool result: all that is known of the tool and why. */
struct denial denial_of(const struct tool *t, const struct decision *d);
/* Has a denial recorded; its answer follows. */
void call_deny(const struct act *a, const struct denial *d);

/* Whether the session has made as many calls as the guardian lets it; then the call is denied (call_rate.c). tool NULL:
 * there is none of its name. */
bool call_over_rate(const struct act *a, const struct tool *t);

/* A call that somebody's approval would allow: its approval is asked for, and named in its denial (call_ask.c). */
void call_ask(const struct act *a, const struct tool *t, const struct decision *d);

/* A call that has been made and needs the word of the decision point of others (call_pdp.c). */
void call_consult(const struct act *a, struct call *c, const struct tool *t, const struct decision *d,
		  const struct ipc_intent *intent, const struct ipc_attach *attach);
void call_undecided(struct broker *b, struct call *c, const char *reason_code, const char *why);

/* Every call that a lost connection concerns hears of it (cancel.c). */
void calls_front_lost(struct broker *b, struct peer *front);
void calls_peer_lost(struct broker *b, enum call_event e, const struct upstream *u);

/* Every open call of a session that ends, and what it has held (cancel.c). */
void calls_session_ended(struct broker *b, struct session *s, const struct call_stop *stop);
/* notifications/cancelled: the call of this legacy session with this raw id, if it runs. */
void calls_cancel(struct broker *b, struct session *s, const uint8_t mcp_session[ID_LEN], struct ipc_bytes rpc_id);
/* The client has closed the stream: a legacy call goes on, a modern one is cancelled. */
void calls_request_gone(struct broker *b, struct peer *front, uint64_t request);

#endif
