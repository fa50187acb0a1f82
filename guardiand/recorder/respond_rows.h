/* Inside of the responses: their rows and their records. */
#ifndef RECORDER_RESPOND_ROWS_H
#define RECORDER_RESPOND_ROWS_H

#include "guardiand/recorder/approved.h"
#include "guardiand/recorder/cover.h"

enum response_query {
	Q_RESPONSE_ADD,
	Q_RESPONSE_STATE,
	Q_RESPONSE_RENEW,
	Q_RESPONSE_BLAST,
	Q_RESPONSE_LIVE,
	Q_RESPONSE_HELD,
	Q_HELD_SESSION,
	Q_HELD_CONSENT,
	Q_HELD_PLACE,
	Q_HELD_COUNT,
	Q_RESPONSE_GET,
	Q_RESPONSE_LIST,
	Q_SETTING_GET,
	Q_SETTING_PUT,
	RESPONSE_QUERIES
};

struct responses {
	struct guard *g;
	struct response_list live; /* ordered, active, refused, lifting */
	size_t nlive;
	bool any_send;
	struct cover cover;
	struct approved *approved; /* owned */
	sqlite3_stmt *q[RESPONSE_QUERIES];
};

/* Makes the tables, and takes up what is live. */
void rows_open(struct responses *x);
void rows_close(struct responses *x);

/* A new row; fills in r->id. */
void rows_add(struct responses *x, struct response *r, const struct guard_finding *f);
/* how: by whom or what it was lifted; NULL. */
void rows_state(struct responses *x, struct response *r, enum response_state state, const char *how);
void rows_renew(struct responses *x, const struct response *r);
/* Different humans contained since then without a person; whether this response's is among them. */
unsigned rows_contained(struct responses *x, const struct response *r, uint64_t since_us, bool *among);
/* The held ones of an incident, at most max. */
size_t rows_held(struct responses *x, int64_t incident, struct response *out, size_t max);
/* The one of this act on this subject that is held of its incident already. */
bool rows_find_held(struct responses *x, const struct response *like, struct response *out);
/* Whether so many of the incident are held. */
bool rows_holds_many(struct responses *x, int64_t incident, int64_t many);
/* KG_E_NOTFOUND. */
int rows_get(struct responses *x, int64_t id, struct response *out) MUST_CHECK;
/* A leaf, and a line of the incident; why, f and by may be NULL. */
void rows_record(struct responses *x, const struct response *r, const char *event, const struct guard_finding *f,
		 const char *why, const struct guard_actor *by);
/* Without the line: a flood would push what people say out of the timeline. The leaf's number. */
uint64_t rows_record_only(struct responses *x, const struct response *r, const char *event,
			  const struct guard_finding *f, const char *why, const struct guard_actor *by);
void rows_break_glass(struct responses *x, uint64_t until);

/* respond.c */
struct response *response_new(struct responses *x, const struct response *from);
struct response *response_find(const struct responses *x, int64_t id);
void response_forget(struct responses *x, struct response *r);
void response_put_in_force(struct responses *x, const struct response *from, const struct guard_finding *f,
			   const struct guard_actor *by);
/* It stands already: what another one of the same has longer or harder is taken over, and ordered. */
void response_renew(struct responses *x, struct response *r, const struct response *wanted);
void response_lifted_by(struct responses *x, struct response *r, const char *how);

#endif
