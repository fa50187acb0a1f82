/*
 * Tables beside the log, in its file and in its transactions: what may change, of incidents, responses, pages. The
 * log's own tables stay out of reach behind their triggers. A database that refuses ends the process, as it does for
 * the log.
 */
#ifndef RECORDER_TABLE_H
#define RECORDER_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sqlite3.h>

#include "guardiand/recorder/store.h"

/* Runs "CREATE TABLE IF NOT EXISTS ..." and the like, in the transaction in hand. */
void table_make(struct store *s, const char *sql);

/* A statement, owned by the caller: table_close() before store_close(). */
sqlite3_stmt *table_query(struct store *s, const char *sql);
void table_close(sqlite3_stmt *q);

/*
 * Binds by letters: i (int64_t), t (const char *; NULL is NULL), b (const void *, size_t). What is pointed to must live
 * until the statement ends.
 */
void table_bind(struct store *s, sqlite3_stmt *q, const char *letters, ...);
/* Binds and runs a statement that gives no row, in the transaction in hand (begun when there is none). */
void table_run(struct store *s, sqlite3_stmt *q, const char *letters, ...);
/* The next row of what was bound; false at the end, and then the statement can be bound again. */
bool table_row(struct store *s, sqlite3_stmt *q);
/* Ends it before its last row. */
void table_end(sqlite3_stmt *q);
/* The number that the last INSERT gave its row. */
int64_t table_last_id(struct store *s);

/* Moves what is durable from the write-ahead log into the file, so that no later commit has all of it to move. */
void table_settle(struct store *s);

/* Columns of a row: "" for NULL; borrowed until the next row. */
const char *table_text(sqlite3_stmt *q, int column);
int64_t table_int(sqlite3_stmt *q, int column);
/* A blob of at most n bytes, the rest zeroed. */
void table_blob(sqlite3_stmt *q, int column, void *out, size_t n);

#endif
