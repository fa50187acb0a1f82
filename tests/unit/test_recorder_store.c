/* audit.db: numbered and durable, never changed, checked at start, and nothing said when the disk is full. */
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <sqlite3.h>

#include "guardiand/recorder/store.h"
#include "tests/unit/unit.h"

static char dir[64];
static char error[STORE_ERROR_MAX];

static void fresh_dir(void)
{
	snprintf(dir, sizeof(dir), "/tmp/recorder-store-XXXXXX");
	CHECK(mkdtemp(dir) != NULL);
	error[0] = '\0';
}

static void remove_dir(void)
{
	static const char *const names[] = {"audit.db", "audit.db-wal", "audit.db-shm", "audit.db-journal"};
	char path[128];

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
		unlink(path);
	}
	rmdir(dir);
}

static struct store *open_it(void)
{
	struct store *s = NULL;

	if (store_open(dir, &s, error) != KG_OK)
		return NULL;
	return s;
}

static uint64_t add(struct store *s, const char *what)
{
	struct leaf_event e = {.phase = PHASE_STATE, .kind = "test", .event = ipc_text(what)};
	uint64_t seq = 0;

	CHECK(store_append(s, &e, &seq) == KG_OK);
	return seq;
}

static uint64_t add_outcome(struct store *s, uint64_t intent)
{
	struct leaf_event e = {.phase = PHASE_OUTCOME, .kind = "call", .intent_seq = intent};
	uint64_t seq = 0;

	return store_append(s, &e, &seq) == KG_OK ? seq : 0;
}

static int count_leaf(const struct store_leaf *leaf, void *arg)
{
	uint8_t hash[MERKLE_LEN];

	merkle_leaf(leaf->leaf, leaf->len, hash);
	CHECK(memcmp(hash, leaf->hash, MERKLE_LEN) == 0);
	CHECK(leaf_number(leaf->leaf, leaf->len, "seq") == leaf->seq);
	(*(unsigned *)arg)++;
	return KG_OK;
}

static void sign(struct store *s)
{
	struct store_checkpoint c = {.size = store_size(s), .note = "a note"};

	merkle_root(store_tree(s), c.root);
	CHECK(store_checkpoint_put(s, &c) == KG_OK);
}

/* Runs SQL on the file from outside, as somebody with the file in hand would. */
static int outside(const char *sql)
{
	char path[128];
	sqlite3 *db;
	int rc;

	snprintf(path, sizeof(path), "%s/audit.db", dir);
	rc = sqlite3_open(path, &db);
	if (rc == SQLITE_OK)
		rc = sqlite3_exec(db, sql, NULL, NULL, NULL);
	sqlite3_close(db);
	return rc;
}

static void test_numbers_and_reopening(void)
{
	struct store *s;
	uint8_t root[MERKLE_LEN], again[MERKLE_LEN];
	unsigned n = 0;

	fresh_dir();
	s = open_it();
	CHECK(s != NULL && store_size(s) == 0);
	CHECK(add(s, "a") == 1 && add(s, "b") == 2);
	CHECK(store_size(s) == 2 && store_durable(s) == 0);
	CHECK(store_leaves(s, 0, 10, count_leaf, &n) == KG_OK && n == 0);
	CHECK(store_commit(s) == KG_OK && store_durable(s) == 2);
	CHECK(add(s, "lost") == 3);
	merkle_root(store_tree(s), again);
	store_close(s);

	s = open_it();
	CHECK(s != NULL && store_size(s) == 2 && store_durable(s) == 2);
	CHECK(store_leaves(s, 0, 10, count_leaf, &n) == KG_OK && n == 2);
	merkle_root(store_tree(s), root);
	CHECK(memcmp(root, again, MERKLE_LEN) != 0);
	CHECK(add(s, "c") == 3 && store_commit(s) == KG_OK);
	CHECK(store_leaf(s, 3, count_leaf, &n) == KG_OK && n == 3);
	CHECK(store_leaf(s, 4, count_leaf, &n) == KG_E_NOTFOUND && store_leaf(s, 0, count_leaf, &n) == KG_E_NOTFOUND);
	store_close(s);
	remove_dir();
}

static void test_file_is_private_and_exclusive(void)
{
	struct store *s, *second = NULL;
	char path[128];
	struct stat st;

	fresh_dir();
	s = open_it();
	snprintf(path, sizeof(path), "%s/audit.db", dir);
	CHECK(stat(path, &st) == 0 && (st.st_mode & 0777) == 0600);
	add(s, "a");
	CHECK(store_commit(s) == KG_OK);
	CHECK(store_open(dir, &second, error) != KG_OK && strstr(error, "another process") != NULL);
	store_close(s);
	remove_dir();
	CHECK(store_open("/nonexistent/place", &second, error) != KG_OK && strstr(error, "/nonexistent/place") != NULL);
}

static void test_one_outcome_for_an_intent(void)
{
	struct store *s;
	uint64_t seq = 0;

	fresh_dir();
	s = open_it();
	add(s, "intent");
	CHECK(store_outcome(s, 1, &seq) == KG_E_NOTFOUND);
	CHECK(add_outcome(s, 1) == 2);
	CHECK(store_outcome(s, 1, &seq) == KG_OK && seq == 2);
	CHECK(add_outcome(s, 1) == 0); /* the database refuses a second one */
	store_close(s);
	remove_dir();
}

static void test_records_cannot_be_changed(void)
{
	static const char *const attempts[] = {
		"UPDATE leaves SET leaf = x'00' WHERE seq = 1",
		"UPDATE leaves SET intent = 1 WHERE seq = 2",
		"DELETE FROM leaves WHERE seq = 2",
		"DELETE FROM leaves",
		"PRAGMA recursive_triggers = ON; INSERT OR REPLACE INTO leaves VALUES (1, NULL, x'00', x'00')",
		"UPDATE checkpoints SET note = ''",
		"DELETE FROM checkpoints",
	};
	struct store *s;

	fresh_dir();
	s = open_it();
	add(s, "a"), add(s, "b");
	sign(s);
	CHECK(store_commit(s) == KG_OK);
	store_close(s);
	for (size_t i = 0; i < sizeof(attempts) / sizeof(attempts[0]); i++)
		CHECK((outside(attempts[i]) & 0xff) == SQLITE_CONSTRAINT);
	s = open_it();
	CHECK(s != NULL && store_size(s) == 2);
	store_close(s);
	remove_dir();
}

/* SQL that replaces a record by another whose hash is right. */
static const char *forged(unsigned seq, const char *leaf)
{
	static char sql[1024];
	uint8_t hash[MERKLE_LEN];
	char hex[2 * MERKLE_LEN + 1];

	merkle_leaf(leaf, strlen(leaf), hash);
	for (size_t i = 0; i < MERKLE_LEN; i++)
		snprintf(hex + 2 * i, 3, "%02x", hash[i]);
	snprintf(sql, sizeof(sql), "UPDATE leaves SET leaf = CAST('%s' AS BLOB), hash = x'%s' WHERE seq = %u", leaf,
		 hex, seq);
	return sql;
}

/* Whoever drops the triggers first is found out at the next start. */
static void refused_after(const char *sql, const char *says)
{
	struct store *s;

	fresh_dir();
	s = open_it();
	for (int i = 0; i < 5; i++)
		add(s, "x");
	sign(s);
	for (int i = 0; i < 3; i++)
		add(s, "y");
	CHECK(store_commit(s) == KG_OK);
	store_close(s);
	CHECK(outside("DROP TRIGGER leaves_no_update; DROP TRIGGER leaves_no_delete") == SQLITE_OK);
	CHECK(outside(sql) == SQLITE_OK);
	CHECK(open_it() == NULL);
	CHECK(strstr(error, says) != NULL && strstr(error, "evidence") != NULL);
	remove_dir();
}

static void test_tampering_is_found_at_start(void)
{
	refused_after(
		"UPDATE leaves SET leaf = CAST(replace(CAST(leaf AS TEXT), '\"x\"', '\"z\"') AS BLOB) WHERE seq = 2",
		"record 2 has been changed");
	refused_after(
		"UPDATE leaves SET leaf = CAST(replace(CAST(leaf AS TEXT), '\"y\"', '\"z\"') AS BLOB) WHERE seq = 7",
		"record 7 has been changed");
	refused_after("DELETE FROM leaves WHERE seq = 3", "record 3 is missing");
	refused_after("DELETE FROM leaves WHERE seq > 4", "were signed and are gone");
	refused_after("UPDATE leaves SET hash = x'00' WHERE seq = 8", "record 8 has been changed");
	refused_after(
		"UPDATE leaves SET leaf = (SELECT leaf FROM leaves WHERE seq = 1), hash = (SELECT hash FROM leaves"
		" WHERE seq = 1) WHERE seq = 2",
		"record 2 has been changed");
	/* Leaf and hash changed together: only the signed tree tells. */
	refused_after(forged(2, "{\"seq\":2}"), "has signed");
}

static void test_changed_root_or_edge_is_found(void)
{
	struct store *s;

	fresh_dir();
	s = open_it();
	for (int i = 0; i < 6; i++)
		add(s, "x");
	CHECK(store_mark(s) == KG_OK);
	add(s, "y");
	sign(s);
	CHECK(store_commit(s) == KG_OK);
	store_close(s);
	CHECK(outside("UPDATE marks SET edge = randomblob(length(edge))") == SQLITE_OK);
	CHECK(open_it() == NULL && strstr(error, "has signed") != NULL);
	CHECK(outside("UPDATE marks SET edge = x'00'") == SQLITE_OK);
	CHECK(open_it() == NULL && strstr(error, "edge") != NULL);
	CHECK(outside("DELETE FROM marks") == SQLITE_OK); /* no harm: all is hashed again */
	s = open_it();
	CHECK(s != NULL && store_size(s) == 7 && store_signed_tree(s)->size == 7);
	store_close(s);
	remove_dir();
}

static void test_marks_and_trees_between(void)
{
	struct store *s;
	struct merkle at, naive = {0};
	unsigned size = 2 * STORE_MARK_EVERY + 77;
	uint8_t root[MERKLE_LEN], want[MERKLE_LEN];
	static uint8_t hash[2 * STORE_MARK_EVERY + 77][MERKLE_LEN];

	fresh_dir();
	s = open_it();
	for (unsigned i = 0; i < size; i++)
		add(s, "x");
	sign(s);
	CHECK(store_commit(s) == KG_OK);
	store_close(s);
	s = open_it();
	CHECK(s != NULL && store_size(s) == size);
	CHECK(store_hashes(s, 1, size, hash) == KG_E_NOTFOUND);
	CHECK(store_hashes(s, 0, size, hash) == KG_OK);
	for (unsigned i = 0; i <= size; i++) {
		if (i % 511 == 0 || i == size || i % STORE_MARK_EVERY < 2) {
			CHECK(store_tree_at(s, i, &at) == KG_OK);
			merkle_root(&at, root);
			merkle_root(&naive, want);
			CHECK(at.size == naive.size && memcmp(root, want, MERKLE_LEN) == 0);
		}
		if (i < size)
			merkle_append(&naive, hash[i]);
	}
	CHECK(store_tree_at(s, size + 1, &at) == KG_E_NOTFOUND);
	store_close(s);
	remove_dir();
}

/* A child that fills the disk: what it was told is durable, is there; and its commit fails cleanly. */
static void full_disk_child(int out)
{
	struct rlimit lim = {400000, 400000};
	struct store *s = open_it();
	uint64_t seq;

	signal(SIGXFSZ, SIG_IGN);
	if (s == NULL || setrlimit(RLIMIT_FSIZE, &lim) != 0)
		_exit(9);
	for (;;) {
		struct leaf_event e = {.phase = PHASE_STATE, .kind = "fill", .event = ipc_text("x")};

		if (store_append(s, &e, &seq) != KG_OK || store_commit(s) != KG_OK)
			_exit(store_durable(s) < seq ? 0 : 8);
		if (write(out, &seq, sizeof(seq)) != sizeof(seq))
			_exit(7);
	}
}

static void test_full_disk(void)
{
	uint64_t acknowledged = 0, seq;
	struct store *s;
	unsigned n = 0;
	int p[2], st;
	pid_t pid;

	fresh_dir();
	CHECK(pipe(p) == 0);
	pid = fork();
	if (pid == 0)
		full_disk_child(p[1]);
	close(p[1]);
	while (read(p[0], &seq, sizeof(seq)) == sizeof(seq))
		acknowledged = seq;
	close(p[0]);
	CHECK(waitpid(pid, &st, 0) == pid && WIFEXITED(st) && WEXITSTATUS(st) == 0);
	CHECK(acknowledged > 10);
	s = open_it();
	CHECK(s != NULL && store_size(s) >= acknowledged);
	CHECK(store_leaves(s, 0, UINT32_MAX, count_leaf, &n) == KG_OK && n >= acknowledged);
	CHECK(add(s, "room again") == store_durable(s) + 1 && store_commit(s) == KG_OK);
	store_close(s);
	remove_dir();
}

static long file_size(const char *name)
{
	char path[128];
	struct stat st;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return stat(path, &st) == 0 ? (long)st.st_size : -1;
}

static void leave_wal_behind(unsigned records)
{
	pid_t pid = fork();
	struct store *s;
	int st;

	if (pid == 0) {
		s = open_it();
		for (unsigned i = 0; s != NULL && i < records; i++) {
			add(s, "x");
			if (store_commit(s) != KG_OK)
				_exit(1);
		}
		_exit(0); /* the log is not folded into the database */
	}
	CHECK(waitpid(pid, &st, 0) == pid && WIFEXITED(st) && WEXITSTATUS(st) == 0);
}

/* A log that was cut or garbled by a loss of power: what was whole before that is there, and no more. */
static void test_torn_log(void)
{
	char path[128], noise[256];
	unsigned n, before = 0;

	memset(noise, 0x5a, sizeof(noise));
	for (long part = 1; part <= 16; part++) {
		struct store *s;
		long size, cut;
		int fd;

		fresh_dir();
		leave_wal_behind(40);
		size = file_size("audit.db-wal");
		cut = size * part / 16;
		snprintf(path, sizeof(path), "%s/audit.db-wal", dir);
		if (part % 2 == 0) {
			CHECK(truncate(path, cut) == 0);
		} else {
			fd = open(path, O_WRONLY);
			CHECK(pwrite(fd, noise, sizeof(noise), cut - 128) == sizeof(noise));
			close(fd);
		}
		s = open_it();
		n = 0;
		CHECK(s != NULL && store_leaves(s, 0, UINT32_MAX, count_leaf, &n) == KG_OK);
		CHECK(s != NULL && n == store_size(s) && n >= before && n <= 40);
		CHECK(part < 16 || n >= 39);
		before = n;
		store_close(s);
		remove_dir();
	}
}

static int read_ts(const struct store_leaf *leaf, void *arg)
{
	*(uint64_t *)arg = leaf_number(leaf->leaf, leaf->len, "ts");
	return KG_OK;
}

/* A clock that was set back does not turn the log around, not even after a restart. */
static void test_time_never_runs_backwards(void)
{
	struct store *s;
	uint64_t ts = 0;

	fresh_dir();
	s = open_it();
	add(s, "a");
	CHECK(store_commit(s) == KG_OK);
	store_close(s);
	/* As if the clock had been far ahead then. */
	CHECK(outside("DROP TRIGGER leaves_no_update") == SQLITE_OK);
	CHECK(outside(forged(1, "{\"seq\":1,\"ts\":9000000000000000}")) == SQLITE_OK);
	s = open_it();
	add(s, "b");
	CHECK(store_commit(s) == KG_OK);
	CHECK(store_leaf(s, 2, read_ts, &ts) == KG_OK && ts == 9000000000000000u);
	/* Nor does it stand: windows of the guardian must move. */
	usleep(40000);
	add(s, "c");
	CHECK(store_commit(s) == KG_OK);
	CHECK(store_leaf(s, 3, read_ts, &ts) == KG_OK && ts >= 9000000000000000u + 20000 &&
	      ts < 9000000000000000u + 10000000);
	store_close(s);
	remove_dir();
}

static void test_checkpoints(void)
{
	struct store *s;
	struct store_checkpoint c;

	fresh_dir();
	s = open_it();
	CHECK(store_checkpoint_last(s, &c) == KG_E_NOTFOUND);
	add(s, "a");
	sign(s);
	sign(s); /* the same size again changes nothing */
	add(s, "b");
	sign(s);
	CHECK(store_commit(s) == KG_OK);
	CHECK(store_checkpoint_last(s, &c) == KG_OK && c.size == 2 && strcmp(c.note, "a note") == 0);
	store_close(s);
	remove_dir();
}

int main(void)
{
	RUN(test_numbers_and_reopening);
	RUN(test_file_is_private_and_exclusive);
	RUN(test_one_outcome_for_an_intent);
	RUN(test_records_cannot_be_changed);
	RUN(test_tampering_is_found_at_start);
	RUN(test_changed_root_or_edge_is_found);
	RUN(test_marks_and_trees_between);
	RUN(test_full_disk);
	RUN(test_torn_log);
	RUN(test_time_never_runs_backwards);
	RUN(test_checkpoints);
	return unit_end();
}
