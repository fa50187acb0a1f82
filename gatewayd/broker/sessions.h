/*
 * The read copy of the agent sessions. vaultd owns them and pushes each change; whoever is not
 * in here, or not active, is not let in.
 */
#ifndef BROKER_SESSIONS_H
#define BROKER_SESSIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "common/call.h"
#include "common/err.h"
#include "common/ipc.h"
#include "common/rate.h"

#define SESSIONS_MAX 16384

struct call;
struct mcp_session;

/* What a consent covers: "server/tool" globs. */
struct patterns {
	char *text;        /* owned; the patterns, each NUL-terminated */
	const char **glob; /* owned array into text */
	size_t count;
};

struct session {
	uint8_t id[ID_LEN];
	uint8_t token_hash[HASH_LEN];
	uint8_t consent[ID_LEN];
	uint8_t tier, state;
	uint8_t approval_tier; /* the guardian wants an approval for calls of this tier and above; 0: it does not */
	uint32_t rate;         /* and at most so many calls a minute; 0: any */
	struct rate_bucket bucket;
	uint64_t refused_ns; /* when a refusal of it was last put on record beyond the bound; 0: never */
	uint64_t expires_unix;
	char *human, *agent; /* owned */
	char *why;           /* owned; of one that the guardian has paused or withdrawn: its rule and incident; or "" */
	struct patterns tools;
	struct patterns suspended; /* "server/tool", exactly: changed since the consent named them; "*": all */
	struct patterns labels;    /* what data it has seen, for the policies; no patterns */
	LIST_HEAD(, call) calls;   /* open ones, of call_pool.c */
	unsigned ncalls;
	TAILQ_HEAD(, mcp_session) mcp; /* oldest first, of mcp_sessions.c */
	unsigned nmcp;
	uint64_t round; /* the sync that last named it */
	LIST_ENTRY(session) by_token, by_id;
};

/* Why a session may not act any more. */
enum session_end { SESSION_END_PAUSED = 1, SESSION_END_WITHDRAWN, SESSION_END_REVOKED, SESSION_END_EXPIRED };

/*
 * Told at the very moment when a session stops being active; after SESSION_END_REVOKED and
 * SESSION_END_EXPIRED nothing may keep the pointer. One that is withdrawn may become active again, as may a paused one.
 */
typedef void (*session_ended_fn)(struct session *s, enum session_end why, void *arg);

struct sessions;
struct sessions *sessions_new(session_ended_fn ended, void *arg); /* fatal when out of memory */
void sessions_free(struct sessions *t);

/* A connection to vaultd begins: until sessions_sync_end() nobody is let in. */
void sessions_sync_begin(struct sessions *t);
/* All have been sent: what was not named again has ended while nobody told us. */
void sessions_sync_end(struct sessions *t);
bool sessions_synced(const struct sessions *t);

/* Takes a session as it now is. KG_E_PROTO for a value that cannot be, KG_E_LIMIT, KG_E_NOMEM: then it is not let in.
 */
int sessions_put(struct sessions *t, const struct ipc_session_put *m) MUST_CHECK;

/* The session of a token, in whatever state; NULL when unknown. The hash is compared in constant time. */
struct session *sessions_find(const struct sessions *t, const uint8_t token_hash[HASH_LEN]);
struct session *sessions_by_id(const struct sessions *t, const uint8_t id[ID_LEN]);
bool session_expired(const struct session *s, uint64_t now_unix);

/* Ends what has expired. */
void sessions_expire(struct sessions *t, uint64_t now_unix);
/* When the next active session expires; UINT64_MAX for none. */
uint64_t sessions_next_expiry(const struct sessions *t);
size_t sessions_count(const struct sessions *t);

#endif
