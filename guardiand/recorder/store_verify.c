/* The check at start: do the stored leaves lead to what vaultd has signed? */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "guardiand/recorder/store_sql.h"

#define ADVICE "keep the file as evidence and restore it from a backup"

struct scan {
	struct store *s;
	struct store_checkpoint head;
	bool has_head;
	char *error;
};

static int last_seq(struct store *s, uint64_t *seq)
{
	int rc = sqlite3_step(s->sql[SQL_LAST]);

	*seq = rc == SQLITE_ROW ? (uint64_t)sqlite3_column_int64(s->sql[SQL_LAST], 0) : 0;
	store_reset(s, SQL_LAST);
	return rc == SQLITE_ROW || rc == SQLITE_DONE ? KG_OK : KG_E_IO;
}

static int check_head(struct scan *x)
{
	uint8_t root[MERKLE_LEN];

	if (!x->has_head || x->head.size != x->s->tree.size)
		return KG_OK;
	merkle_root(&x->s->tree, root);
	if (memcmp(root, x->head.root, MERKLE_LEN) != 0) {
		snprintf(x->error, STORE_ERROR_MAX,
			 "the records up to %" PRIu64 " are not the ones whose tree vaultd has signed: " ADVICE,
			 x->head.size);
		return KG_E_CRYPTO;
	}
	x->s->signed_tree = x->s->tree;
	return KG_OK;
}

static int check_leaf(const struct store_leaf *leaf, void *arg)
{
	struct scan *x = arg;
	struct store *s = x->s;
	uint8_t hash[MERKLE_LEN];

	merkle_leaf(leaf->leaf, leaf->len, hash);
	if (leaf->seq != s->tree.size + 1) {
		snprintf(x->error, STORE_ERROR_MAX, "record %" PRIu64 " is missing: " ADVICE, s->tree.size + 1);
		return KG_E_CRYPTO;
	}
	if (memcmp(hash, leaf->hash, MERKLE_LEN) != 0 || leaf_number(leaf->leaf, leaf->len, "seq") != leaf->seq) {
		snprintf(x->error, STORE_ERROR_MAX, "record %" PRIu64 " has been changed: " ADVICE, leaf->seq);
		return KG_E_CRYPTO;
	}
	merkle_append(&s->tree, hash);
	return check_head(x);
}

static int read_last_ts(const struct store_leaf *leaf, void *arg)
{
	struct store *s = arg;

	s->last_ts = leaf_number(leaf->leaf, leaf->len, "ts");
	return KG_OK;
}

int store_verify(struct store *s, char error[STORE_ERROR_MAX])
{
	struct scan x = {.s = s, .error = error};
	int r = store_checkpoint_last(s, &x.head);

	x.has_head = r == KG_OK;
	if (r == KG_OK || r == KG_E_NOTFOUND)
		r = last_seq(s, &s->durable);
	if (r == KG_OK && x.has_head && x.head.size > s->durable) {
		snprintf(error, STORE_ERROR_MAX, "records %" PRIu64 " to %" PRIu64 " were signed and are gone: " ADVICE,
			 s->durable + 1, x.head.size);
		return KG_E_CRYPTO;
	}
	if (r == KG_OK)
		r = store_edge_before(s, x.has_head ? x.head.size : 0, &s->tree);
	if (r == KG_OK)
		r = check_head(&x);
	if (r == KG_OK)
		r = store_leaves(s, s->tree.size, UINT32_MAX, check_leaf, &x);
	if (r == KG_OK && s->durable > 0)
		r = store_leaf(s, s->durable, read_last_ts, s);
	if (r == KG_E_CRYPTO && error[0] == '\0')
		snprintf(error, STORE_ERROR_MAX, "a stored edge of the tree is broken: " ADVICE);
	return r;
}
