/*
 * audit.db: the leaves in their order, each with its hash, and the signed tree heads. SQLite in
 * WAL mode, synchronous FULL, held by this process alone. Leaves are added, never changed: there is
 * no statement that could, and triggers refuse it to others.
 *
 * Leaves are numbered from 1; the tree of size n holds the leaves 1 to n.
 */
#ifndef RECORDER_STORE_H
#define RECORDER_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "common/merkle.h"
#include "guardiand/recorder/leaf.h"

#define STORE_ERROR_MAX 1024
#define STORE_NOTE_MAX 2048
/* The right edge is stored every so many leaves, so that a start checks only what came after. */
#define STORE_MARK_EVERY 4096u

struct store;

/*
 * Opens or makes dir/audit.db and checks it: from the last stored edge at or before the last signed
 * head onward every leaf is hashed again and must lead to that head. On failure
 * (KG_E_IO, KG_E_CRYPTO) error says what is wrong and what to do.
 */
int store_open(const char *dir, struct store **out, char error[STORE_ERROR_MAX]) MUST_CHECK;
/* Leaves what was not committed behind. NULL is fine. */
void store_close(struct store *s);

/*
 * Adds a leaf to the transaction in hand, beginning one when there is none. KG_E_LIMIT when it
 * is too long (nothing has changed); KG_E_IO when the database refuses: then only store_close() is left.
 */
int store_append(struct store *s, const struct leaf_event *e, uint64_t *seq) MUST_CHECK;

/* Makes everything durable. On KG_E_IO none of it may be said to be on record. */
int store_commit(struct store *s) MUST_CHECK;

/* Whether there is something that store_commit() would make durable. */
bool store_pending(const struct store *s);

/* Leaves so far, those of the transaction in hand included; and those that are durable. */
uint64_t store_size(const struct store *s);
uint64_t store_durable(const struct store *s);
/* Of the last leaf, in microseconds since 1970. */
uint64_t store_last_ts(const struct store *s);
/* The tree of store_size() leaves, borrowed; and the one of the last signed head, as it was when opened. */
const struct merkle *store_tree(const struct store *s);
const struct merkle *store_signed_tree(const struct store *s);

/* Stores the right edge, so that the next start has little to check. Part of the transaction in hand. */
int store_mark(struct store *s) MUST_CHECK;

/* The last error of the database, for people. Borrowed until the next call. */
const char *store_error(struct store *s);

/* A leaf, borrowed for the time of the callback. */
struct store_leaf {
	uint64_t seq;
	const void *leaf;
	size_t len;
	uint8_t hash[MERKLE_LEN]; /* as stored */
	uint64_t outcome;         /* seq of the outcome that closes it, 0 when there is none */
};

/* An error of fn ends the walk and is returned. */
typedef int (*store_leaf_fn)(const struct store_leaf *leaf, void *arg);
/* The durable leaves after a number, at most limit. */
int store_leaves(struct store *s, uint64_t after, uint64_t limit, store_leaf_fn fn, void *arg) MUST_CHECK;
/* One of them; KG_E_NOTFOUND. */
int store_leaf(struct store *s, uint64_t seq, store_leaf_fn fn, void *arg) MUST_CHECK;
/* The outcome of an intent, those of the transaction in hand included; KG_E_NOTFOUND. */
int store_outcome(struct store *s, uint64_t intent_seq, uint64_t *seq) MUST_CHECK;
/* The hashes of n leaves behind a number; KG_E_NOTFOUND when there are not so many: then out is undefined. */
int store_hashes(struct store *s, uint64_t after, size_t n, uint8_t (*out)[MERKLE_LEN]) MUST_CHECK;

/* The tree of the first `size` durable leaves, from the stored edges and hashes; KG_E_NOTFOUND. */
int store_tree_at(struct store *s, uint64_t size, struct merkle *out) MUST_CHECK;

/* A signed tree head. */
struct store_checkpoint {
	uint64_t size;
	uint8_t root[MERKLE_LEN];
	char note[STORE_NOTE_MAX + 1];
};

/* One of a size that is there already is left as it is. */
int store_checkpoint_put(struct store *s, const struct store_checkpoint *c) MUST_CHECK;
/* KG_E_NOTFOUND before the first. */
int store_checkpoint_last(struct store *s, struct store_checkpoint *out) MUST_CHECK;
typedef int (*store_checkpoint_fn)(const struct store_checkpoint *c, void *arg);
/* Those of a larger size than `after`, at most limit. */
int store_checkpoints(struct store *s, uint64_t after, uint64_t limit, store_checkpoint_fn fn, void *arg) MUST_CHECK;

#endif
