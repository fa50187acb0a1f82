#include "vaultd/store.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "vaultd/store_sql.h"

#define SCHEMA_VERSION 6
#define ROW_MAX 2097152 /* bytes: two definitions, or the live entities of the policies */

/*
 * EXCLUSIVE: no second process may open it, and the WAL needs no shared memory file.
 * trusted_schema and cell_size_check: the file may have been tampered with.
 */
static const char pragmas[] = "PRAGMA locking_mode=EXCLUSIVE;"
			      "PRAGMA journal_mode=WAL;"
			      "PRAGMA synchronous=FULL;"
			      "PRAGMA foreign_keys=ON;"
			      "PRAGMA secure_delete=ON;"
			      "PRAGMA temp_store=MEMORY;"
			      "PRAGMA mmap_size=0;"
			      "PRAGMA trusted_schema=OFF;"
			      "PRAGMA cell_size_check=ON;";

/* Tables as they were made, version by version: each step makes the next version of the one before. */
static const char schema_1[] =
	"BEGIN IMMEDIATE;"
	"CREATE TABLE consents("
	" id BLOB PRIMARY KEY NOT NULL CHECK(length(id)=16),"
	" human TEXT NOT NULL, agent TEXT NOT NULL, why TEXT NOT NULL, tools TEXT NOT NULL,"
	" tier INTEGER NOT NULL, revoked INTEGER NOT NULL, created INTEGER NOT NULL, expires INTEGER NOT NULL,"
	" by_uid INTEGER NOT NULL, by_name TEXT NOT NULL) STRICT;"
	"CREATE TABLE sessions("
	" id BLOB PRIMARY KEY NOT NULL CHECK(length(id)=16),"
	" consent BLOB NOT NULL REFERENCES consents(id),"
	" token_hash BLOB NOT NULL UNIQUE CHECK(length(token_hash)=32),"
	" state INTEGER NOT NULL, created INTEGER NOT NULL, changed INTEGER NOT NULL) STRICT;"
	"CREATE INDEX sessions_consent ON sessions(consent);"
	"CREATE TABLE secrets("
	" name TEXT PRIMARY KEY NOT NULL, server TEXT NOT NULL, destination TEXT NOT NULL,"
	" kind INTEGER NOT NULL, slot TEXT NOT NULL, version INTEGER NOT NULL,"
	" created INTEGER NOT NULL, changed INTEGER NOT NULL,"
	" by_uid INTEGER NOT NULL, by_name TEXT NOT NULL, record BLOB NOT NULL) STRICT;"
	"CREATE TABLE signing_key(one INTEGER PRIMARY KEY CHECK(one=1), record BLOB NOT NULL) STRICT;"
	"CREATE TABLE signed_head("
	" one INTEGER PRIMARY KEY CHECK(one=1), size INTEGER NOT NULL,"
	" root BLOB NOT NULL CHECK(length(root)=32), note TEXT NOT NULL) STRICT;"
	"PRAGMA user_version=1;"
	"COMMIT;";

/* consent_pin has a row only where a consent names another hash than the one that was accepted last (named.h). */
static const char schema_2[] =
	"BEGIN IMMEDIATE;"
	"CREATE TABLE pin("
	" server TEXT NOT NULL, tool TEXT NOT NULL,"
	" accepted BLOB CHECK(accepted IS NULL OR length(accepted)=32), definition BLOB,"
	" accepted_at INTEGER NOT NULL, by_uid INTEGER, by_name TEXT NOT NULL,"
	" listed BLOB CHECK(listed IS NULL OR length(listed)=32), listed_definition BLOB,"
	" told BLOB CHECK(told IS NULL OR length(told)=32),"
	" held INTEGER NOT NULL, gone INTEGER NOT NULL,"
	" UNIQUE(server, tool)) STRICT;"
	"CREATE TABLE consent_pin("
	" consent BLOB NOT NULL REFERENCES consents(id), server TEXT NOT NULL, tool TEXT NOT NULL,"
	" sha256 BLOB NOT NULL CHECK(length(sha256)=32),"
	" PRIMARY KEY(consent, server, tool)) STRICT, WITHOUT ROWID;"
	"CREATE TABLE policy_kept("
	" one INTEGER PRIMARY KEY CHECK(one=1), revision INTEGER NOT NULL, data BLOB NOT NULL) STRICT;"
	"PRAGMA user_version=2;"
	"COMMIT;";

/* What the guardian has ordered (guard.h). Zero blobs and empty texts: that order is not about one. */
static const char schema_3[] =
	"BEGIN IMMEDIATE;"
	"CREATE TABLE guard_order("
	" row INTEGER PRIMARY KEY, id INTEGER NOT NULL, act INTEGER NOT NULL,"
	" session BLOB NOT NULL CHECK(length(session)=16), server TEXT NOT NULL, tool TEXT NOT NULL,"
	" tier INTEGER NOT NULL, rate INTEGER NOT NULL, since INTEGER NOT NULL, until INTEGER NOT NULL,"
	" rule TEXT NOT NULL, incident TEXT NOT NULL, reason TEXT NOT NULL, by_name TEXT NOT NULL) STRICT;"
	"PRAGMA user_version=3;"
	"COMMIT;";

/* What data a session has seen (labels.h), in lines. */
static const char schema_4[] = "BEGIN IMMEDIATE;"
			       "ALTER TABLE sessions ADD COLUMN labels TEXT NOT NULL DEFAULT '';"
			       "PRAGMA user_version=4;"
			       "COMMIT;";

/* Which set the highest revision was: another of the same number is not it. */
static const char schema_5[] = "BEGIN IMMEDIATE;"
			       "ALTER TABLE policy_kept ADD COLUMN manifest BLOB;"
			       "PRAGMA user_version=5;"
			       "COMMIT;";

/* Of an order to revoke. Those of before were carried out for good, and left no row. */
static const char schema_6[] = "BEGIN IMMEDIATE;"
			       "ALTER TABLE guard_order ADD COLUMN consent BLOB NOT NULL DEFAULT"
			       " x'00000000000000000000000000000000' CHECK(length(consent)=16);"
			       "PRAGMA user_version=6;"
			       "COMMIT;";

static const char *const schema_steps[SCHEMA_VERSION] = {schema_1, schema_2, schema_3, schema_4, schema_5, schema_6};

#define CONSENT_COLUMNS                                                                                                \
	"c.id, c.human, c.agent, c.why, c.tools, c.tier, c.revoked, c.created, c.expires, c.by_uid, c.by_name"
#define SESSION_COLUMNS CONSENT_COLUMNS ", s.id, s.token_hash, s.state, s.created, s.changed, s.labels"
#define SESSION_FROM " FROM sessions s JOIN consents c ON c.id=s.consent "

#define SECRET_COLUMNS "name, server, destination, kind, slot, version, created, changed, by_uid, by_name, record"

static const char *const statements[SQL_COUNT] = {
	[SQL_BEGIN] = "BEGIN IMMEDIATE",
	[SQL_COMMIT] = "COMMIT",
	[SQL_ROLLBACK] = "ROLLBACK",
	[SQL_CONSENT_ADD] = "INSERT INTO consents VALUES(?,?,?,?,?,?,?,?,?,?,?)",
	[SQL_CONSENT_REVOKE] = "UPDATE consents SET revoked=1 WHERE id=?",
	[SQL_CONSENT_SESSIONS_REVOKE] = "UPDATE sessions SET state=3, changed=? WHERE consent=? AND state<>3",
	[SQL_CONSENTS] = "SELECT " CONSENT_COLUMNS " FROM consents c WHERE ?1 IS NULL OR"
			 " substr(lower(hex(c.id)),1,length(?1))=?1 ORDER BY c.created DESC, c.id LIMIT ?2",
	[SQL_SESSION_ADD] =
		"INSERT INTO sessions(id, consent, token_hash, state, created, changed) VALUES(?,?,?,?,?,?)",
	[SQL_SESSION_STATE] = "UPDATE sessions SET state=?, changed=? WHERE id=?",
	[SQL_SESSION_LABELS] = "UPDATE sessions SET labels=? WHERE id=?",
	[SQL_SESSIONS] = "SELECT " SESSION_COLUMNS SESSION_FROM "WHERE ?1 IS NULL OR"
			 " substr(lower(hex(s.id)),1,length(?1))=?1 ORDER BY s.created DESC, s.id LIMIT ?2",
	[SQL_SESSIONS_OF] = "SELECT " SESSION_COLUMNS SESSION_FROM "WHERE s.consent=? ORDER BY s.created, s.id LIMIT ?",
	[SQL_SESSIONS_LIVE] = "SELECT " SESSION_COLUMNS SESSION_FROM
			      "WHERE s.state<>3 AND c.revoked=0 AND c.expires>? ORDER BY s.created, s.id",
	[SQL_SECRET_PUT] = "INSERT OR REPLACE INTO secrets VALUES(?,?,?,?,?,?,?,?,?,?,?)",
	[SQL_SECRET_RM] = "DELETE FROM secrets WHERE name=?",
	[SQL_SECRETS] = "SELECT " SECRET_COLUMNS " FROM secrets ORDER BY name",
	[SQL_KEY_GET] = "SELECT record FROM signing_key",
	[SQL_KEY_PUT] = "INSERT INTO signing_key VALUES(1,?)",
	[SQL_HEAD_GET] = "SELECT size, root, note FROM signed_head",
	[SQL_HEAD_PUT] = "INSERT OR REPLACE INTO signed_head VALUES(1,?,?,?)",
	[SQL_PINS] = "SELECT server, tool, accepted, accepted_at, by_uid, by_name, listed, told, held, gone FROM pin"
		     " ORDER BY server, tool",
	[SQL_PIN_TEXTS] = "SELECT definition, listed_definition FROM pin WHERE server=? AND tool=?",
	[SQL_PIN_LISTED] = "INSERT INTO pin VALUES(?1,?2,NULL,NULL,0,NULL,'',?3,?4,NULL,0,0)"
			   " ON CONFLICT(server, tool) DO UPDATE SET listed=?3, listed_definition=?4, gone=0",
	[SQL_PIN_GONE] = "UPDATE pin SET gone=1, listed=CASE WHEN accepted IS NULL THEN listed END,"
			 " listed_definition=CASE WHEN accepted IS NULL THEN listed_definition END"
			 " WHERE server=? AND tool=?",
	[SQL_PIN_ACCEPT] = "UPDATE pin SET accepted=listed, definition=listed_definition, listed=NULL,"
			   " listed_definition=NULL, told=NULL, accepted_at=?, by_uid=?, by_name=?"
			   " WHERE server=? AND tool=? AND listed=?",
	[SQL_PIN_HELD] = "UPDATE pin SET held=? WHERE server=? AND tool=?",
	[SQL_PIN_TOLD] = "UPDATE pin SET told=? WHERE server=? AND tool=?",
	[SQL_NAMED] = "SELECT server, tool, sha256 FROM consent_pin WHERE consent=? ORDER BY server, tool",
	[SQL_NAMED_ADD] = "INSERT OR IGNORE INTO consent_pin VALUES(?,?,?,?)",
	[SQL_NAMED_DROP] = "DELETE FROM consent_pin WHERE consent=?",
	[SQL_POLICY_GET] = "SELECT revision, data, manifest FROM policy_kept",
	[SQL_POLICY_PUT] = "INSERT INTO policy_kept VALUES(1,?1,?2,?4) ON CONFLICT(one) DO UPDATE SET"
			   " manifest=CASE WHEN excluded.revision>=revision AND excluded.revision>0 THEN"
			   " excluded.manifest ELSE manifest END,"
			   " revision=max(revision, excluded.revision),"
			   " data=CASE WHEN ?3 THEN excluded.data ELSE data END",
	[SQL_ORDERS] = "SELECT row, id, act, session, server, tool, tier, rate, since, until, rule, incident, reason,"
		       " by_name, consent FROM guard_order ORDER BY row",
	[SQL_ORDER_PUT] = "INSERT OR REPLACE INTO guard_order VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
	[SQL_ORDER_DROP] = "DELETE FROM guard_order WHERE row=?",
};

static _Noreturn void store_fatal(const struct store *s, const char *path, const char *what)
{
	log_fatal(KG_EXIT_STORE, "%s: %s: %s: is another vaultd running, is the disk full, is the file damaged?", path,
		  what, s->db == NULL ? "out of memory" : sqlite3_errmsg(s->db));
}

static void store_exec(struct store *s, const char *path, const char *sql, const char *what)
{
	if (sqlite3_exec(s->db, sql, NULL, NULL, NULL) != SQLITE_OK)
		store_fatal(s, path, what);
}

static int user_version(struct store *s, const char *path)
{
	sqlite3_stmt *stmt;
	int version;

	if (sqlite3_prepare_v2(s->db, "PRAGMA user_version", -1, &stmt, NULL) != SQLITE_OK ||
	    sqlite3_step(stmt) != SQLITE_ROW)
		store_fatal(s, path, "cannot be read");
	version = sqlite3_column_int(stmt, 0);
	sqlite3_finalize(stmt);
	return version;
}

static void store_schema(struct store *s, const char *path)
{
	int version = user_version(s, path);

	if (version < 0 || version > SCHEMA_VERSION)
		log_fatal(KG_EXIT_STORE,
			  "%s: has schema version %d, this vaultd knows %d: run the Keepgate that wrote it, or a newer "
			  "one",
			  path, version, SCHEMA_VERSION);
	for (; version < SCHEMA_VERSION; version++)
		store_exec(s, path, schema_steps[version], "tables cannot be made");
}

static void store_harden(struct store *s)
{
	sqlite3_db_config(s->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	sqlite3_db_config(s->db, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0, NULL);
	sqlite3_limit(s->db, SQLITE_LIMIT_ATTACHED, 0);
	sqlite3_limit(s->db, SQLITE_LIMIT_LENGTH, ROW_MAX);
}

struct store *store_open(const char *dir)
{
	struct store *s = calloc(1, sizeof(*s));
	char path[PATH_MAX];
	int n = snprintf(path, sizeof(path), "%s/vault.db", dir);

	if (s == NULL || n < 0 || n >= (int)sizeof(path))
		log_fatal(KG_EXIT_STORE, "vault.db: out of memory, or the path is too long");
	if (sqlite3_open_v2(path, &s->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOFOLLOW, NULL) !=
	    SQLITE_OK)
		store_fatal(s, path, "cannot be opened");
	store_harden(s);
	store_exec(s, path, pragmas, "cannot be set up");
	store_schema(s, path);
	for (int i = 0; i < SQL_COUNT; i++)
		if (sqlite3_prepare_v3(s->db, statements[i], -1, SQLITE_PREPARE_PERSISTENT, &s->sql[i], NULL) !=
		    SQLITE_OK)
			store_fatal(s, path, "a statement was refused");
	return s;
}

void store_close(struct store *s)
{
	if (s == NULL)
		return;
	for (int i = 0; i < SQL_COUNT; i++)
		sqlite3_finalize(s->sql[i]);
	sqlite3_close(s->db);
	free(s);
}
