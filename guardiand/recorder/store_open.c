/* The database file: its settings, its schema, its statements. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "guardiand/recorder/store_sql.h"

#define SCHEMA_VERSION 1
#define BOOT_ID_FILE "/proc/sys/kernel/random/boot_id"
#define PATH_LEN 4096

/* EXCLUSIVE: nobody else writes, and the WAL's index stays in our own memory. */
static const char settings[] = "PRAGMA page_size = 8192;" /* a group of records on fewer pages, each written twice */
			       "PRAGMA locking_mode = EXCLUSIVE;"
			       "PRAGMA journal_mode = WAL;"
			       "PRAGMA synchronous = FULL;"
			       "PRAGMA wal_autocheckpoint = 2000;"
			       "PRAGMA cache_size = -2000;"
			       "PRAGMA temp_store = MEMORY;"
			       "PRAGMA trusted_schema = OFF;"
			       "PRAGMA recursive_triggers = ON;"; /* or REPLACE would pass the triggers below */

static const char schema[] =
	"BEGIN IMMEDIATE;"
	"CREATE TABLE leaves (seq INTEGER PRIMARY KEY, intent INTEGER, hash BLOB NOT NULL, leaf BLOB NOT NULL) STRICT;"
	"CREATE UNIQUE INDEX leaves_intent ON leaves (intent) WHERE intent IS NOT NULL;"
	"CREATE TABLE marks (size INTEGER PRIMARY KEY, edge BLOB NOT NULL) STRICT;"
	"CREATE TABLE checkpoints (size INTEGER PRIMARY KEY, root BLOB NOT NULL, note TEXT NOT NULL) STRICT;"
	"CREATE TRIGGER leaves_no_update BEFORE UPDATE ON leaves BEGIN SELECT RAISE(ABORT, 'records are never "
	"changed'); END;"
	"CREATE TRIGGER leaves_no_delete BEFORE DELETE ON leaves BEGIN SELECT RAISE(ABORT, 'records are never "
	"deleted'); END;"
	"CREATE TRIGGER checkpoints_no_update BEFORE UPDATE ON checkpoints"
	" BEGIN SELECT RAISE(ABORT, 'signed heads are never changed'); END;"
	"CREATE TRIGGER checkpoints_no_delete BEFORE DELETE ON checkpoints"
	" BEGIN SELECT RAISE(ABORT, 'signed heads are never deleted'); END;"
	"PRAGMA application_id = 1262961485;"
	"PRAGMA user_version = 1;"
	"COMMIT;";

static const char *const statements[SQL_COUNT] = {
	[SQL_BEGIN] = "BEGIN IMMEDIATE",
	[SQL_COMMIT] = "COMMIT",
	[SQL_LEAF_ADD] = "INSERT INTO leaves (seq, intent, hash, leaf) VALUES (?1, ?2, ?3, ?4)",
	[SQL_LEAVES] =
		("SELECT l.seq, l.hash, l.leaf, o.seq FROM leaves AS l LEFT JOIN leaves AS o ON o.intent = l.seq "
		 "AND o.seq <= ?2 WHERE l.seq > ?1 AND l.seq <= ?2 ORDER BY l.seq LIMIT ?3"),
	[SQL_OUTCOME] = "SELECT seq FROM leaves WHERE intent = ?1",
	[SQL_HASHES] = "SELECT hash FROM leaves WHERE seq > ?1 ORDER BY seq LIMIT ?2",
	[SQL_LAST] = "SELECT seq FROM leaves ORDER BY seq DESC LIMIT 1",
	[SQL_MARK_ADD] = "INSERT INTO marks (size, edge) VALUES (?1, ?2)",
	[SQL_MARK_BEFORE] = "SELECT size, edge FROM marks WHERE size <= ?1 ORDER BY size DESC LIMIT 1",
	[SQL_CHECKPOINT_ADD] = "INSERT INTO checkpoints (size, root, note) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING",
	[SQL_CHECKPOINT_LAST] = "SELECT size, root, note FROM checkpoints ORDER BY size DESC LIMIT 1",
	[SQL_CHECKPOINTS] = "SELECT size, root, note FROM checkpoints WHERE size > ?1 ORDER BY size LIMIT ?2",
};

static int db_version(struct store *s, int *version)
{
	sqlite3_stmt *stmt;
	int r = KG_E_IO;

	if (sqlite3_prepare_v2(s->db, "PRAGMA user_version", -1, &stmt, NULL) != SQLITE_OK)
		return KG_E_IO;
	if (sqlite3_step(stmt) == SQLITE_ROW) {
		*version = sqlite3_column_int(stmt, 0);
		r = KG_OK;
	}
	sqlite3_finalize(stmt);
	return r;
}

static int db_prepare(struct store *s)
{
	for (int i = 0; i < SQL_COUNT; i++)
		if (sqlite3_prepare_v3(s->db, statements[i], -1, SQLITE_PREPARE_PERSISTENT, &s->sql[i], NULL) !=
		    SQLITE_OK)
			return KG_E_IO;
	return KG_OK;
}

static int db_schema(struct store *s, char error[STORE_ERROR_MAX])
{
	int version = 0;

	if (sqlite3_exec(s->db, settings, NULL, NULL, NULL) != SQLITE_OK || db_version(s, &version) != KG_OK)
		return KG_E_IO;
	if (version > SCHEMA_VERSION) {
		snprintf(error, STORE_ERROR_MAX, "it was written by a newer version: install that one again");
		return KG_E_DENIED;
	}
	if (version == 0 && sqlite3_exec(s->db, schema, NULL, NULL, NULL) != SQLITE_OK)
		return KG_E_IO;
	return db_prepare(s);
}

/* The kernel's name for this boot, without its dashes; "" where there is none. */
static void read_boot_id(char out[BOOT_ID_LEN + 1])
{
	char text[64] = {0};
	int fd = open(BOOT_ID_FILE, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : read(fd, text, sizeof(text) - 1);
	size_t used = 0;

	if (fd >= 0)
		close(fd);
	for (ssize_t i = 0; i < n && used < BOOT_ID_LEN; i++)
		if ((text[i] >= '0' && text[i] <= '9') || (text[i] >= 'a' && text[i] <= 'f'))
			out[used++] = text[i];
	out[used] = '\0';
}

static int db_open(struct store *s, const char *path)
{
	const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE;
	mode_t mask = umask(077);
	int rc = sqlite3_open_v2(path, &s->db, flags, NULL);

	umask(mask);
	if (rc != SQLITE_OK)
		return KG_E_IO;
	sqlite3_extended_result_codes(s->db, 1);
	sqlite3_db_config(s->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	return KG_OK;
}

static const char *advice(int rc)
{
	switch (rc & 0xff) {
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return "another process has it open: stop the other guardiand first";
	case SQLITE_FULL:
		return "make room on its file system";
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		return "keep the file as evidence and restore it from a backup";
	default:
		return "check that the directory is there and belongs to guardiand's user";
	}
}

int store_open(const char *dir, struct store **out, char error[STORE_ERROR_MAX])
{
	struct store *s = calloc(1, sizeof(*s));
	char path[PATH_LEN], why[STORE_ERROR_MAX] = "";
	int n = snprintf(path, sizeof(path), "%s/audit.db", dir);
	int r = s == NULL ? KG_E_NOMEM : n < 0 || (size_t)n >= sizeof(path) ? KG_E_LIMIT : KG_OK;

	if (r == KG_OK)
		r = db_open(s, path);
	if (r == KG_OK)
		r = db_schema(s, why);
	if (r == KG_OK) {
		read_boot_id(s->boot);
		r = store_verify(s, why);
	}
	if (r == KG_OK) {
		*out = s;
		return KG_OK;
	}
	if (why[0] == '\0' && s != NULL && s->db != NULL)
		snprintf(why, sizeof(why), "%.200s: %s", sqlite3_errmsg(s->db), advice(sqlite3_errcode(s->db)));
	snprintf(error, STORE_ERROR_MAX, "%.400s/audit.db: %.500s", dir, why[0] == '\0' ? kg_strerror(r) : why);
	store_close(s);
	return r;
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
