/*
 * vault.db: SQLite, in WAL mode, synchronous FULL, held by this process alone. What is secret in
 * it is sealed (record.h); tokens stand there as hashes.
 */
#ifndef VAULTD_STORE_H
#define VAULTD_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/call.h"
#include "common/config.h"
#include "common/err.h"
#include "vaultd/record.h"

#define STORE_LABELS_MAX ((size_t)SESSION_LABELS_MAX * (LABEL_MAX + 1)) /* bytes of a session's */
#define STORE_LIST_MAX 1000                                             /* rows of one listing, newest first */

struct store;

/* Opens or makes dir/vault.db; fatal (KG_EXIT_STORE) with what to do. */
struct store *store_open(const char *dir);
void store_close(struct store *s);

/* Who did an administrative act. */
struct store_actor {
	uint32_t uid;
	const char *name; /* "" when the user database does not know it */
};

/* A consent bundle. Texts are borrowed: in callbacks they die with the row. */
struct store_consent {
	uint8_t id[ID_LEN];
	const char *human, *agent, *why;
	const char *tools; /* server/tool patterns, separated by newlines */
	uint8_t tier;
	bool revoked;
	uint64_t created, expires; /* seconds since 1970 */
	struct store_actor by;
};

struct store_session {
	uint8_t id[ID_LEN];
	uint8_t token_hash[HASH_LEN];
	uint8_t state; /* enum session_state */
	uint64_t created, changed;
	const char *labels; /* lines; NULL for a new one: none */
	struct store_consent consent;
};

/* A stored credential. The record is sealed for name, server, destination, kind, slot and version. */
struct store_secret {
	const char *name, *server, *destination, *slot;
	uint8_t kind;
	uint64_t version, created, changed;
	struct store_actor by;
	const void *record;
	size_t record_len;
};

/* All functions below: KG_E_IO (told in the log) when the database refuses; nothing is then changed. */

/* A consent and its session, both or neither. */
int store_grant(struct store *s, const struct store_session *session) MUST_CHECK;
/* Revokes a consent and every session of it, in a transaction of the caller; KG_E_NOTFOUND. */
int store_consent_revoke(struct store *s, const uint8_t id[ID_LEN], uint64_t now) MUST_CHECK;
int store_session_state(struct store *s, const uint8_t id[ID_LEN], uint8_t state, uint64_t now) MUST_CHECK;
/* All of them, in the place of those before. Durable when it returns 0. */
int store_session_labels(struct store *s, const uint8_t id[ID_LEN], const char *labels) MUST_CHECK;

/* An error of fn ends the walk and is returned. hex: only ids that begin so, or NULL. */
typedef int (*store_consent_fn)(const struct store_consent *c, void *arg);
typedef int (*store_session_fn)(const struct store_session *x, void *arg);
int store_consents_each(struct store *s, const char *hex, store_consent_fn fn, void *arg) MUST_CHECK;
int store_sessions_each(struct store *s, const char *hex, store_session_fn fn, void *arg) MUST_CHECK;
/* Those of one consent, oldest first. */
int store_sessions_of(struct store *s, const uint8_t consent[ID_LEN], store_session_fn fn, void *arg) MUST_CHECK;
/* Those that can still be used: not revoked, not expired at now. Oldest first, all of them. */
int store_sessions_live(struct store *s, uint64_t now, store_session_fn fn, void *arg) MUST_CHECK;

/* Inserts, or replaces the one of that name. */
int store_secret_put(struct store *s, const struct store_secret *x) MUST_CHECK;
int store_secret_rm(struct store *s, const char *name) MUST_CHECK;
typedef int (*store_secret_fn)(const struct store_secret *x, void *arg);
int store_secrets_each(struct store *s, store_secret_fn fn, void *arg) MUST_CHECK;

/*
 * A tool as it is pinned: what is accepted of it, and what its server lists when that is something
 * else. Definitions are canonical JSON that nobody here reads.
 */
struct store_pin {
	const char *server, *tool;
	bool has_accepted, has_listed, has_told;
	uint8_t accepted[HASH_LEN], listed[HASH_LEN];
	uint8_t told[HASH_LEN]; /* the changed hash that was put on record last */
	bool held, gone;
	uint64_t accepted_at;
	bool by_person;        /* else at first sight */
	struct store_actor by; /* who accepted */
};
typedef int (*store_pin_fn)(const struct store_pin *x, void *arg);
/* Sorted by server and tool. */
int store_pins_each(struct store *s, store_pin_fn fn, void *arg) MUST_CHECK;

/* A definition; p is NULL when there is none. */
struct store_text {
	const void *p;
	size_t n;
};
/* Borrowed for the time of fn. KG_E_NOTFOUND. */
typedef void (*store_pin_texts_fn)(struct store_text accepted, struct store_text listed, void *arg);
int store_pin_texts(struct store *s, const char *server, const char *tool, store_pin_texts_fn fn, void *arg) MUST_CHECK;

/* Several of the changes below as one transaction: all of them or none when store_end() is given an error. */
int store_begin(struct store *s) MUST_CHECK;
int store_end(struct store *s, int r) MUST_CHECK;

/* The server lists it, with this definition; sha256 NULL: with the accepted one. Makes the pin when there is none. */
int store_pin_listed(struct store *s, const char *server, const char *tool, const uint8_t *sha256,
		     struct store_text definition) MUST_CHECK;
int store_pin_gone(struct store *s, const char *server, const char *tool) MUST_CHECK;
/* What is listed with this hash is accepted from now on; by NULL: at first sight. KG_E_NOTFOUND. */
int store_pin_accept(struct store *s, const char *server, const char *tool, const uint8_t sha256[HASH_LEN],
		     uint64_t now, const struct store_actor *by) MUST_CHECK;
int store_pin_held(struct store *s, const char *server, const char *tool, bool held) MUST_CHECK;
int store_pin_told(struct store *s, const char *server, const char *tool, const uint8_t sha256[HASH_LEN]) MUST_CHECK;

/* Hashes that a consent names which were not the accepted ones when they were written. */
struct store_named {
	const char *server, *tool;
	uint8_t sha256[HASH_LEN];
};
typedef int (*store_named_fn)(const struct store_named *x, void *arg);
int store_named_each(struct store *s, const uint8_t consent[ID_LEN], store_named_fn fn, void *arg) MUST_CHECK;
/* Leaves one that is there already as it is. */
int store_named_add(struct store *s, const uint8_t consent[ID_LEN], const struct store_named *x) MUST_CHECK;
int store_named_drop(struct store *s, const uint8_t consent[ID_LEN]) MUST_CHECK;

/* What is kept for the policies: 0 and nothing at first. fn is called once; data is borrowed for that time. */
/* manifest: SHA-256 of that revision's; NULL when there is none. */
typedef void (*store_policy_fn)(uint64_t revision, const uint8_t *manifest, struct store_text data, void *arg);
int store_policy_get(struct store *s, store_policy_fn fn, void *arg) MUST_CHECK;
/* The revision never becomes lower; data.p NULL: leaves the data. Durable when it returns 0. */
int store_policy_put(struct store *s, uint64_t revision, const uint8_t manifest[HASH_LEN],
		     struct store_text data) MUST_CHECK;

/* An order of the guardian (guard.h). Texts are borrowed: in callbacks they die with the row. */
struct store_order {
	uint64_t row; /* of the table: who makes an order gives it a number of its own */
	uint64_t id;  /* the recorder's; 0: a person's */
	uint8_t act;  /* enum guard_act */
	uint8_t session[ID_LEN], consent[ID_LEN];
	const char *server, *tool;
	uint8_t tier;
	uint32_t rate;
	uint64_t since, until; /* seconds since 1970; until 0: for as long as nobody lifts it */
	const char *rule, *incident, *reason, *by;
};
typedef int (*store_order_fn)(const struct store_order *x, void *arg);
/* Oldest first. */
int store_orders_each(struct store *s, store_order_fn fn, void *arg) MUST_CHECK;
/* Inserts, or replaces the one of that row. */
int store_order_put(struct store *s, const struct store_order *x) MUST_CHECK;
/* One that is not there is no fault. */
int store_order_drop(struct store *s, uint64_t row) MUST_CHECK;

/* The sealed signing key; KG_E_NOTFOUND. *out is owned by the caller. */
int store_signing_key_get(struct store *s, struct record *out) MUST_CHECK;
int store_signing_key_put(struct store *s, const struct record *r) MUST_CHECK;

/* The last signed tree head. */
#define STORE_NOTE_MAX 2048
struct store_head {
	uint64_t size;
	uint8_t root[HASH_LEN];
	char note[STORE_NOTE_MAX + 1];
};
/* KG_E_NOTFOUND before the first. */
int store_head_get(struct store *s, struct store_head *out) MUST_CHECK;
/* Durable when it returns 0. */
int store_head_put(struct store *s, const struct store_head *head) MUST_CHECK;

#endif
