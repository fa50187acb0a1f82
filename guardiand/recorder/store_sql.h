/* Inside the store: the database, its statements, the tree. */
#ifndef RECORDER_STORE_SQL_H
#define RECORDER_STORE_SQL_H

#include <stdbool.h>

#include <sqlite3.h>

#include "guardiand/recorder/store.h"

enum store_sql {
	SQL_BEGIN,
	SQL_COMMIT,
	SQL_LEAF_ADD,
	SQL_LEAVES,
	SQL_OUTCOME,
	SQL_HASHES,
	SQL_LAST,
	SQL_MARK_ADD,
	SQL_MARK_BEFORE,
	SQL_CHECKPOINT_ADD,
	SQL_CHECKPOINT_LAST,
	SQL_CHECKPOINTS,
	SQL_COUNT
};

#define BOOT_ID_LEN 32

struct store {
	sqlite3 *db;
	sqlite3_stmt *sql[SQL_COUNT];
	struct merkle tree, signed_tree;
	uint64_t durable;
	uint64_t marked;                  /* size of the last stored edge */
	uint64_t last_ts;                 /* of the last leaf: time never runs backwards in the log */
	uint64_t behind_since, behind_ts; /* monotonic and last_ts when the wall clock fell behind it; 0: it has not */
	bool open;                        /* a transaction is in hand */
	char boot[BOOT_ID_LEN + 1];
	uint8_t scratch[LEAF_MAX];
};

/* Runs a statement that gives no row, with what was bound, and resets it. */
int store_run(struct store *s, enum store_sql which) MUST_CHECK;
/* Ends a statement that gave rows. */
void store_reset(struct store *s, enum store_sql which);
/* Begins a transaction unless one is in hand. */
int store_begin(struct store *s) MUST_CHECK;
/* A blob column of exactly MERKLE_LEN bytes. */
int store_hash_column(sqlite3_stmt *stmt, int column, uint8_t out[MERKLE_LEN]) MUST_CHECK;

/* The bytes of a tree's edge, and back. */
#define STORE_EDGE_MAX (64 * MERKLE_LEN)
size_t store_edge_len(uint64_t size);

/* The tree of the largest stored edge at or below a size; the empty tree when there is none. KG_E_CRYPTO, KG_E_IO. */
int store_edge_before(struct store *s, uint64_t size, struct merkle *out) MUST_CHECK;

/* Fills tree, signed_tree, last_ts, durable and marked from the database, checking it. */
int store_verify(struct store *s, char error[STORE_ERROR_MAX]) MUST_CHECK;

#endif
