#include "guardiand/recorder/store.h"

#include <string.h>
#include <time.h>

#include "common/loop.h"
#include "guardiand/recorder/store_sql.h"

int store_run(struct store *s, enum store_sql which)
{
	int rc = sqlite3_step(s->sql[which]);

	store_reset(s, which);
	return rc == SQLITE_DONE ? KG_OK : KG_E_IO;
}

void store_reset(struct store *s, enum store_sql which)
{
	sqlite3_reset(s->sql[which]);
}

int store_hash_column(sqlite3_stmt *stmt, int column, uint8_t out[MERKLE_LEN])
{
	const void *p = sqlite3_column_blob(stmt, column);

	if (p == NULL || sqlite3_column_bytes(stmt, column) != MERKLE_LEN)
		return KG_E_PROTO;
	memcpy(out, p, MERKLE_LEN);
	return KG_OK;
}

size_t store_edge_len(uint64_t size)
{
	return (size_t)__builtin_popcountll(size) * MERKLE_LEN;
}

const char *store_error(struct store *s)
{
	return sqlite3_errmsg(s->db);
}

int store_begin(struct store *s)
{
	int r = s->open ? KG_OK : store_run(s, SQL_BEGIN);

	if (r == KG_OK)
		s->open = true;
	return r;
}

int store_commit(struct store *s)
{
	if (!s->open)
		return KG_OK;
	if (store_run(s, SQL_COMMIT) != KG_OK)
		return KG_E_IO;
	s->open = false;
	s->durable = s->tree.size;
	return KG_OK;
}

bool store_pending(const struct store *s)
{
	return s->open;
}

uint64_t store_size(const struct store *s)
{
	return s->tree.size;
}

uint64_t store_durable(const struct store *s)
{
	return s->durable;
}

uint64_t store_last_ts(const struct store *s)
{
	return s->last_ts;
}

const struct merkle *store_tree(const struct store *s)
{
	return &s->tree;
}

const struct merkle *store_signed_tree(const struct store *s)
{
	return &s->signed_tree;
}

/*
 * The wall clock, but never earlier than the leaf before: readers may search by time. Where it was set back, time goes
 * on at half its pace until the clock has caught up: were it to stand, no window of the guardian would move and no rule
 * speak twice in all that time.
 */
static uint64_t next_us(struct store *s)
{
	struct timespec ts = {0};
	uint64_t now, mono = loop_now_ns() / 1000u;

	clock_gettime(CLOCK_REALTIME, &ts);
	now = (uint64_t)ts.tv_sec * 1000000u + (uint64_t)ts.tv_nsec / 1000u;
	if (now >= s->last_ts) {
		s->behind_since = 0;
		return now;
	}
	if (s->behind_since == 0) {
		s->behind_since = mono;
		s->behind_ts = s->last_ts;
	}
	return s->behind_ts + (mono - s->behind_since) / 2;
}

static int leaf_insert(struct store *s, uint64_t seq, uint64_t intent_seq, const uint8_t hash[MERKLE_LEN], size_t len)
{
	sqlite3_stmt *add = s->sql[SQL_LEAF_ADD];
	int rc = sqlite3_bind_int64(add, 1, (sqlite3_int64)seq);

	if (rc == SQLITE_OK)
		rc = intent_seq == 0 ? sqlite3_bind_null(add, 2)
				     : sqlite3_bind_int64(add, 2, (sqlite3_int64)intent_seq);
	if (rc == SQLITE_OK)
		rc = sqlite3_bind_blob(add, 3, hash, MERKLE_LEN, SQLITE_STATIC);
	if (rc == SQLITE_OK)
		rc = sqlite3_bind_blob(add, 4, s->scratch, (int)len, SQLITE_STATIC);
	return rc == SQLITE_OK ? store_run(s, SQL_LEAF_ADD) : KG_E_IO;
}

int store_append(struct store *s, const struct leaf_event *e, uint64_t *seq)
{
	struct leaf_stamp stamp = {
		.seq = s->tree.size + 1,
		.ts_us = next_us(s),
		.mono_us = loop_now_ns() / 1000u,
		.boot = s->boot,
	};
	uint8_t hash[MERKLE_LEN];
	size_t len = leaf_write(e, &stamp, s->scratch);

	if (len == 0)
		return KG_E_LIMIT;
	merkle_leaf(s->scratch, len, hash);
	if (store_begin(s) != KG_OK)
		return KG_E_IO;
	if (leaf_insert(s, stamp.seq, e->phase == PHASE_OUTCOME ? e->intent_seq : 0, hash, len) != KG_OK)
		return KG_E_IO;
	merkle_append(&s->tree, hash);
	s->last_ts = stamp.ts_us;
	if (s->tree.size % STORE_MARK_EVERY == 0 && store_mark(s) != KG_OK)
		return KG_E_IO;
	*seq = stamp.seq;
	return KG_OK;
}

int store_mark(struct store *s)
{
	sqlite3_stmt *add = s->sql[SQL_MARK_ADD];

	if (s->marked == s->tree.size)
		return KG_OK;
	if (store_begin(s) != KG_OK || sqlite3_bind_int64(add, 1, (sqlite3_int64)s->tree.size) != SQLITE_OK ||
	    sqlite3_bind_blob(add, 2, s->tree.edge, (int)store_edge_len(s->tree.size), SQLITE_STATIC) != SQLITE_OK ||
	    store_run(s, SQL_MARK_ADD) != KG_OK)
		return KG_E_IO;
	s->marked = s->tree.size;
	return KG_OK;
}

int store_checkpoint_put(struct store *s, const struct store_checkpoint *c)
{
	sqlite3_stmt *add = s->sql[SQL_CHECKPOINT_ADD];

	if (store_begin(s) != KG_OK || sqlite3_bind_int64(add, 1, (sqlite3_int64)c->size) != SQLITE_OK ||
	    sqlite3_bind_blob(add, 2, c->root, MERKLE_LEN, SQLITE_STATIC) != SQLITE_OK ||
	    sqlite3_bind_text(add, 3, c->note, -1, SQLITE_STATIC) != SQLITE_OK)
		return KG_E_IO;
	return store_run(s, SQL_CHECKPOINT_ADD);
}
