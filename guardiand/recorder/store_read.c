/* Reading what is on record. */
#include <string.h>

#include "guardiand/recorder/store_sql.h"

#define HASHES_AT_ONCE 256u

static int leaf_row(sqlite3_stmt *stmt, store_leaf_fn fn, void *arg)
{
	struct store_leaf leaf = {
		.seq = (uint64_t)sqlite3_column_int64(stmt, 0),
		.leaf = sqlite3_column_blob(stmt, 2),
		.len = (size_t)sqlite3_column_bytes(stmt, 2),
		.outcome = (uint64_t)sqlite3_column_int64(stmt, 3),
	};

	if (leaf.leaf == NULL)
		leaf.leaf = "";
	/* A hash of another length matches nothing: the reader sees it as changed. */
	if (store_hash_column(stmt, 1, leaf.hash) != KG_OK)
		memset(leaf.hash, 0, sizeof(leaf.hash));
	return fn(&leaf, arg);
}

int store_leaves(struct store *s, uint64_t after, uint64_t limit, store_leaf_fn fn, void *arg)
{
	sqlite3_stmt *stmt = s->sql[SQL_LEAVES];
	int rc, r = KG_OK;

	if (after >= s->durable)
		return KG_OK;
	if (sqlite3_bind_int64(stmt, 1, (sqlite3_int64)after) != SQLITE_OK ||
	    sqlite3_bind_int64(stmt, 2, (sqlite3_int64)s->durable) != SQLITE_OK ||
	    sqlite3_bind_int64(stmt, 3, (sqlite3_int64)limit) != SQLITE_OK)
		return KG_E_IO;
	while ((rc = sqlite3_step(stmt)) == SQLITE_ROW && r == KG_OK)
		r = leaf_row(stmt, fn, arg);
	store_reset(s, SQL_LEAVES);
	return r != KG_OK ? r : rc == SQLITE_DONE ? KG_OK : KG_E_IO;
}

struct one {
	uint64_t seq;
	store_leaf_fn fn;
	void *arg;
	bool found;
};

static int one_leaf(const struct store_leaf *leaf, void *arg)
{
	struct one *one = arg;

	if (leaf->seq != one->seq)
		return KG_OK;
	one->found = true;
	return one->fn(leaf, one->arg);
}

int store_leaf(struct store *s, uint64_t seq, store_leaf_fn fn, void *arg)
{
	struct one one = {.seq = seq, .fn = fn, .arg = arg};
	int r = seq == 0 ? KG_OK : store_leaves(s, seq - 1, 1, one_leaf, &one);

	return r != KG_OK ? r : one.found ? KG_OK : KG_E_NOTFOUND;
}

int store_outcome(struct store *s, uint64_t intent_seq, uint64_t *seq)
{
	sqlite3_stmt *stmt = s->sql[SQL_OUTCOME];
	int rc;

	if (sqlite3_bind_int64(stmt, 1, (sqlite3_int64)intent_seq) != SQLITE_OK)
		return KG_E_IO;
	rc = sqlite3_step(stmt);
	if (rc == SQLITE_ROW)
		*seq = (uint64_t)sqlite3_column_int64(stmt, 0);
	store_reset(s, SQL_OUTCOME);
	return rc == SQLITE_ROW ? KG_OK : rc == SQLITE_DONE ? KG_E_NOTFOUND : KG_E_IO;
}

int store_hashes(struct store *s, uint64_t after, size_t n, uint8_t (*out)[MERKLE_LEN])
{
	sqlite3_stmt *stmt = s->sql[SQL_HASHES];
	size_t got = 0;
	int r = KG_OK;

	if (sqlite3_bind_int64(stmt, 1, (sqlite3_int64)after) != SQLITE_OK ||
	    sqlite3_bind_int64(stmt, 2, (sqlite3_int64)n) != SQLITE_OK)
		return KG_E_IO;
	while (r == KG_OK && got < n && sqlite3_step(stmt) == SQLITE_ROW)
		r = store_hash_column(stmt, 0, out[got++]);
	store_reset(s, SQL_HASHES);
	return r != KG_OK ? r : got == n ? KG_OK : KG_E_NOTFOUND;
}

int store_edge_before(struct store *s, uint64_t size, struct merkle *out)
{
	sqlite3_stmt *stmt = s->sql[SQL_MARK_BEFORE];
	const void *edge;
	int rc, r = KG_OK;

	*out = (struct merkle){0};
	sqlite3_bind_int64(stmt, 1, (sqlite3_int64)size);
	rc = sqlite3_step(stmt);
	if (rc == SQLITE_ROW) {
		out->size = (uint64_t)sqlite3_column_int64(stmt, 0);
		edge = sqlite3_column_blob(stmt, 1);
		if (edge == NULL || (size_t)sqlite3_column_bytes(stmt, 1) != store_edge_len(out->size))
			r = KG_E_CRYPTO;
		else
			memcpy(out->edge, edge, store_edge_len(out->size));
	}
	store_reset(s, SQL_MARK_BEFORE);
	return rc == SQLITE_ROW || rc == SQLITE_DONE ? r : KG_E_IO;
}

int store_tree_at(struct store *s, uint64_t size, struct merkle *out)
{
	uint8_t hash[HASHES_AT_ONCE][MERKLE_LEN];
	struct merkle tree;
	int r = size > s->durable ? KG_E_NOTFOUND : store_edge_before(s, size, &tree);

	while (r == KG_OK && tree.size < size) {
		size_t n = size - tree.size < HASHES_AT_ONCE ? (size_t)(size - tree.size) : HASHES_AT_ONCE;

		r = store_hashes(s, tree.size, n, hash);
		for (size_t i = 0; r == KG_OK && i < n; i++)
			merkle_append(&tree, hash[i]);
	}
	if (r == KG_OK)
		*out = tree;
	return r;
}

/* A broken row ends as a head that no tree has. */
static void checkpoint_row(sqlite3_stmt *stmt, struct store_checkpoint *out)
{
	const unsigned char *note = sqlite3_column_text(stmt, 2);
	size_t len = note == NULL ? 0 : (size_t)sqlite3_column_bytes(stmt, 2);

	*out = (struct store_checkpoint){.size = (uint64_t)sqlite3_column_int64(stmt, 0)};
	if (store_hash_column(stmt, 1, out->root) != KG_OK)
		memset(out->root, 0, sizeof(out->root));
	if (len != 0 && len <= STORE_NOTE_MAX)
		memcpy(out->note, note, len);
}

int store_checkpoint_last(struct store *s, struct store_checkpoint *out)
{
	int rc = sqlite3_step(s->sql[SQL_CHECKPOINT_LAST]);

	if (rc == SQLITE_ROW)
		checkpoint_row(s->sql[SQL_CHECKPOINT_LAST], out);
	store_reset(s, SQL_CHECKPOINT_LAST);
	return rc == SQLITE_ROW ? KG_OK : rc == SQLITE_DONE ? KG_E_NOTFOUND : KG_E_IO;
}

int store_checkpoints(struct store *s, uint64_t after, uint64_t limit, store_checkpoint_fn fn, void *arg)
{
	sqlite3_stmt *stmt = s->sql[SQL_CHECKPOINTS];
	struct store_checkpoint c;
	int rc, r = KG_OK;

	if (sqlite3_bind_int64(stmt, 1, (sqlite3_int64)after) != SQLITE_OK ||
	    sqlite3_bind_int64(stmt, 2, (sqlite3_int64)limit) != SQLITE_OK)
		return KG_E_IO;
	while ((rc = sqlite3_step(stmt)) == SQLITE_ROW && r == KG_OK) {
		checkpoint_row(stmt, &c);
		r = fn(&c, arg);
	}
	store_reset(s, SQL_CHECKPOINTS);
	return r != KG_OK ? r : rc == SQLITE_DONE ? KG_OK : KG_E_IO;
}
