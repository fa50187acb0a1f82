/*
 * The locked recorder as guardiand starts it, killed at random moments under load: every record that
 * it has acknowledged is there afterwards, and the log still verifies.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <sodium.h>

#include "common/lock.h"
#include "common/sock.h"
#include "guardiand/recorder/recorder.h"
#include "tests/unit/unit.h"

#define ROUNDS 12
#define WINDOW 32
#define CALLS_PER_ROUND 20000
#define START_MS 10000
#define CONTROL_FD 3

static const char config[] = "{\"mcpServers\":{\"notes\":{\"command\":\"/bin/true\"}}}";
static char executable[4096], dir[64], state[128];

struct acknowledged {
	uint8_t txn[ID_LEN];
	uint64_t intent, outcome;
};
static struct acknowledged calls[(ROUNDS + 2) * CALLS_PER_ROUND];
static size_t ncalls;

static bool find_executable(const char *self)
{
	const char *slash = strrchr(self, '/');

	snprintf(executable, sizeof(executable), "%.*s/../guardiand-recorder", slash == NULL ? 1 : (int)(slash - self),
		 slash == NULL ? "." : self);
	return access(executable, X_OK) == 0;
}

/* file_max: as if the disk had only this much room for a file; 0: no bound. */
static pid_t start(int *control, rlim_t file_max)
{
	struct rlimit limit = {file_max, file_max};
	static const struct {
		enum ipc_role role;
		const char *name;
	} listeners[] = {{IPC_ROLE_BROKER, "b.sock"}, {IPC_ROLE_UPSTREAM, "u.sock"}, {IPC_ROLE_ADMIN, "a.sock"}};
	struct ipc_config m = {.name = ipc_text(""), .json = ipc_text(config)};
	int pair[2];
	pid_t pid;

	CHECK(sock_pair(pair) == KG_OK);
	pid = fork();
	if (pid == 0) {
		signal(SIGXFSZ, SIG_IGN); /* or the kernel would end it before it sees the error */
		if (file_max != 0 && setrlimit(RLIMIT_FSIZE, &limit) != 0)
			_exit(126);
		dup2(pair[1], CONTROL_FD);
		if (pair[0] != CONTROL_FD)
			close(pair[0]);
		execl(executable, "guardiand-recorder", state, (char *)NULL);
		_exit(127);
	}
	close(pair[1]);
	CHECK(ipc_write_blocking(pair[0], IPC_CONFIG, &m, -1) == KG_OK);
	for (unsigned i = 0; i < 3; i++) {
		struct ipc_peer peer = {.role = (uint8_t)listeners[i].role, .index = i, .name = ipc_text("")};
		int fd = sock_listen(dir, listeners[i].name);

		CHECK(fd >= 0 && ipc_write_blocking(pair[0], IPC_PEER, &peer, fd) == KG_OK);
		close(fd);
	}
	*control = pair[0];
	return pid;
}

static bool wait_ready(int control)
{
	struct buf store;
	enum ipc_type type = 0;
	union ipc_any m;
	int fd, r;

	buf_init(&store, IPC_FRAME_MAX);
	r = ipc_read_blocking(control, START_MS, &store, &type, &m, &fd);
	buf_free(&store);
	return r == KG_OK && type == IPC_READY;
}

static void put_intent(struct buf *out, size_t i)
{
	struct ipc_intent m = {
		.call = i,
		.human = ipc_text("alice@example.com"),
		.agent = ipc_text("agent"),
		.upstream = ipc_text("notes"),
		.method = MCP_TOOLS_CALL,
		.name = ipc_text("add_note"),
		.tier = TIER_WRITE,
		.decision = DECISION_ALLOW,
	};

	randombytes_buf(calls[i].txn, ID_LEN);
	memcpy(m.txn, calls[i].txn, ID_LEN);
	CHECK(ipc_encode(out, IPC_INTENT, &m) == KG_OK);
}

static void on_receipt(struct buf *out, const struct ipc_receipt *r)
{
	struct ipc_outcome m = {.call = r->call, .intent_seq = r->seq, .outcome = OUTCOME_OK};

	CHECK(r->status == GRANT_OK && r->call < ncalls);
	calls[r->call].intent = r->seq;
	memcpy(m.txn, calls[r->call].txn, ID_LEN);
	CHECK(ipc_encode(out, IPC_OUTCOME, &m) == KG_OK);
	if (ncalls < sizeof(calls) / sizeof(calls[0]))
		put_intent(out, ncalls++);
}

static bool flush(int fd, struct buf *out)
{
	while (buf_len(out) != 0) {
		ssize_t n = send(fd, buf_ptr(out), buf_len(out), MSG_NOSIGNAL);

		if (n < 0 && errno != EAGAIN)
			return false;
		if (n < 0)
			break;
		buf_consume(out, (size_t)n);
	}
	return true;
}

/* Calls as fast as it answers, until its end; what it said before that counts. */
static void load(int broker)
{
	struct buf in, out;
	enum ipc_type type;
	union ipc_any m;
	int fd;

	buf_init(&in, IPC_FRAME_MAX);
	buf_init(&out, 1u << 24);
	for (int i = 0; i < WINDOW; i++)
		put_intent(&out, ncalls++);
	for (;;) {
		flush(broker, &out); /* a broken pipe may still have answers in it */
		if (ipc_read_blocking(broker, START_MS, &in, &type, &m, &fd) != KG_OK)
			break;
		if (type == IPC_RECEIPT)
			on_receipt(&out, (const void *)&m);
		else if (type == IPC_RECORDED)
			calls[((const struct ipc_recorded *)(const void *)&m)->call].outcome =
				((const struct ipc_recorded *)(const void *)&m)->seq;
	}
	buf_free(&in);
	buf_free(&out);
}

static void kill_later(pid_t victim, unsigned ms)
{
	pid_t pid = fork();

	if (pid == 0) {
		struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000};

		nanosleep(&t, NULL);
		kill(victim, SIGKILL);
		_exit(0);
	}
}

static int connect_upstream(void)
{
	struct ipc_receipt_name name = {.upstream = ipc_text("notes")};
	int fd = sock_connect(dir, "u.sock"), passed;
	enum ipc_type type = 0;
	union ipc_any m;
	struct buf in;

	buf_init(&in, IPC_FRAME_MAX);
	CHECK(fd >= 0 && ipc_write_blocking(fd, IPC_RECEIPT_NAME, &name, -1) == KG_OK);
	CHECK(ipc_read_blocking(fd, START_MS, &in, &type, &m, &passed) == KG_OK && type == IPC_RECEIPT_KEY);
	buf_free(&in);
	return fd;
}

/* Loads it until it ends, by our signal after kill_ms (0: by itself). Gives how it ended. */
static int round_of_load(rlim_t file_max, unsigned kill_ms)
{
	int control, broker, upstream, st = 0;
	pid_t pid = start(&control, file_max);

	CHECK(wait_ready(control));
	upstream = connect_upstream();
	broker = sock_connect(dir, "b.sock");
	CHECK(broker >= 0);
	if (kill_ms != 0)
		kill_later(pid, kill_ms);
	load(broker);
	close(broker);
	close(upstream);
	close(control);
	CHECK(waitpid(pid, &st, 0) == pid);
	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
	return st;
}

struct lookup {
	const struct acknowledged *call;
	bool outcome;
};

static int is_that_call(const struct store_leaf *leaf, void *arg)
{
	const struct lookup *x = arg;
	uint8_t txn[ID_LEN];

	CHECK(leaf_bytes(leaf->leaf, leaf->len, "txn", txn, ID_LEN) == KG_OK && memcmp(txn, x->call->txn, ID_LEN) == 0);
	CHECK(leaf_is(leaf->leaf, leaf->len, "phase", x->outcome ? "outcome" : "intent"));
	return KG_OK;
}

static int rehash(const struct store_leaf *leaf, void *arg)
{
	struct merkle *tree = arg;
	uint8_t hash[MERKLE_LEN];

	merkle_leaf(leaf->leaf, leaf->len, hash);
	CHECK(leaf->seq == tree->size + 1 && memcmp(hash, leaf->hash, MERKLE_LEN) == 0);
	merkle_append(tree, hash);
	return KG_OK;
}

static void check_log(size_t from)
{
	char error[STORE_ERROR_MAX];
	struct merkle tree = {0};
	uint8_t root[MERKLE_LEN], again[MERKLE_LEN];
	struct store *s;

	if (store_open(state, &s, error) != KG_OK) {
		fprintf(stderr, "%s\n", error);
		CHECK(false);
		return;
	}
	for (size_t i = from; i < ncalls; i++) {
		struct lookup intent = {&calls[i], false}, outcome = {&calls[i], true};

		if (calls[i].intent != 0)
			CHECK(store_leaf(s, calls[i].intent, is_that_call, &intent) == KG_OK);
		if (calls[i].outcome != 0)
			CHECK(store_leaf(s, calls[i].outcome, is_that_call, &outcome) == KG_OK);
	}
	CHECK(store_leaves(s, 0, UINT32_MAX, rehash, &tree) == KG_OK);
	merkle_root(&tree, root);
	merkle_root(store_tree(s), again);
	CHECK(memcmp(root, again, MERKLE_LEN) == 0);
	store_close(s);
}

static void test_killed_at_random_moments(void)
{
	size_t acknowledged = 0;

	for (int i = 0; i < ROUNDS; i++) {
		size_t from = ncalls;
		int st = round_of_load(0, 1 + randombytes_uniform(80));

		CHECK(WIFSIGNALED(st) && WTERMSIG(st) == SIGKILL);
		check_log(from);
	}
	for (size_t i = 0; i < ncalls; i++)
		acknowledged += (calls[i].intent != 0 ? 1u : 0u) + (calls[i].outcome != 0 ? 1u : 0u);
	CHECK(acknowledged > ROUNDS);
	printf("%zu acknowledged records over %d kills, none lost\n", acknowledged, ROUNDS);
}

/* A full disk ends it with the status for that; nothing that is not on disk was acknowledged; with room it goes on. */
static void test_full_disk(void)
{
	char path[256];
	struct stat file = {0};
	size_t from = ncalls;
	int st;

	snprintf(path, sizeof(path), "%s/audit.db", state);
	CHECK(stat(path, &file) == 0);
	st = round_of_load((rlim_t)file.st_size + 200000, 0);
	CHECK(WIFEXITED(st) && WEXITSTATUS(st) == KG_EXIT_STORE);
	CHECK(ncalls > from + WINDOW && calls[from].intent != 0 && calls[ncalls - 1].intent == 0);
	check_log(from);
	from = ncalls;
	round_of_load(0, 50);
	check_log(from);
	CHECK(calls[from].intent != 0);
}

/* Stopped properly it leaves the record of its stop, and its start and stop frame each run. */
static void test_stop(void)
{
	struct ipc_stop stop = {0};
	int control, st = -1;
	pid_t pid = start(&control, 0);

	CHECK(wait_ready(control));
	CHECK(ipc_write_blocking(control, IPC_STOP, &stop, -1) == KG_OK);
	CHECK(waitpid(pid, &st, 0) == pid && WIFEXITED(st) && WEXITSTATUS(st) == KG_EXIT_OK);
	close(control);
	check_log(ncalls);
}

static void remove_files(void)
{
	static const char *const names[] = {"b.sock", "u.sock", "a.sock", "guardian/audit.db", "guardian/audit.db-wal"};
	char path[256];

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
		unlink(path);
	}
	rmdir(state);
	rmdir(dir);
}

int main(int argc, char **argv)
{
	(void)argc;
	if (sodium_init() < 0)
		return 1;
	signal(SIGPIPE, SIG_IGN);
	if (!find_executable(argv[0])) {
		SKIP(test_killed_at_random_moments, "guardiand-recorder is not built");
		return unit_end();
	}
	snprintf(dir, sizeof(dir), "/tmp/recorder-kill-XXXXXX");
	CHECK(mkdtemp(dir) != NULL);
	snprintf(state, sizeof(state), "%s/guardian", dir);
	RUN(test_killed_at_random_moments);
	RUN(test_full_disk);
	RUN(test_stop);
	remove_files();
	return unit_end();
}
