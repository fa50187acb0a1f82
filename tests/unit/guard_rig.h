/* A recorder with the guardian, and the ends of its peers: broker, one server's role, vaultd, an operator. */
#ifndef TESTS_UNIT_GUARD_RIG_H
#define TESTS_UNIT_GUARD_RIG_H

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>
#include <sodium.h>

#include "common/sock.h"
#include "guardiand/recorder/checkpoint.h"
#include "guardiand/recorder/guard.h"
#include "guardiand/recorder/incident.h"
#include "guardiand/recorder/respond.h"
#include "guardiand/recorder/table.h"
#include "tests/unit/unit.h"

#define ANSWER_MS 300

static char dir[64];
static struct loop *loop;
static struct store *store;
static struct recorder rec;
static struct config config;
static const char *own_rules; /* NULL: those that ship */
static int broker = -1, notes = -1, vault = -1, operator_fd = -1;
static struct buf in;
static union ipc_any got;
static uint64_t next_call;

static void on_turn_over(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what;
	loop_stop(arg);
}

static inline void run_for(suseconds_t us)
{
	struct timeval wait = {.tv_sec = us / 1000000, .tv_usec = us % 1000000};

	event_base_once(loop_base(loop), -1, EV_TIMEOUT, on_turn_over, loop, &wait);
	loop_run(loop);
}

static inline void turn(void)
{
	run_for(2000);
	commit_now(rec.commit);
	run_for(0);
}

static inline int serve(enum ipc_role role)
{
	int fd[2];

	CHECK(sock_pair(fd) == KG_OK);
	recorder_serve(&rec, role, fd[0]);
	return fd[1];
}

static inline void say(int fd, enum ipc_type type, const void *msg)
{
	CHECK(ipc_write_blocking(fd, type, msg, -1) == KG_OK);
	turn();
}

/* The next message; what a broker is told of risks is passed over unless it is asked for. */
static inline int hear(int fd, enum ipc_type type)
{
	enum ipc_type t = 0;
	int passed, r;

	do
		r = ipc_read_blocking(fd, ANSWER_MS, &in, &t, &got, &passed);
	while (r == KG_OK && t != type && (t == IPC_RISK_PUT || t == IPC_RISKS_SYNCED));
	return r == KG_OK && t == type;
}

/* The next message of this type, others are left behind; a short wait. */
static inline int hear_later(int fd, enum ipc_type type)
{
	enum ipc_type t = 0;
	int passed;

	while (ipc_read_blocking(fd, 20, &in, &t, &got, &passed) == KG_OK)
		if (t == type)
			return 1;
	return 0;
}

static inline struct guard_rules *rig_rules(void)
{
	struct guard_file file = {"own.yml", own_rules, own_rules == NULL ? 0 : strlen(own_rules)};
	struct guard_rules *rules = NULL;
	struct buf errors;
	int r;

	buf_init(&errors, 65536);
	r = own_rules == NULL ? guard_rules_open(NULL, &rules, &errors) : guard_rules_load(&file, 1, &rules, &errors);
	if (r != KG_OK) {
		fprintf(stderr, "%s", buf_text(&errors));
		exit(1);
	}
	buf_free(&errors);
	return rules;
}

static inline void connect_vault(void)
{
	int fd[2];

	CHECK(sock_pair(fd) == KG_OK);
	if (vault >= 0)
		close(vault);
	vault = fd[1];
	recorder_vault(&rec, fd[0]);
	turn();
}

static inline void open_all(void)
{
	struct ipc_receipt_name m = {.upstream = ipc_text("notes")};
	char error[STORE_ERROR_MAX];

	loop = loop_new();
	if (store_open(dir, &store, error) != KG_OK) {
		fprintf(stderr, "%s\n", error);
		exit(1);
	}
	recorder_init(&rec, loop, store);
	recorder_guard(&rec, &config, rig_rules());
	rec.start_seq = recorder_note(&rec, "start");
	commit_now(rec.commit);
	broker = serve(IPC_ROLE_BROKER);
	operator_fd = serve(IPC_ROLE_ADMIN);
	notes = serve(IPC_ROLE_UPSTREAM);
	say(notes, IPC_RECEIPT_NAME, &m);
	CHECK(hear(notes, IPC_RECEIPT_KEY));
}

/* Without a word, as after a kill: what was not committed is gone. */
static inline void drop_all(void)
{
	recorder_free(&rec);
	store_close(store);
	loop_free(loop);
	close(broker);
	close(notes);
	close(operator_fd);
	if (vault >= 0)
		close(vault);
	vault = -1;
}

static inline void begin(void)
{
	snprintf(dir, sizeof(dir), "/tmp/recorder-guard-XXXXXX");
	CHECK(mkdtemp(dir) != NULL);
	config = (struct config){.origin = "test.example/log"};
	config.guardian.blast_humans = 3;
	config.guardian.blast_minutes = 10;
	open_all();
}

static inline void remove_dir(void)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/audit.db", dir);
	unlink(path);
	snprintf(path, sizeof(path), "%s/audit.db-wal", dir);
	unlink(path);
	rmdir(dir);
}

static inline void end(void)
{
	drop_all();
	remove_dir();
}

/* A call of the n-th human's agent in its session of that number; args: which arguments. */
static inline struct ipc_intent intent(unsigned human, uint8_t session, uint64_t args)
{
	static char names[16][64];
	struct ipc_intent m = {
		.call = ++next_call,
		.agent = ipc_text("claude-code"),
		.source = ipc_text("127.0.0.1:9"),
		.upstream = ipc_text("notes"),
		.method = MCP_TOOLS_CALL,
		.name = ipc_text("list_notes"),
		.tier = TIER_READ,
		.bytes_in = 2,
		.decision = DECISION_ALLOW,
		.reason_code = ipc_text("policy-permit"),
	};

	snprintf(names[human % 16], sizeof(names[0]), "human-%u@example.com", human);
	m.human = ipc_text(names[human % 16]);
	memcpy(m.txn, &next_call, sizeof(next_call));
	m.txn[15] = 7;
	memset(m.session, session, ID_LEN);
	memset(m.consent, session ^ 0x80, ID_LEN);
	memcpy(m.args_sha256, &args, sizeof(args));
	return m;
}

static inline int is_text(struct ipc_bytes b, const char *part)
{
	return b.n != 0 && memmem(b.p, b.n, part, strlen(part)) != NULL;
}

static inline const struct ipc_receipt *receipt(void)
{
	return (const void *)&got;
}

static inline const struct ipc_guard_act *act(void)
{
	return (const void *)&got;
}

/* Says an intent and hears its receipt's status. */
static inline uint8_t ask(const struct ipc_intent *m)
{
	say(broker, IPC_INTENT, m);
	CHECK(hear(broker, IPC_RECEIPT) && receipt()->call == m->call);
	return receipt()->status;
}

static inline uint8_t ask_denied(unsigned human, uint8_t session)
{
	struct ipc_intent m = intent(human, session, next_call + 1000);

	m.decision = DECISION_DENY;
	m.reason_code = ipc_text("policy-forbid");
	return ask(&m);
}

static inline void canary(unsigned human, uint8_t session)
{
	struct ipc_intent m = intent(human, session, 1);

	m.name = ipc_text("canary_admin");
	ask(&m);
}

static inline uint8_t ask_ordinary(unsigned human, uint8_t session)
{
	struct ipc_intent m = intent(human, session, 1);

	return ask(&m);
}

static inline void done(uint64_t id, uint8_t status, const char *reason)
{
	struct ipc_guard_done m = {.id = id, .status = status, .reason = ipc_text(reason)};

	say(vault, IPC_GUARD_DONE, &m);
}

/* An operator's command; a new reference, NULL when it was refused (the text is in said). */
static char said[1025];
static inline json_t *command(const char *op, json_t *json)
{
	char *text = json_dumps(json, JSON_COMPACT);
	struct ipc_admin_request m = {.op = ipc_text(op), .json = ipc_text(text)};
	const struct ipc_admin_reply *r = (const void *)&got;
	json_t *out = NULL;

	say(operator_fd, IPC_ADMIN_REQUEST, &m);
	free(text);
	json_decref(json);
	CHECK(hear(operator_fd, IPC_ADMIN_REPLY));
	said[0] = '\0';
	if (r->status == GRANT_OK)
		out = json_loadb((const char *)r->json.p, r->json.n, 0, NULL);
	else
		CHECK(ipc_copy(r->error, said, sizeof(said)) == KG_OK && said[0] != '\0');
	return out;
}

struct count {
	const char *needle, *also;
	unsigned n;
	uint64_t last;
};

static inline int count_leaf(const struct store_leaf *leaf, void *arg)
{
	struct count *c = arg;

	if (memmem(leaf->leaf, leaf->len, c->needle, strlen(c->needle)) != NULL &&
	    (c->also == NULL || memmem(leaf->leaf, leaf->len, c->also, strlen(c->also)) != NULL)) {
		c->n++;
		c->last = leaf->seq;
	}
	return KG_OK;
}

/* How many durable leaves hold both texts. */
static inline unsigned leaves_with(const char *needle, const char *also)
{
	struct count c = {.needle = needle, .also = also};

	CHECK(store_leaves(store, 0, UINT32_MAX, count_leaf, &c) == KG_OK);
	return c.n;
}

/* The number that a question of the database is answered with; -1 without a row. */
static inline int64_t number(const char *sql)
{
	sqlite3_stmt *q = table_query(store, sql);
	int64_t n = -1;

	while (table_row(store, q))
		n = table_int(q, 0);
	table_close(q);
	return n;
}

#define EVENT(name) "\"event\":\"" name "\",\"kind\":\"guardian\""

#endif
