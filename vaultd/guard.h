/*
 * What the guardian (the recorder) has ordered, and the seals that people set. The table guard_order is the truth: each
 * order stands by itself, with its own end, and what holds of a session, a tool, a server or the vault is computed from
 * all that stand. So overlapping orders never end one another, and what an operator has paused or held is another
 * matter. An order holds here before it is stored: a full disk does not make it ineffective, only not lasting.
 */
#ifndef VAULTD_GUARD_H
#define VAULTD_GUARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "common/guardian/guardian.h"
#include "vaultd/pins.h"
#include "vaultd/sessions.h"
#include "vaultd/store.h"
#include "vaultd/tools.h"
#include "vaultd/vault.h"

#define GUARD_ORDERS_MAX 8192 /* those included whose end is not on record yet */
#define GUARD_RULE_MAX 64
#define GUARD_INCIDENT_MAX 32
#define GUARD_WHY_MAX 512
#define GUARD_BY_MAX 48

struct guard_order {
	uint64_t row; /* of vault.db */
	uint64_t id;  /* the recorder's; 0: a person's */
	uint8_t act;  /* enum guard_act */
	bool stored;
	uint8_t session[ID_LEN], consent[ID_LEN]; /* all zero: it is not about one */
	char server[SERVER_NAME_MAX + 1], tool[TOOL_NAME_MAX + 1];
	uint8_t tier;
	uint32_t rate;
	uint64_t since, until; /* until 0: for as long as nobody lifts it */
	char rule[GUARD_RULE_MAX + 1], incident[GUARD_INCIDENT_MAX + 1], reason[GUARD_WHY_MAX + 1];
	char by[GUARD_BY_MAX + 1]; /* the person; "": the guardian */
	const char *ended;         /* by what; NULL while it stands. Static */
	struct guard_order *next;
};

struct guard;
struct guard *guard_new(void); /* fatal when out of memory */
void guard_free(struct guard *g);
/* From the store; sessions are there already. */
int guard_load(struct vault *v) MUST_CHECK;

/* What stands against it; NULL when nothing does. Of several the one that lasts longest. Borrowed until the next
 * order. */
const struct guard_order *guard_sealed(const struct vault *v);
const struct guard_order *guard_pause(const struct vault *v, const uint8_t session[ID_LEN]);
/* The guardian's; a consent that a person has revoked is the store's to know. */
const struct guard_order *guard_revoked(const struct vault *v, const uint8_t consent[ID_LEN]);
/* Its server's hold comes before its own. */
const struct guard_order *guard_hold(const struct vault *v, const char *server, const char *tool);

/*
 * Puts an order in force (a copy), or makes the one that stands harder or longer that has its id, act and subject.
 * KG_E_IO: it holds, and is not stored; KG_E_LIMIT: it does not hold.
 */
int guard_begin(struct vault *v, const struct guard_order *order) MUST_CHECK;
/* Lifts the one of this id, act and subject; KG_E_IO: it stands. What is not there is no fault. */
int guard_lift(struct vault *v, const struct guard_order *order) MUST_CHECK;

/*
 * A person ends orders: all pauses of a session, all holds of a tool (not those of its server), all seals, and, by
 * making it final, all that revoke a consent. mark goes into a transaction of the caller; end, when that is committed,
 * puts it in force and has it told to the recorder.
 */
struct guard_choice {
	uint8_t act;
	const uint8_t *session;    /* NULL: any */
	const char *server, *tool; /* NULL: any */
	const uint8_t *consent;    /* NULL: any */
};
int guard_mark(struct vault *v, const struct guard_choice *c) MUST_CHECK;
unsigned guard_end(struct vault *v, const struct guard_choice *c, const char *why);
/* Whether there is one, and their numbers for the record: a new reference. */
bool guard_any(const struct vault *v, const struct guard_choice *c);
json_t *guard_ids(const struct vault *v, const struct guard_choice *c);

/* Ends what is over, and tells the recorder what is untold; whether a chore is left. */
bool guard_tick(struct vault *v);

/* Computes anew what holds of a session; whether it is another than before. Its brokers do not hear of it yet. */
bool guard_refresh(const struct vault *v, struct session *x);

/* What a broker and an operator see of a tool: enum pin_state, and who holds it (enum pin_holder). */
struct guard_pin {
	uint8_t state, held_by;
	const char *reason; /* borrowed; "" when no order holds it */
};
struct guard_pin guard_pin(const struct vault *v, const char *server, const struct pin *x);

/* GUARD_ACT, answered with GUARD_DONE when the broker has it (guard_act.c). */
int guard_act_on(struct peer *recorder, const struct ipc_guard_act *m) MUST_CHECK;

/*
 * What operators are shown (guard_show.c). A session: "paused_by" ("operator", "guardian", "both"), "paused_until",
 * "approval_tier", "rate", and "orders"; state becomes "paused". A session and a consent: "revoked_by" ("operator",
 * "guardian"), "revoked_until" and "orders"; state becomes "revoked". A tool: "held_by" ("operator", "guardian",
 * "guardian (server)"), "held_until", "orders". Only what holds is added.
 */
void guard_show_session(const struct vault *v, const struct store_session *row, json_t *out);
void guard_show_consent(const struct vault *v, const uint8_t id[ID_LEN], json_t *out);
void guard_show_tool(const struct vault *v, const char *server, const struct pin *x, json_t *out);
/* {by, since, until, why, rule, incident}, or null: a new reference. */
json_t *guard_seal_json(const struct vault *v);

#endif
