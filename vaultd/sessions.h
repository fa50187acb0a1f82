/*
 * The agent sessions that can still be used, in memory and in step with the store: the hot path
 * asks no database. Those that end here stay until there is need for room, so that a late call
 * hears why.
 */
#ifndef VAULTD_SESSIONS_H
#define VAULTD_SESSIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/rate.h"
#include "vaultd/store.h"

#define SESSIONS_MAX 4096
#define PATTERNS_MAX 256
#define TOOLS_TEXT_MAX 8192 /* SESSION_PUT.tools */
#define SUSPENDED_MAX 8192  /* SESSION_PUT.suspended */
#define SUSPENDED_ALL "*"

/* What the guardian's orders say of a session. */
struct session_limits {
	bool withdrawn; /* its consent is revoked until that is lifted */
	bool paused;
	uint8_t approval_tier; /* calls of this tier and above need an approval; 0: none beyond the destructive ones */
	uint32_t rate;         /* at most so many attaches a minute; 0: any */
	uint64_t by;           /* the order whose words say why it is withdrawn or paused; 0: none */
};

struct session {
	uint8_t id[ID_LEN], consent[ID_LEN];
	uint8_t token_hash[HASH_LEN];
	uint8_t tier;
	uint8_t own;   /* enum session_state, as operators have it; a consent that one revoked revokes it */
	uint8_t state; /* what holds: the guardian's orders included */
	struct session_limits limits;
	struct rate_bucket rate;
	uint64_t expires; /* the consent's */
	const char *human, *agent;
	const char *tools;    /* patterns, separated by newlines */
	const char **pattern; /* the same, each by itself */
	size_t npatterns;
	char *labels;         /* owned: lines, what data it has seen; NULL: none */
	uint64_t labelled;    /* attaches of tools that give labels, since vaultd started */
	char *suspended;      /* owned: "server/tool" lines, or SUSPENDED_ALL; NULL: none */
	struct session *next; /* of its bucket */
};

struct sessions;

struct sessions *sessions_new(void);
void sessions_free(struct sessions *s);

/* Copies; room is made by forgetting what has ended by now. KG_E_LIMIT when SESSIONS_MAX still can be used, KG_E_NOMEM.
 */
int sessions_add(struct sessions *s, const struct store_session *row, uint64_t now) MUST_CHECK;

/* Whether one more fits, after what has ended was forgotten if need be. */
bool sessions_have_room(struct sessions *s, uint64_t now);

/* NULL when there is none. Borrowed until the next sessions_add(). */
struct session *sessions_by_token(const struct sessions *s, const uint8_t hash[HASH_LEN]);
struct session *sessions_by_id(const struct sessions *s, const uint8_t id[ID_LEN]);

/* Calls fn for each; fn may change it. */
void sessions_each(struct sessions *s, void (*fn)(struct session *x, void *arg), void *arg);
size_t sessions_count(const struct sessions *s);

/* An operator's change of state. */
void session_set(struct session *x, uint8_t own);
/* The guardian's; whether anything is another than before. */
bool session_limit(struct session *x, const struct session_limits *l);

/* Sets what is suspended ("" for nothing); whether it is another than before. */
bool session_suspend(struct session *x, const char *lines);
bool session_suspends(const struct session *x, const char *server_tool);

/* Lines; "" for none. */
const char *session_labels(const struct session *x);
/* Sets all of them. KG_E_NOMEM: they are as before. */
int session_label(struct session *x, const char *lines) MUST_CHECK;

/* Whether one of its patterns matches "server/tool". */
bool session_covers(const struct session *x, const char *server_tool);

#endif
