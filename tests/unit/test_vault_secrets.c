/* Credentials by operators' commands: where they may go, what they may hold, and that a row cannot be re-targeted. */
#include <sqlite3.h>
#include <sys/wait.h>

#include "common/call.h"
#include "tests/unit/vault_rig.h"
#include "vaultd/release.h"
#include "vaultd/secrets.h"
#include "vaultd/store_sql.h"
#include "vaultd/value.h"

struct scene {
	struct rig r;
	int admin, recorder;
	char error[1025];
};

static void scene_open(struct scene *s)
{
	rig_open(&s->r);
	s->admin = rig_peer(&s->r, IPC_ROLE_ADMIN);
	s->recorder = rig_peer(&s->r, IPC_ROLE_RECORDER);
}

static void scene_close(struct scene *s)
{
	rig_close(&s->r);
	close(s->admin);
	close(s->recorder);
}

static bool put(struct scene *s, const char *name, const char *server, const char *kind, const char *slot,
		const char *value, const char *why)
{
	struct ipc_secret_put m = {.name = ipc_text(name),
				   .server = ipc_text(server),
				   .kind = ipc_text(kind),
				   .slot = ipc_text(slot),
				   .value = ipc_text(value)};

	if (why[0] == '\0') {
		rig_put(&s->r, s->admin, s->recorder, name, server, kind, slot, false, value, s->error);
	} else {
		rig_say(s->admin, IPC_SECRET_PUT, &m);
		json_decref(rig_answer(&s->r, s->admin, s->error));
	}
	if (why[0] == '\0' ? s->error[0] == '\0' : strstr(s->error, why) != NULL)
		return true;
	fprintf(stderr, "  %s %s %s %s: \"%s\"\n", name, server, kind, slot, s->error);
	return false;
}

static void stores_only_where_it_is_used(void)
{
	static const struct {
		const char *name, *server, *kind, *slot, *value, *why;
	} rows[] = {
		{"web-token", "nobody", "bearer", "", "v", "not in the configuration"},
		{"web-token", "web", "cookie", "", "v", "is none"},
		{"web-token", "web", "env", "", "v", "must be bearer, basic, header or query"},
		{"web-token", "web", "basic", "", "u:p", "must be bearer"},
		{"web-token", "web", "query", "", "v", "must be bearer"},
		{"web-token", "web", "bearer", "X-Key", "v", "not in \"X-Key\""},
		{"web-query", "web", "header", "", "v", "must be query"},
		{"notes-token", "notes", "bearer", "", "v", "must be env"},
		{"web-token", "notes", "env", "", "v", "--slot"},
		{"unheard", "web", "header", "", "v", "--slot"},
		{"unheard", "web", "header", "X Y", "v", "--slot"},
		{"", "web", "bearer", "", "v", "name of a credential"},
		{"../x", "web", "bearer", "", "v", "name of a credential"},
		{"web-token", "web", "bearer", "", "", "empty"},
		{"web-token", "web", "bearer", "", "Bearer v", "space"},
		{"web-token", "web", "bearer", "", "v", ""},
		{"web-token", "web", "bearer", "", "v", "--replace"},
		{"web-key", "web", "basic", "x-key", "user:pass", ""},
		{"unheard", "web", "header", "X-Later", "v", ""},
		{"notes-token", "notes", "env", "", "v", ""},
	};
	struct scene s;

	scene_open(&s);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		CHECK(put(&s, rows[i].name, rows[i].server, rows[i].kind, rows[i].slot, rows[i].value, rows[i].why));
	CHECK(secrets_count(s.r.v->secrets) == 4);
	scene_close(&s);
}

static void checks_the_value_of_each_kind(void)
{
	static const struct {
		uint8_t kind;
		const char *value;
		size_t len;
		bool good;
	} rows[] = {
		{CRED_BEARER, "abc-._~+/=", 10, true},
		{CRED_BEARER, "a b", 3, false},
		{CRED_BEARER, "a\tb", 3, false},
		{CRED_BEARER, "a\nb", 3, false},
		{CRED_BEARER, "a\rb", 3, false},
		{CRED_BEARER, "a\0b", 3, false},
		{CRED_BASIC, "user:pass word", 14, true},
		{CRED_BASIC, "userpass", 8, false},
		{CRED_BASIC, "u:p\n", 4, false},
		{CRED_HEADER, "a b\tc", 5, true},
		{CRED_HEADER, " a", 2, false},
		{CRED_HEADER, "a ", 2, false},
		{CRED_HEADER, "a\r\nX: y", 7, false},
		{CRED_HEADER, "a\0", 2, false},
		{CRED_QUERY, "a&b=c", 5, true},
		{CRED_QUERY, "a\n", 2, false},
		{CRED_ENV, "line\nline\r\x01", 11, true},
		{CRED_ENV, "a\0b", 3, false},
		{0, "a", 1, false},
		{6, "a", 1, false},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		CHECK((value_refusal(rows[i].kind, (const uint8_t *)rows[i].value, rows[i].len) == NULL) ==
		      rows[i].good);
}

/* The longest value of each kind still fits on the wire; one more byte does not. */
static void bounds_each_kind(void)
{
	static uint8_t value[CRED_VALUE_MAX + 2];
	static const struct {
		uint8_t kind;
		size_t max;
	} rows[] = {{CRED_BEARER, 8185}, {CRED_BASIC, 6138}, {CRED_HEADER, 8192}, {CRED_QUERY, 8192}, {CRED_ENV, 8192}};
	struct secret *master = secret_new(32);

	memset(value, ':', sizeof(value));
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct record_use use = {.type = RECORD_CREDENTIAL,
					 .name = "n",
					 .upstream = "u",
					 .destination = "d",
					 .kind = rows[i].kind,
					 .slot = "s",
					 .version = 1};
		struct credential_set *set = credentials_new();
		struct record r;

		CHECK(value_refusal(rows[i].kind, value, rows[i].max) == NULL);
		CHECK(value_refusal(rows[i].kind, value, rows[i].max + 1) != NULL);
		CHECK(record_seal(master, &use, value, rows[i].max, &r) == KG_OK);
		CHECK(value_add(master, &use, &r, "s", set) == KG_OK && set->count == 1);
		CHECK(strlen(set->item[0].value) >= rows[i].max);
		record_free(&r);
		credentials_free(set);
	}
	secret_free(&master);
}

static void writes_basic_as_base64(void)
{
	struct secret *master = secret_new(32);
	struct record_use use = {.type = RECORD_CREDENTIAL,
				 .name = "n",
				 .upstream = "u",
				 .destination = "d",
				 .kind = CRED_BASIC,
				 .slot = "s",
				 .version = 1};
	struct credential_set *set = credentials_new();
	struct record r;

	/* RFC 7617, section 2. */
	CHECK(record_seal(master, &use, "Aladdin:open sesame", 19, &r) == KG_OK);
	CHECK(value_add(master, &use, &r, "Authorization", set) == KG_OK);
	CHECK(strcmp(set->item[0].value, "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==") == 0);
	record_free(&r);
	credentials_free(set);
	secret_free(&master);
}

static void sql(struct scene *s, const char *text)
{
	char path[128];
	sqlite3 *db;

	snprintf(path, sizeof(path), "%s/vault.db", s->r.dir);
	CHECK(sqlite3_open(path, &db) == SQLITE_OK);
	CHECK(sqlite3_exec(db, text, NULL, NULL, NULL) == SQLITE_OK);
	sqlite3_close(db);
}

/* Whether the server's credentials of a call can still be released, after somebody else had the file. */
static bool releases(struct scene *s, size_t upstream)
{
	struct upstream *u = &s->r.v->upstreams[upstream];
	uint8_t digest[HASH_LEN] = {1};
	struct release_answer a;
	int r;

	u->key = secret_new(HASH_LEN);
	r = release_credentials(s->r.v, u, digest, upstream != 2, &a);
	secret_free(&u->key);
	if (r != KG_OK)
		CHECK(strcmp(a.code, "credential-mismatch") == 0 && buf_len(&s->r.v->sealed) == 0);
	return r == KG_OK;
}

static void a_row_cannot_be_re_targeted(void)
{
	static const char *const attacks[] = {
		"UPDATE secrets SET version=2 WHERE name='web-token'",
		"UPDATE secrets SET kind=3 WHERE name='web-token'",
		"UPDATE secrets SET kind=3 WHERE name='web-key'",
		"UPDATE secrets SET record=(SELECT record FROM secrets WHERE name='web-key') WHERE name='web-token'",
		"UPDATE secrets SET name='swap' WHERE name='web-key'; UPDATE secrets SET name='web-key' WHERE "
		"name='web-query';"
		"UPDATE secrets SET name='web-query' WHERE name='swap'",
		"UPDATE secrets SET record=(SELECT record FROM secrets WHERE name='other-token') WHERE "
		"name='web-token'",
		"UPDATE secrets SET record=(SELECT record FROM secrets WHERE name='notes-token') WHERE "
		"name='web-token'",
	};

	for (size_t i = 0; i < sizeof(attacks) / sizeof(attacks[0]); i++) {
		struct scene s;

		scene_open(&s);
		CHECK(put(&s, "web-token", "web", "bearer", "", "v", ""));
		CHECK(put(&s, "web-key", "web", "basic", "", "u:p", ""));
		CHECK(put(&s, "web-query", "web", "query", "", "v", ""));
		CHECK(put(&s, "other-token", "web", "bearer", "", "v", ""));
		CHECK(put(&s, "notes-token", "notes", "env", "", "v", ""));
		CHECK(releases(&s, 2) && releases(&s, 0));
		rig_stop(&s.r);
		sql(&s, attacks[i]);
		rig_start(&s.r);
		CHECK(!releases(&s, 2) && releases(&s, 0));
		scene_close(&s);
	}
}

/* What is only shown may be changed by whoever has the file; where it goes, not. */
static void what_is_shown_decides_nothing(void)
{
	struct scene s;

	scene_open(&s);
	CHECK(put(&s, "notes-token", "notes", "env", "", "v", ""));
	rig_stop(&s.r);
	sql(&s, "UPDATE secrets SET server='web', destination='https://evil.example.com:443', slot='X-Evil'");
	rig_start(&s.r);
	CHECK(releases(&s, 0));
	scene_close(&s);
}

static void no_value_is_in_the_file_or_an_answer(void)
{
	static const char value[] = "very-secret-value-0123456789";
	struct scene s;
	char path[128], bytes[262144], *text;
	const char *files[] = {"vault.db", "vault.db-wal"};
	const char *asks[][2] = {{"secret.list", "{}"}, {"secret.show", "{\"name\":\"web-token\"}"}};
	json_t *out;

	scene_open(&s);
	CHECK(put(&s, "web-token", "web", "bearer", "", value, ""));
	for (size_t i = 0; i < 2; i++) {
		out = rig_do(&s.r, s.admin, s.recorder, asks[i][0], asks[i][1], false);
		text = json_dumps(out, 0);
		CHECK(text != NULL && strstr(text, "web-token") != NULL && strstr(text, value) == NULL);
		free(text);
		json_decref(out);
	}
	for (size_t i = 0; i < 2; i++) {
		FILE *f;
		size_t n;

		snprintf(path, sizeof(path), "%s/%s", s.r.dir, files[i]);
		f = fopen(path, "rb");
		CHECK(f != NULL);
		n = f == NULL ? 0 : fread(bytes, 1, sizeof(bytes), f);
		CHECK(n > 0 && memmem(bytes, n, value, 12) == NULL);
		if (f != NULL)
			fclose(f);
	}
	scene_close(&s);
}

static void replaces_and_removes(void)
{
	struct scene s;
	json_t *out;

	scene_open(&s);
	CHECK(put(&s, "web-token", "web", "bearer", "", "one", ""));
	rig_put(&s.r, s.admin, s.recorder, "web-token", "web", "bearer", "", true, "two", s.error);
	CHECK(s.error[0] == '\0' && secrets_find(s.r.v->secrets, "web-token")->version == 2);
	out = rig_do(&s.r, s.admin, s.recorder, "secret.rm", "{\"name\":\"web-token\"}", true);
	CHECK(out != NULL && secrets_count(s.r.v->secrets) == 0);
	json_decref(out);
	rig_ask(s.admin, "secret.rm", "{\"name\":\"web-token\"}");
	CHECK(rig_answer(&s.r, s.admin, s.error) == NULL && strstr(s.error, "no credential") != NULL);
	scene_close(&s);
}

static void pragma_is(struct scene *s, const char *pragma, const char *want)
{
	sqlite3_stmt *stmt;

	CHECK(sqlite3_prepare_v2(s->r.store->db, pragma, -1, &stmt, NULL) == SQLITE_OK &&
	      sqlite3_step(stmt) == SQLITE_ROW);
	if (strcmp((const char *)sqlite3_column_text(stmt, 0), want) != 0) {
		fprintf(stderr, "  %s: %s\n", pragma, (const char *)sqlite3_column_text(stmt, 0));
		unit_bad = 1;
	}
	sqlite3_finalize(stmt);
}

static int version_of(const struct scene *s)
{
	sqlite3_stmt *stmt;
	int version = 0;

	CHECK(sqlite3_prepare_v2(s->r.store->db, "PRAGMA user_version", -1, &stmt, NULL) == SQLITE_OK &&
	      sqlite3_step(stmt) == SQLITE_ROW);
	version = sqlite3_column_int(stmt, 0);
	sqlite3_finalize(stmt);
	return version;
}

static int second_start(struct scene *s)
{
	pid_t pid = fork();
	int status = 0;

	if (pid == 0) {
		close(STDERR_FILENO);
		store_open(s->r.dir);
		_exit(0);
	}
	CHECK(pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void the_database_is_ours_alone_and_durable(void)
{
	struct scene s;
	char back[64];

	scene_open(&s);
	snprintf(back, sizeof(back), "PRAGMA user_version=%d", version_of(&s));
	pragma_is(&s, "PRAGMA journal_mode", "wal");
	pragma_is(&s, "PRAGMA synchronous", "2");
	pragma_is(&s, "PRAGMA foreign_keys", "1");
	pragma_is(&s, "PRAGMA secure_delete", "1");
	pragma_is(&s, "PRAGMA trusted_schema", "0");
	CHECK(second_start(&s) == KG_EXIT_STORE);
	rig_stop(&s.r);
	sql(&s, "PRAGMA user_version=99");
	CHECK(second_start(&s) == KG_EXIT_STORE);
	sql(&s, back);
	rig_start(&s.r);
	scene_close(&s);
}

static void another_master_key_does_not_start(void)
{
	struct scene s;

	scene_open(&s);
	rig_stop(&s.r);
	CHECK(fflush(stderr) == 0);
	{
		pid_t pid = fork();
		int status = 0;

		if (pid == 0) {
			struct secret *other = secret_new(32);

			close(STDERR_FILENO);
			secret_move(&s.r.master, &other);
			rig_start(&s.r);
			_exit(0);
		}
		CHECK(pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status) &&
		      WEXITSTATUS(status) == KG_EXIT_STORE);
	}
	rig_start(&s.r);
	scene_close(&s);
}

int main(void)
{
	RUN(stores_only_where_it_is_used);
	RUN(checks_the_value_of_each_kind);
	RUN(bounds_each_kind);
	RUN(writes_basic_as_base64);
	RUN(a_row_cannot_be_re_targeted);
	RUN(what_is_shown_decides_nothing);
	RUN(no_value_is_in_the_file_or_an_answer);
	RUN(replaces_and_removes);
	RUN(the_database_is_ours_alone_and_durable);
	RUN(another_master_key_does_not_start);
	return unit_end();
}
