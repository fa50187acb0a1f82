#include "vaultd/store_sql.h"

#include <limits.h>
#include <string.h>

#include "common/log.h"

struct store_call store_call(struct store *s, enum store_sql which)
{
	return (struct store_call){.store = s, .stmt = s->sql[which], .next = 1, .rc = SQLITE_OK};
}

static void bound(struct store_call *c, int rc)
{
	if (c->rc == SQLITE_OK)
		c->rc = rc;
	c->next++;
}

/* STATIC: what is bound outlives the call, for every caller runs it before it returns. */
void store_put_blob(struct store_call *c, const void *p, size_t n)
{
	bound(c, sqlite3_bind_blob64(c->stmt, c->next, p, n, SQLITE_STATIC));
}

void store_put_text(struct store_call *c, const char *text)
{
	bound(c, text == NULL ? sqlite3_bind_null(c->stmt, c->next)
			      : sqlite3_bind_text64(c->stmt, c->next, text, strlen(text), SQLITE_STATIC, SQLITE_UTF8));
}

void store_put_int(struct store_call *c, uint64_t v)
{
	bound(c, v > INT64_MAX ? SQLITE_RANGE : sqlite3_bind_int64(c->stmt, c->next, (sqlite3_int64)v));
}

void store_done(struct store_call *c)
{
	sqlite3_reset(c->stmt);
	sqlite3_clear_bindings(c->stmt);
}

int store_next(struct store_call *c)
{
	if (c->rc == SQLITE_OK)
		c->rc = sqlite3_step(c->stmt);
	if (c->rc == SQLITE_ROW) {
		c->rc = SQLITE_OK;
		return 1;
	}
	if (c->rc != SQLITE_DONE)
		log_warn("vault.db: %s: see whether its disk has room and works", sqlite3_errstr(c->rc));
	store_done(c);
	return c->rc == SQLITE_DONE ? 0 : KG_E_IO;
}

int store_run(struct store_call *c)
{
	int r = store_next(c);

	if (r != 1)
		return r;
	store_done(c);
	return KG_E_IO;
}

int store_run_one(struct store_call *c)
{
	int r = store_run(c);

	if (r == KG_OK && sqlite3_changes(c->store->db) != 1)
		return KG_E_NOTFOUND;
	return r;
}

const char *store_text(const struct store_call *c, int column)
{
	const unsigned char *text = sqlite3_column_text(c->stmt, column);

	return text == NULL ? "" : (const char *)text;
}

uint64_t store_int(const struct store_call *c, int column)
{
	return (uint64_t)sqlite3_column_int64(c->stmt, column);
}

int store_blob(const struct store_call *c, int column, void *out, size_t n)
{
	const void *p = sqlite3_column_blob(c->stmt, column);

	if (p == NULL || (size_t)sqlite3_column_bytes(c->stmt, column) != n)
		return KG_E_PROTO;
	memcpy(out, p, n);
	return KG_OK;
}

const void *store_bytes(const struct store_call *c, int column, size_t *n)
{
	const void *p = sqlite3_column_blob(c->stmt, column);

	*n = p == NULL ? 0 : (size_t)sqlite3_column_bytes(c->stmt, column);
	return p;
}

int store_begin(struct store *s)
{
	struct store_call c = store_call(s, SQL_BEGIN);

	return store_run(&c);
}

int store_end(struct store *s, int r)
{
	struct store_call c = store_call(s, SQL_COMMIT), undo = store_call(s, SQL_ROLLBACK);

	if (r == KG_OK)
		r = store_run(&c);
	/* A COMMIT that failed leaves the transaction open, unless SQLite has already rolled it back. */
	if (r != KG_OK && sqlite3_get_autocommit(s->db) == 0 && store_run(&undo) != KG_OK)
		log_fatal(KG_EXIT_STORE, "vault.db: a transaction can be neither committed nor rolled back");
	return r;
}
