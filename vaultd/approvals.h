/*
 * Approvals: a person's word for one call of one session with exactly these arguments to exactly this definition of
 * a tool. In memory alone: the arguments never touch the disk, and after a restart the agent asks again. One is used
 * once, and dies with its time or its session.
 */
#ifndef VAULTD_APPROVALS_H
#define VAULTD_APPROVALS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "vaultd/release.h"
#include "vaultd/sessions.h"
#include "vaultd/tools.h"
#include "vaultd/vault.h"

#define APPROVALS_MAX 1000                         /* those that have ended included, as long as there is room */
#define APPROVALS_PER_SESSION 32                   /* pending and approved */
#define APPROVALS_ARGS_MAX 65536                   /* bytes: a person must be able to read what is approved */
#define APPROVALS_BYTES_MAX ((size_t)16 * 1048576) /* arguments of all */
#define APPROVALS_TTL_S 900                        /* when the configuration says nothing */
#define APPROVAL_WAITERS 8                         /* calls that wait for one to be on record */
#define APPROVER_MAX 256
#define APPROVAL_NOTE_MAX 512

struct approval {
	uint8_t id[ID_LEN], session[ID_LEN], consent[ID_LEN];
	uint8_t args_sha256[HASH_LEN], def_sha256[HASH_LEN];
	const struct upstream *upstream;
	char tool[TOOL_NAME_MAX + 1];
	uint8_t state; /* enum approval_state */
	uint8_t tier;
	bool recorded; /* that it was asked for: before, nobody is told of it */
	bool four_eyes, mfa;
	bool untold;      /* it expired, and that is not on record yet */
	unsigned replays; /* uses after the first */
	uint64_t asked, expires;
	char source[65]; /* address:port of who called */
	char human[257], agent[129], policies[1025], reason[513];
	char approver[APPROVER_MAX + 1], note[APPROVAL_NOTE_MAX + 1];
	char *args; /* owned, wiped at the end; NULL then */
	size_t args_len;
	struct {
		struct peer *peer; /* NULL: free */
		uint64_t call;
	} waiter[APPROVAL_WAITERS];
	struct approval *next;
};

struct approvals;

struct approvals *approvals_new(void); /* fatal when out of memory */
void approvals_free(struct approvals *a);

/* NULL when there is none. Borrowed until the next approvals_make() or approvals_drop(). */
struct approval *approvals_find(const struct approvals *a, const uint8_t id[ID_LEN]);
/* Newest first; an error of fn ends the walk and is returned. */
int approvals_each(const struct approvals *a, int (*fn)(struct approval *x, void *arg), void *arg);

/* What an approval is for. */
struct approval_call {
	const struct session *session;
	const struct upstream *upstream;
	const char *tool;
	const uint8_t *args_sha256, *def_sha256;
};
bool approval_is_for(const struct approval *x, const struct approval_call *c);
/* The one that is pending, approved or denied for this call. */
struct approval *approvals_same(const struct approvals *a, const struct approval_call *c);
/*
 * A new pending one; what has ended makes room. KG_E_LIMIT when there is none for the session or for the arguments,
 * KG_E_NOMEM.
 */
int approvals_make(struct approvals *a, const struct approval_call *c, const void *args, size_t len,
		   struct approval **out) MUST_CHECK;
/* Forgets one that did not come on record. */
void approvals_drop(struct approvals *a, struct approval *x);

/* The arguments are read no more. */
void approval_wipe(struct approval *x);
/* It is over by its time or by its session's: told to the brokers, and to the record by and by. */
void approval_expire(struct vault *v, struct approval *x);

/* A session can be used no more: nor can its approvals. */
void approvals_session_ended(struct vault *v, const uint8_t session[ID_LEN]);
/* Ends what is over and records it; whether something is still alive. */
bool approvals_tick(struct vault *v);
/* A peer has gone: it waits for none. */
void approvals_peer_gone(struct peer *gone);

/* Brokers hear of one; one that has come hears of those that are pending or approved. */
void approvals_push(struct vault *v, const struct approval *x);
void approvals_send(struct peer *broker);

/*
 * Uses the approval that an ATTACH names for its call, once: 0, or KG_E_DENIED with the answer filled. The same one
 * again is refused and on record.
 */
int approval_use(struct vault *v, const uint8_t id[ID_LEN], const struct approval_call *c, const uint8_t txn[ID_LEN],
		 struct release_answer *a) MUST_CHECK;

/* APPROVAL_ASK of a broker; KG_E_PROTO for what an honest one does not say. */
int approval_asked(struct peer *broker, const struct ipc_approval_ask *m) MUST_CHECK;

/* ---- approval_check.c ---- */
/*
 * Asks the broker whether the policies would take this person's approval. fn hears once: why NULL: yes, or there is no
 * broker to ask (the call is decided when it comes); asker NULL: it has gone. A broker that does not answer in
 * APPROVAL_CHECK_MS takes none.
 */
#define APPROVAL_CHECK_MS 2000
typedef void (*approval_checked_fn)(struct peer *asker, void *what, const char *why);
void approval_check(struct peer *asker, const struct approval *x, const char *approver, bool mfa,
		    approval_checked_fn fn, void *what);
/* APPROVAL_CHECKED; one that nobody waits for any more is no fault. KG_E_PROTO. */
int approval_checked(struct peer *broker, const struct ipc_approval_checked *m) MUST_CHECK;
void approval_checks_peer_gone(struct peer *gone);

#endif
