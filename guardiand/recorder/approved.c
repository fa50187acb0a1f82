#include "guardiand/recorder/approved.h"

#include <stdlib.h>
#include <string.h>

#include <jansson.h>
#include <sodium.h>

#include "common/err.h"
#include "common/log.h"
#include "guardiand/recorder/guard.h"
#include "guardiand/recorder/table.h"

static const char table[] =
	"CREATE TABLE IF NOT EXISTS approved (n INTEGER PRIMARY KEY AUTOINCREMENT, id BLOB NOT NULL UNIQUE,"
	" session BLOB NOT NULL, server TEXT NOT NULL, tool TEXT NOT NULL, args_sha256 BLOB NOT NULL, txn BLOB) "
	"STRICT;";

enum query { Q_ADD, Q_PRUNE, Q_USED, Q_DELETE, Q_IS, QUERIES };

static const char *const queries[QUERIES] = {
	[Q_ADD] =
		"INSERT OR REPLACE INTO approved (id, session, server, tool, args_sha256) VALUES (?1, ?2, ?3, ?4, ?5)",
	[Q_PRUNE] = "DELETE FROM approved WHERE n <= ?1",
	[Q_USED] = "UPDATE approved SET txn = ?2 WHERE id = ?1",
	[Q_DELETE] = "DELETE FROM approved WHERE id = ?1",
	/* vaultd may say that it is used before the broker's intent has come. */
	[Q_IS] = ("SELECT 1 FROM approved WHERE id = ?1 AND session = ?2 AND server = ?3 AND tool = ?4"
		  " AND args_sha256 = ?5 AND (txn IS NULL OR txn = ?6)"),
};

struct approved {
	struct store *store;
	sqlite3_stmt *q[QUERIES];
};

struct approved *approved_new(struct store *s)
{
	struct approved *x = calloc(1, sizeof(*x));

	if (x == NULL)
		log_fatal(KG_EXIT_FAILURE, "approvals: out of memory");
	x->store = s;
	table_make(s, table);
	for (size_t i = 0; i < QUERIES; i++)
		x->q[i] = table_query(s, queries[i]);
	return x;
}

void approved_free(struct approved *x)
{
	if (x == NULL)
		return;
	for (size_t i = 0; i < QUERIES; i++)
		table_close(x->q[i]);
	free(x);
}

static bool read_hex(const json_t *m, const char *name, uint8_t *out, size_t n)
{
	const char *hex = json_string_value(json_object_get(m, name));
	size_t got;

	return hex != NULL && strlen(hex) == 2 * n && sodium_hex2bin(out, n, hex, 2 * n, NULL, &got, NULL) == 0 &&
	       got == n;
}

static void add(struct approved *x, const json_t *m, const uint8_t id[ID_LEN])
{
	const char *server = json_string_value(json_object_get(m, "server"));
	const char *tool = json_string_value(json_object_get(m, "tool"));
	uint8_t session[ID_LEN], args[HASH_LEN];

	if (server == NULL || tool == NULL || !read_hex(m, "session", session, ID_LEN) ||
	    !read_hex(m, "args_sha256", args, HASH_LEN))
		return;
	table_run(x->store, x->q[Q_ADD], "bbttb", id, (size_t)ID_LEN, session, (size_t)ID_LEN, server, tool, args,
		  (size_t)HASH_LEN);
	table_run(x->store, x->q[Q_PRUNE], "i", table_last_id(x->store) - APPROVED_MAX);
}

bool approved_event(struct approved *x, struct ipc_bytes kind, struct ipc_bytes members)
{
	bool approved = ipc_is(kind, "approval.approved"), used = ipc_is(kind, "approval.used");
	uint8_t id[ID_LEN], txn[ID_LEN];
	json_t *m;

	if (!approved && !used && !ipc_is(kind, "approval.expired"))
		return false;
	m = json_loadb((const char *)members.p, members.n, JSON_REJECT_DUPLICATES, NULL);
	if (read_hex(m, "approval", id, ID_LEN)) {
		if (approved)
			add(x, m, id);
		else if (!used)
			table_run(x->store, x->q[Q_DELETE], "b", id, (size_t)ID_LEN);
		else if (read_hex(m, "txn", txn, ID_LEN))
			table_run(x->store, x->q[Q_USED], "bb", id, (size_t)ID_LEN, txn, (size_t)ID_LEN);
	}
	json_decref(m);
	return true;
}

bool approved_is(struct approved *x, const struct ipc_intent *m)
{
	char server[SERVER_NAME_LEN + 1], tool[TOOL_NAME_LEN + 1];
	sqlite3_stmt *q = x->q[Q_IS];

	if (sodium_is_zero(m->approval, ID_LEN) || ipc_copy(m->upstream, server, sizeof(server)) != KG_OK ||
	    ipc_copy(m->name, tool, sizeof(tool)) != KG_OK)
		return false;
	table_bind(x->store, q, "bbttbb", m->approval, (size_t)ID_LEN, m->session, (size_t)ID_LEN, server, tool,
		   m->args_sha256, (size_t)HASH_LEN, m->txn, (size_t)ID_LEN);
	if (!table_row(x->store, q))
		return false;
	table_end(q);
	return true;
}
