/*
 * Responses: ordered from vaultd by a finding, and held to by the recorder itself from that moment on: what they cover
 * gets no receipt. Never more than so many humans in so many minutes without a person; then they are held.
 */
#ifndef RECORDER_RESPOND_H
#define RECORDER_RESPOND_H

#include "guardiand/recorder/guard.h"

#define RESPONSES_LIVE_MAX 4096u
#define RESPONSES_HELD_MAX 1000 /* of an incident */
#define BREAK_GLASS_MAX_S 86400

enum response_state {
	RESPONSE_ORDERED = 1, /* vaultd has not confirmed it yet */
	RESPONSE_ACTIVE,
	RESPONSE_DONE,    /* of earlier versions, final: they revoked a consent for good */
	RESPONSE_REFUSED, /* by vaultd; the recorder alone goes on holding to it */
	RESPONSE_HELD,    /* waits for a person */
	RESPONSE_LIFTING, /* vaultd has not confirmed that yet */
	RESPONSE_LIFTED,
	RESPONSE_STATES
};
const char *response_state_name(enum response_state s);

struct incident;

struct responses *responses_new(struct guard *g);
void responses_free(struct responses *x);

/* What came of the orders of a finding. */
struct respond_result {
	unsigned ordered, standing, held; /* standing: was ordered, or held, before */
	unsigned lost;                    /* not held: RESPONSES_HELD_MAX of the incident are */
	bool first_held;                  /* nothing of this incident was held before */
	char text[256];                   /* for people: "pause until 10:31 UTC" */
	char held_text[256];
};
/*
 * Orders what the finding's rule says, under an incident. Nothing is sent before it is durable. quiet: one of a flood;
 * what is held is on record and can be released, without a line in the timeline for each.
 */
void respond_order(struct responses *x, const struct guard_finding *f, int64_t incident, bool quiet,
		   struct respond_result *out);

/* Whether a response that the finding's rule wants does not stand (any more), and could be ordered. */
bool respond_lacks(struct responses *x, const struct guard_finding *f);

/* Why a call that is about to be made is covered by a response, in out; false when none does. */
bool respond_covers(const struct responses *x, const struct ipc_intent *m, char out[GUARD_REASON_MAX]);

/* Sends what has become durable; on a new connection to vaultd everything that is not confirmed. */
void respond_send(struct responses *x);
void respond_connected(struct responses *x);
/* vaultd's answer. */
int respond_done(struct responses *x, const struct ipc_guard_done *m) MUST_CHECK;
/* What vaultd has lifted by itself, or a person there; what people have approved: events of vaultd on record. */
void respond_vault_event(struct responses *x, struct ipc_bytes kind, struct ipc_bytes members);
/* Ends what is over; asks again where vaultd could not answer. */
void respond_expire(struct responses *x, uint64_t now);

/* A person lifts one, or all that are held of an incident are ordered. Text for people in error when it is refused. */
int respond_lift(struct responses *x, int64_t id, const struct guard_actor *by, char *error, size_t size) MUST_CHECK;
/* How many were ordered, or stood already; as many as may be in force, the others stay held. */
unsigned respond_release(struct responses *x, const struct incident *i, const struct guard_actor *by);
/* Break-glass: no response for so long; lift: those of pause, rate, approval and revoke end. */
void respond_break_glass(struct responses *x, uint64_t seconds, const char *why, bool lift,
			 const struct guard_actor *by);

/* For the admin socket, new references: of an incident, or (0) those that are live. */
json_t *respond_list(struct responses *x, int64_t incident);

#endif
