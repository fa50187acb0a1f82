#include "guardiand/recorder/table.h"

#include <stdarg.h>
#include <string.h>

#include "guardiand/recorder/commit.h"
#include "guardiand/recorder/store_sql.h"

void table_make(struct store *s, const char *sql)
{
	if (store_begin(s) != KG_OK || sqlite3_exec(s->db, sql, NULL, NULL, NULL) != SQLITE_OK)
		commit_fatal(s);
}

sqlite3_stmt *table_query(struct store *s, const char *sql)
{
	sqlite3_stmt *q;

	if (sqlite3_prepare_v3(s->db, sql, -1, SQLITE_PREPARE_PERSISTENT, &q, NULL) != SQLITE_OK)
		commit_fatal(s);
	return q;
}

void table_close(sqlite3_stmt *q)
{
	sqlite3_finalize(q);
}

static int bind_text(sqlite3_stmt *q, int at, const char *text)
{
	return text == NULL ? sqlite3_bind_null(q, at) : sqlite3_bind_text(q, at, text, -1, SQLITE_STATIC);
}

static void bind_all(struct store *s, sqlite3_stmt *q, const char *letters, va_list *ap)
{
	int rc = SQLITE_OK;

	for (int at = 1; letters[at - 1] != '\0' && rc == SQLITE_OK; at++) {
		if (letters[at - 1] == 'i') {
			rc = sqlite3_bind_int64(q, at, va_arg(*ap, int64_t));
		} else if (letters[at - 1] == 't') {
			rc = bind_text(q, at, va_arg(*ap, const char *));
		} else {
			const void *p = va_arg(*ap, const void *);

			rc = sqlite3_bind_blob64(q, at, p, va_arg(*ap, size_t), SQLITE_STATIC);
		}
	}
	if (rc != SQLITE_OK)
		commit_fatal(s);
}

void table_bind(struct store *s, sqlite3_stmt *q, const char *letters, ...)
{
	va_list ap;

	va_start(ap, letters);
	bind_all(s, q, letters, &ap);
	va_end(ap);
}

void table_run(struct store *s, sqlite3_stmt *q, const char *letters, ...)
{
	va_list ap;

	if (store_begin(s) != KG_OK)
		commit_fatal(s);
	va_start(ap, letters);
	bind_all(s, q, letters, &ap);
	va_end(ap);
	if (sqlite3_step(q) != SQLITE_DONE)
		commit_fatal(s);
	sqlite3_reset(q);
}

bool table_row(struct store *s, sqlite3_stmt *q)
{
	int rc = sqlite3_step(q);

	if (rc == SQLITE_ROW)
		return true;
	if (rc != SQLITE_DONE)
		commit_fatal(s);
	sqlite3_reset(q);
	return false;
}

void table_end(sqlite3_stmt *q)
{
	sqlite3_reset(q);
}

int64_t table_last_id(struct store *s)
{
	return sqlite3_last_insert_rowid(s->db);
}

void table_settle(struct store *s)
{
	/* When it cannot be now, a later commit does it. */
	(void)sqlite3_wal_checkpoint_v2(s->db, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
}

const char *table_text(sqlite3_stmt *q, int column)
{
	const char *text = (const char *)sqlite3_column_text(q, column);

	return text == NULL ? "" : text;
}

int64_t table_int(sqlite3_stmt *q, int column)
{
	return sqlite3_column_int64(q, column);
}

void table_blob(sqlite3_stmt *q, int column, void *out, size_t n)
{
	const void *p = sqlite3_column_blob(q, column);
	size_t len = (size_t)sqlite3_column_bytes(q, column);

	memset(out, 0, n);
	if (p != NULL)
		memcpy(out, p, len < n ? len : n);
}
