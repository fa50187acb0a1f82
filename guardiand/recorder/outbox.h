/*
 * What leaves the recorder for on-call. An incident hands over what is to be paged inside the open transaction, so that
 * it is durable together with the finding or with the operator's word that caused it; the outbox sees to routes,
 * escalation, retries and the pager (pager_ops.c).
 */
#ifndef RECORDER_OUTBOX_H
#define RECORDER_OUTBOX_H

#include <stdint.h>

#include <jansson.h>

#include "common/config.h"
#include "common/guardian/guardian.h"
#include "guardiand/recorder/recorder.h"

#define INCIDENT_ID_MAX 31 /* "inc-12" */

enum outbox_kind {
	OUTBOX_TRIGGER = 1, /* the incident is opened, or is paged for the first time */
	OUTBOX_ACK,         /* a person has it: escalation ends */
	OUTBOX_RESOLVE,
	OUTBOX_RAISED, /* a trigger again: severity has risen, or responses are held and wait for a person */
	OUTBOX_TEST,   /* of one channel (pager.test), or weekly; no incident */
};

/* Everything is borrowed for the call. */
struct outbox_page {
	enum outbox_kind kind;
	const char *incident; /* "inc-12"; "" for a test */
	const char *channel;  /* only this one, whatever the routes say; NULL: by the routes */
	enum guard_severity severity;
	uint64_t ts_us;        /* of what caused it, since 1970 */
	const char *rule;      /* id of the rule that speaks: routes select by it */
	const char *opened_by; /* id of the one that opened the incident: its route when the rule has none; NULL */
	const char *title;     /* "Denial spike: claude-code for alice@example.com" */
	const char *text;      /* for people: what was seen, what was done, what is suggested */
	const json_t *details; /* an object: agent, human, session, server, tool, findings, responses; NULL */
	bool anew;             /* of a raised one: the page before was acknowledged */
};

struct outbox;

/*
 * Makes its tables (table.h) and takes up what waits there. The configuration is borrowed and outlives it. Fatal
 * when it cannot. Called by recorder_guard() before the recorder serves.
 */
struct outbox *outbox_new(struct recorder *r, const struct config *config);
void outbox_free(struct outbox *o);

/* Adds rows to the transaction in hand. Fatal when the database refuses. */
void outbox_add(struct outbox *o, const struct outbox_page *p);

/*
 * The connection to the pager, owned from here on; replaces the one before. want is called when it is lost (NULL:
 * never). schedule_zone() (schedule.h) must have been called before the lock.
 */
void outbox_pager(struct outbox *o, int fd);
void outbox_want(struct outbox *o, void (*want)(void *arg), void *arg);

/*
 * "pager.test" of one channel, by an operator's name. NULL: ADMIN_REPLY {channel, delivered, state, status, detail}
 * leaves on the connection when the result is known, within 15 s. Else why not, and nothing leaves.
 */
const char *outbox_test(struct outbox *o, struct ipc_conn *conn, const char *channel, const char *by);
/* That connection is gone. */
void outbox_test_forget(struct outbox *o, const struct ipc_conn *conn);

/* For incident.show: [{channel, action, state, attempts, ts, detail}], new reference. */
json_t *outbox_pages(struct outbox *o, const char *incident);
/* For guardian.status: {"outbox":{waiting, dead, stuck, pager, silent}, "channels":[{name, kind, last_ok,
 * last_error}]}, new reference. */
json_t *outbox_status(struct outbox *o);

#endif
