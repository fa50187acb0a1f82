/*
 * The guardian inside the recorder: every leaf that is appended passes the detection engine; what it finds becomes
 * leaves, incidents, responses and pages in the same transaction. Its own leaves (kind "guardian") are not fed back.
 */
#ifndef RECORDER_GUARD_H
#define RECORDER_GUARD_H

#include <jansson.h>

#include "common/config.h"
#include "common/guardian/guardian.h"
#include "common/operators.h"
#include "guardiand/recorder/outbox.h"
#include "guardiand/recorder/recorder.h"
#include "guardiand/recorder/table.h"

#define GUARD_KEYS 131072u
#define GUARD_CODE "guardian" /* reason_code of what the guardian refuses */
#define GUARD_REASON_MAX 400
#define ID_HEX ((size_t)2 * ID_LEN)
#define TOOL_NAME_LEN 128

struct incidents;
struct responses;
struct retain;
struct risk;
struct guard_saver;

/* Whom and what something is about: "" where nothing is known. Identifiers in hexadecimal; tool without its server. */
struct guard_about {
	const char *session, *consent, *agent, *human, *server, *tool;
};

/* A person at the admin socket. */
struct guard_actor {
	uid_t uid;
	const char *name; /* "" when the user database does not know it */
};

/* How often a rule has spoken lately, in the time of the events. */
struct rule_pace {
	uint64_t second; /* in which `findings` were made */
	uint32_t findings;
	uint64_t since_us; /* of the count of incidents that it has opened */
	uint32_t opened;
	int64_t incident;            /* the last that it opened or joined; 0: none, or resolved */
	uint64_t more;               /* findings that were only counted, since the last record of them */
	uint64_t unheld;             /* responses that were neither ordered nor held, since then */
	uint64_t more_from, more_to; /* the events of both */
};

struct guard {
	struct recorder *r;
	struct store *store;
	const struct config *config; /* borrowed */
	struct guard_rules *rules;   /* owned */
	struct guard_engine *engine;
	struct operators *operators;
	struct outbox *outbox;
	struct incidents *incidents;
	struct responses *responses;
	struct retain *retain;
	struct risk *risk;
	struct guard_saver *saver;
	struct event *tick; /* each second */
	struct buf texts;   /* of the event in hand */
	struct rule_pace pace[GUARD_RULES_MAX];
	bool replaying;             /* findings are on record already */
	bool any_more;              /* a pace has more */
	uint64_t break_glass_until; /* unix; 0: not */
	uint64_t events, findings;
};

/*
 * Arms rules (owned from here on) over an initialised recorder: takes up incidents, responses and pages, the saved
 * state and the leaves after it. The configuration is borrowed. Fatal when it cannot.
 */
void recorder_guard(struct recorder *r, const struct config *config, struct guard_rules *rules);
/* Saves the state; before the loop's last turn. NULL is fine. */
void guard_stop(struct guard *g);
void guard_free(struct guard *g);

/* Seconds since 1970, as long as each other whatever the clock is set to (guard_clock.h). */
uint64_t guard_now(void);

/* Ill-formed UTF-8 (a text that was cut) becomes question marks. */
void guard_clean(char *text);

/* Records an act of the guardian; takes members over. Gives its number. */
uint64_t guard_record(struct guard *g, const char *event, const struct guard_about *about, json_t *members);

/* The rule files that the configuration names, or those compiled in; fatal with all their faults. Before the lock. */
struct guard_rules *guard_rules_read(const struct config *config);

/* watch.c: the event that a leaf makes. Texts point into e, into `hex` and into store. */
struct watch_hex {
	char session[ID_HEX + 1], consent[ID_HEX + 1], args[2 * HASH_LEN + 1],
		tool[SERVER_NAME_LEN + TOOL_NAME_LEN + 2];
};
void watch_event(const struct leaf_event *e, uint64_t seq, uint64_t ts_us, struct watch_hex *hex, struct buf *store,
		 struct guard_event *out);

/* finding.c */
void guard_on_finding(const struct guard_finding *f, void *arg);
/* The same within its suppress time: nothing new, unless what was ordered has been lifted since. */
void guard_on_again(const struct guard_finding *f, void *arg);
/* Records how many findings were only counted since the last time. */
void guard_record_more(struct guard *g);
/* An incident is over: what comes in a flood is none of it any more, and opens another. */
void guard_resolved(struct guard *g, int64_t incident);
struct guard_about finding_about(const struct guard_finding *f);

/* guard_admin.c: NULL when it is none of these operations (error is as it was) or refused. Everything that it changes
 * is durable when it returns. */
json_t *guard_admin(struct guard *g, struct ipc_bytes op, const json_t *in, const struct guard_actor *by, char *error,
		    size_t size);
/* "alice" or "uid 1000". */
const char *actor_text(const struct guard_actor *by, char out[OPERATOR_NAME_MAX + 16]);
json_t *guard_actor_json(const struct guard_actor *by);

/* An engine without memory; fatal when there is no room for it. */
struct guard_engine *guard_engine_make(struct guard *g);

/* guard_state.c */
struct guard_saver *saver_new(struct guard *g);
void saver_free(struct guard_saver *s);
/* Loads what was saved and feeds the leaves after it. */
void saver_load(struct guard_saver *s);
/* Everything that has changed, now. */
void saver_all(struct guard_saver *s);
/* How often a save begins, and the bytes of one piece: 5 minutes and 256 KiB unless it is said otherwise. */
void saver_pace(struct guard_saver *s, uint64_t every_ns, size_t step_bytes);
/* The next piece, when a save is under way; begins one when it is time. False when none is under way. */
bool saver_step(struct guard_saver *s);

#endif
