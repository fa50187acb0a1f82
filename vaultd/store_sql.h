/* Inside the store: its statements, and how values go in and out. */
#ifndef VAULTD_STORE_SQL_H
#define VAULTD_STORE_SQL_H

#include <sqlite3.h>

#include "vaultd/store.h"

enum store_sql {
	SQL_BEGIN,
	SQL_COMMIT,
	SQL_ROLLBACK,
	SQL_CONSENT_ADD,
	SQL_CONSENT_REVOKE,
	SQL_CONSENT_SESSIONS_REVOKE,
	SQL_CONSENTS,
	SQL_SESSION_ADD,
	SQL_SESSION_STATE,
	SQL_SESSION_LABELS,
	SQL_SESSIONS,
	SQL_SESSIONS_OF,
	SQL_SESSIONS_LIVE,
	SQL_SECRET_PUT,
	SQL_SECRET_RM,
	SQL_SECRETS,
	SQL_KEY_GET,
	SQL_KEY_PUT,
	SQL_HEAD_GET,
	SQL_HEAD_PUT,
	SQL_PINS,
	SQL_PIN_TEXTS,
	SQL_PIN_LISTED,
	SQL_PIN_GONE,
	SQL_PIN_ACCEPT,
	SQL_PIN_HELD,
	SQL_PIN_TOLD,
	SQL_NAMED,
	SQL_NAMED_ADD,
	SQL_NAMED_DROP,
	SQL_POLICY_GET,
	SQL_POLICY_PUT,
	SQL_ORDERS,
	SQL_ORDER_PUT,
	SQL_ORDER_DROP,
	SQL_COUNT
};

struct store {
	sqlite3 *db;
	sqlite3_stmt *sql[SQL_COUNT];
};

/* A statement being given its values in order; the first error sticks until store_run() or store_next(). */
struct store_call {
	struct store *store;
	sqlite3_stmt *stmt;
	int next;
	int rc;
};
struct store_call store_call(struct store *s, enum store_sql which);
void store_put_blob(struct store_call *c, const void *p, size_t n);
void store_put_text(struct store_call *c, const char *text); /* NULL is NULL */
void store_put_int(struct store_call *c, uint64_t v);

/* Runs one that gives no row and ends the call. */
int store_run(struct store_call *c);
/* The same for one that must change one row, else KG_E_NOTFOUND. */
int store_run_one(struct store_call *c);
/* The next row: 1, or 0 at the end, or KG_E_IO; the call ends with anything but 1. */
int store_next(struct store_call *c);
/* Ends a call early. */
void store_done(struct store_call *c);

/* Columns of the row in hand; borrowed until the next step. Text is never NULL. */
const char *store_text(const struct store_call *c, int column);
uint64_t store_int(const struct store_call *c, int column);
/* KG_E_PROTO when it does not have this length. */
int store_blob(const struct store_call *c, int column, void *out, size_t n) MUST_CHECK;
/* Bytes of any length; NULL when the column is NULL. */
const void *store_bytes(const struct store_call *c, int column, size_t *n);

#endif
