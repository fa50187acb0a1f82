/* The recorder's answers: receipts over what is on record, outcomes once, acts of vaultd, pages, refusals. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>
#include <sodium.h>

#include "common/sock.h"
#include "guardiand/recorder/checkpoint.h"
#include "guardiand/recorder/recorder.h"
#include "tests/unit/unit.h"

#define ANSWER_MS 200

static char dir[64];
static struct loop *loop;
static struct store *store;
static struct recorder rec;
static int broker, notes; /* our ends */
static uint8_t notes_key[HASH_LEN];
static struct buf in;
static union ipc_any got;

static void on_turn_over(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what;
	loop_stop(arg);
}

static void run_for(suseconds_t us)
{
	struct timeval wait = {.tv_usec = us};

	event_base_once(loop_base(loop), -1, EV_TIMEOUT, on_turn_over, loop, &wait);
	loop_run(loop);
}

/* Lets the recorder work off what has been sent to it; what may wait for a later commit is not waited for. */
static void turn(void)
{
	run_for(2000);
	commit_now(rec.commit);
	run_for(0);
}

static int serve(enum ipc_role role)
{
	int fd[2];

	CHECK(sock_pair(fd) == KG_OK);
	recorder_serve(&rec, role, fd[0]);
	return fd[1];
}

static void say(int fd, enum ipc_type type, const void *msg)
{
	CHECK(ipc_write_blocking(fd, type, msg, -1) == KG_OK);
	turn();
}

/* Whether a message of this type is there; got holds it. */
static int hear(int fd, enum ipc_type type)
{
	enum ipc_type t;
	int passed;

	return ipc_read_blocking(fd, ANSWER_MS, &in, &t, &got, &passed) == KG_OK && t == type;
}

static int is_closed(int fd)
{
	char byte;

	return read(fd, &byte, 1) == 0;
}

static int serve_upstream(const char *name)
{
	struct ipc_receipt_name m = {.upstream = ipc_text(name)};
	int fd = serve(IPC_ROLE_UPSTREAM);

	say(fd, IPC_RECEIPT_NAME, &m);
	CHECK(hear(fd, IPC_RECEIPT_KEY));
	return fd;
}

static void open_all(void)
{
	char error[STORE_ERROR_MAX];

	loop = loop_new();
	CHECK(store_open(dir, &store, error) == KG_OK);
	recorder_init(&rec, loop, store);
	rec.start_seq = recorder_note(&rec, "start");
	commit_now(rec.commit);
	broker = serve(IPC_ROLE_BROKER);
	notes = serve_upstream("notes");
	memcpy(notes_key, ((struct ipc_receipt_key *)&got)->key, HASH_LEN);
}

static void close_all(void)
{
	recorder_free(&rec);
	store_close(store);
	loop_free(loop);
	close(broker);
	close(notes);
}

static void begin(void)
{
	snprintf(dir, sizeof(dir), "/tmp/recorder-ops-XXXXXX");
	CHECK(mkdtemp(dir) != NULL);
	open_all();
}

static void end(void)
{
	char path[128];

	close_all();
	snprintf(path, sizeof(path), "%s/audit.db", dir);
	unlink(path);
	rmdir(dir);
}

static struct ipc_intent intent(uint8_t number)
{
	struct ipc_intent m = {
		.call = number,
		.human = ipc_text("alice@example.com"),
		.agent = ipc_text("claude-code"),
		.source = ipc_text("127.0.0.1:9"),
		.upstream = ipc_text("notes"),
		.method = MCP_TOOLS_CALL,
		.name = ipc_text("list_notes"),
		.tier = TIER_READ,
		.bytes_in = 2,
		.decision = DECISION_ALLOW,
		.reason_code = ipc_text("consent"),
	};

	memset(m.txn, number, ID_LEN);
	memset(m.session, 0x51, ID_LEN);
	memset(m.args_sha256, 0xa1, HASH_LEN);
	memset(m.meta_sha256, 0xb1, HASH_LEN);
	return m;
}

static struct ipc_outcome outcome(uint8_t number, uint64_t seq)
{
	struct ipc_outcome m = {
		.call = number, .intent_seq = seq, .outcome = OUTCOME_OK, .bytes_out = 5, .latency_us = 77};

	memset(m.txn, number, ID_LEN);
	memset(m.result_sha256, 0xc1, HASH_LEN);
	return m;
}

static const struct ipc_receipt *receipt(void)
{
	return (const void *)&got;
}

static uint64_t recorded(void)
{
	return ((const struct ipc_recorded *)(const void *)&got)->seq;
}

static char text[LEAF_MAX + 1];

static int copy_leaf(const struct store_leaf *leaf, void *arg)
{
	(void)arg;
	memcpy(text, leaf->leaf, leaf->len);
	text[leaf->len] = '\0';
	return KG_OK;
}

static const char *leaf_text(uint64_t seq)
{
	text[0] = '\0';
	CHECK(store_leaf(store, seq, copy_leaf, NULL) == KG_OK);
	return text;
}

/* The last record says this. */
static int last_says(const char *what)
{
	return strstr(leaf_text(store_durable(store)), what) != NULL;
}

static void test_receipt_is_over_what_is_recorded(void)
{
	struct ipc_intent m = intent(1);
	struct call_id id = {.session = m.session,
			     .upstream = "notes",
			     .method = MCP_TOOLS_CALL,
			     .name = {"list_notes", 10},
			     .txn = m.txn,
			     .args_sha256 = m.args_sha256,
			     .meta_sha256 = m.meta_sha256};
	uint8_t digest[HASH_LEN];

	begin();
	say(broker, IPC_INTENT, &m);
	CHECK(hear(broker, IPC_RECEIPT) && receipt()->status == GRANT_OK && receipt()->call == 1);
	CHECK(receipt()->seq == store_durable(store));
	CHECK(last_says("\"kind\":\"call\"") &&
	      last_says("\"name\":\"list_notes\",\"server\":\"notes\",\"tier\":\"read\""));
	CHECK(last_says("\"decision\":\"allow\"") && last_says("\"human\":\"alice@example.com\""));
	CHECK(last_says("\"session\":\"51515151515151515151515151515151\"") && !last_says("\"consent\":"));
	call_digest(&id, digest);
	CHECK(receipt_check(notes_key, "notes", digest, receipt()->seq, receipt()->expires_ns, receipt()->mac,
			    loop_now_ns()) == KG_OK);
	digest[0] ^= 1;
	CHECK(receipt_check(notes_key, "notes", digest, receipt()->seq, receipt()->expires_ns, receipt()->mac,
			    loop_now_ns()) == KG_E_CRYPTO);
	end();
}

static void test_newest_connection_has_the_key(void)
{
	struct ipc_intent m = intent(1);
	struct call_id id = {.session = m.session,
			     .upstream = "notes",
			     .method = MCP_TOOLS_CALL,
			     .name = {"list_notes", 10},
			     .txn = m.txn,
			     .args_sha256 = m.args_sha256,
			     .meta_sha256 = m.meta_sha256};
	uint8_t digest[HASH_LEN], key[HASH_LEN];
	int newer;

	begin();
	newer = serve_upstream("notes");
	memcpy(key, ((struct ipc_receipt_key *)&got)->key, HASH_LEN);
	CHECK(memcmp(key, notes_key, HASH_LEN) != 0);
	say(broker, IPC_INTENT, &m);
	CHECK(hear(broker, IPC_RECEIPT));
	call_digest(&id, digest);
	CHECK(receipt_check(key, "notes", digest, receipt()->seq, receipt()->expires_ns, receipt()->mac,
			    loop_now_ns()) == KG_OK);
	close(newer);
	end();
}

static void test_denial_is_recorded_without_receipt(void)
{
	struct ipc_intent m = intent(1);

	begin();
	m.decision = DECISION_DENY;
	m.reason = ipc_text("destructive is refused");
	say(broker, IPC_INTENT, &m);
	CHECK(hear(broker, IPC_RECEIPT) && receipt()->status == GRANT_OK && receipt()->seq != 0);
	CHECK(sodium_is_zero(receipt()->mac, HASH_LEN) && receipt()->expires_ns == 0);
	CHECK(last_says("\"decision\":\"deny\"") && last_says("destructive is refused"));
	end();
}

static void test_no_role_no_receipt(void)
{
	struct ipc_intent m = intent(1);
	struct ipc_outcome o;
	uint64_t seq;

	begin();
	m.upstream = ipc_text("files");
	say(broker, IPC_INTENT, &m);
	CHECK(hear(broker, IPC_RECEIPT) && receipt()->status == GRANT_UNAVAILABLE && receipt()->seq != 0);
	CHECK(sodium_is_zero(receipt()->mac, HASH_LEN));
	CHECK(last_says("\"decision\":\"deny\"") && last_says("no-receipt"));
	seq = receipt()->seq;
	o = outcome(1, seq);
	o.outcome = OUTCOME_UNSENT;
	say(broker, IPC_OUTCOME, &o);
	CHECK(hear(broker, IPC_RECORDED) && recorded() == seq + 1);
	end();
}

static void test_outcome_once(void)
{
	struct ipc_intent m = intent(1);
	struct ipc_outcome o;
	uint64_t seq, first;

	begin();
	say(broker, IPC_INTENT, &m);
	CHECK(hear(broker, IPC_RECEIPT));
	seq = receipt()->seq;
	o = outcome(1, seq);
	say(broker, IPC_OUTCOME, &o);
	CHECK(hear(broker, IPC_RECORDED));
	first = recorded();
	CHECK(first == store_durable(store) && last_says("\"phase\":\"outcome\"") && last_says("\"intent_seq\":2"));
	CHECK(last_says("\"outcome\":\"ok\"") && last_says("\"bytes_out\":5") && last_says("\"latency_us\":77"));
	say(broker, IPC_OUTCOME, &o);
	CHECK(hear(broker, IPC_RECORDED) && recorded() == first && store_durable(store) == first);
	end();
}

/* Nobody waits for an outcome, and yet it is durable soon. */
static void test_outcome_is_durable_by_itself(void)
{
	struct ipc_intent m = intent(1);
	struct ipc_outcome o;

	begin();
	say(broker, IPC_INTENT, &m);
	CHECK(hear(broker, IPC_RECEIPT));
	o = outcome(1, receipt()->seq);
	CHECK(ipc_write_blocking(broker, IPC_OUTCOME, &o, -1) == KG_OK);
	for (int i = 0; i < 1000 && store_durable(store) < 3; i++)
		run_for(1000);
	run_for(0);
	CHECK(hear(broker, IPC_RECORDED) && store_durable(store) == 3);
	end();
}

/* After a restart: known by number, known by transaction, recorded once. */
static void test_outcome_after_restart(void)
{
	struct ipc_intent m = intent(1);
	struct ipc_outcome o;
	uint64_t seq, first;

	begin();
	say(broker, IPC_INTENT, &m);
	CHECK(hear(broker, IPC_RECEIPT));
	seq = receipt()->seq;
	close_all();
	open_all();
	o = outcome(1, 0); /* the receipt was lost with the crash */
	say(broker, IPC_OUTCOME, &o);
	CHECK(hear(broker, IPC_RECORDED));
	first = recorded();
	CHECK(last_says("\"phase\":\"outcome\"") && leaf_number(text, strlen(text), "intent_seq") == seq);
	close_all();
	open_all();
	o.intent_seq = seq;
	say(broker, IPC_OUTCOME, &o);
	CHECK(hear(broker, IPC_RECORDED) && recorded() == first);
	/* An intent that never came on record has nothing to end. */
	o = outcome(9, 0);
	o.outcome = OUTCOME_UNSENT;
	say(broker, IPC_OUTCOME, &o);
	CHECK(hear(broker, IPC_RECORDED) && recorded() == 0);
	end();
}

static void test_transaction_number_is_taken_once(void)
{
	struct ipc_intent m = intent(1);

	begin();
	say(broker, IPC_INTENT, &m);
	CHECK(hear(broker, IPC_RECEIPT));
	say(broker, IPC_INTENT, &m);
	CHECK(hear(broker, IPC_RECEIPT) && receipt()->status == GRANT_DENIED && receipt()->seq == 0);
	CHECK(sodium_is_zero(receipt()->mac, HASH_LEN));
	CHECK(last_says("\"kind\":\"violation\"") && last_says("txn-reused"));
	close_all();
	open_all();
	say(broker, IPC_INTENT, &m);
	CHECK(hear(broker, IPC_RECEIPT) && receipt()->status == GRANT_DENIED);
	end();
}

static void lie(struct ipc_outcome o)
{
	say(broker, IPC_OUTCOME, &o);
	CHECK(is_closed(broker));
	CHECK(last_says("\"kind\":\"violation\""));
	close(broker);
	broker = serve(IPC_ROLE_BROKER);
}

static void test_outcomes_that_cannot_be_true(void)
{
	struct ipc_intent m = intent(1), denied = intent(2);
	struct ipc_outcome o;
	uint64_t seq, denied_seq;

	begin();
	denied.decision = DECISION_DENY;
	say(broker, IPC_INTENT, &m);
	CHECK(hear(broker, IPC_RECEIPT));
	seq = receipt()->seq;
	say(broker, IPC_INTENT, &denied);
	CHECK(hear(broker, IPC_RECEIPT));
	denied_seq = receipt()->seq;
	lie(outcome(7, 0));
	lie(outcome(7, seq));
	lie(outcome(1, denied_seq));
	lie(outcome(2, denied_seq));
	lie(outcome(1, 1)); /* the record of the start */
	o = outcome(1, seq);
	o.outcome = 8;
	lie(o);
	o.outcome = 0;
	lie(o);
	end();
}

static void lies(struct ipc_intent m)
{
	say(broker, IPC_INTENT, &m);
	CHECK(is_closed(broker));
	CHECK(last_says("\"kind\":\"violation\"") && last_says("\"reason_code\":\"protocol\""));
	close(broker);
	broker = serve(IPC_ROLE_BROKER);
}

static void test_unsound_intents(void)
{
	struct ipc_intent m = intent(1);

	begin();
	m.method = 99;
	lies(m);
	m.method = SELF_SPAWN;
	lies(m);
	m = intent(1);
	m.decision = 0;
	lies(m);
	m = intent(1);
	m.tier = 4;
	lies(m);
	m = intent(1);
	m.upstream = ipc_text("");
	lies(m);
	m = intent(1);
	m.name = ipc_text("\xff");
	lies(m);
	end();
}

/* What a decision rested on stands in the record, in canonical form, beside the approval that it used. */
static void test_facts_and_approval_are_recorded(void)
{
	struct ipc_intent m = intent(1);

	begin();
	memset(m.approval, 0xab, ID_LEN);
	m.facts = ipc_text("{ \"policies\":[\"p1\"], \"args\":{\"n\":5} }");
	say(broker, IPC_INTENT, &m);
	CHECK(hear(broker, IPC_RECEIPT) && receipt()->status == GRANT_OK);
	CHECK(last_says("\"approval\":\"abababababababababababababababab\","));
	CHECK(last_says("\"facts\":{\"args\":{\"n\":5},\"policies\":[\"p1\"]},"));
	end();
}

/* Facts without a canonical form refuse the call, on record, and leave the broker's connection alone. */
static void test_unwritable_facts_refuse_the_call(void)
{
	static const char *const bad[] = {"{\"n\":1.5}", "{\"n\":9007199254740992}", "[]",
					  "x",           "{\"a\":1,\"a\":2}",        "{\"t\":\"a\\u0000b\"}"};

	begin();
	for (uint8_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct ipc_intent m = intent((uint8_t)(i + 1));

		m.facts = ipc_text(bad[i]);
		say(broker, IPC_INTENT, &m);
		CHECK(hear(broker, IPC_RECEIPT) && receipt()->status == GRANT_DENIED && receipt()->seq != 0);
		CHECK(last_says("\"decision\":\"deny\",\"facts\":{\"unwritable\":true},"));
		CHECK(last_says("\"reason_code\":\"facts-unwritable\""));
		/* A refusal keeps its own reason. */
		m = intent((uint8_t)(i + 101));
		m.decision = DECISION_DENY;
		m.reason_code = ipc_text("policy");
		m.facts = ipc_text(bad[i]);
		say(broker, IPC_INTENT, &m);
		CHECK(hear(broker, IPC_RECEIPT) && receipt()->status == GRANT_OK);
		CHECK(last_says("\"facts\":{\"unwritable\":true},") && last_says("\"reason_code\":\"policy\""));
	}
	end();
}

/* The longest message there can be, every byte of its texts escaped, and facts as long as they can be. */
static void test_longest_intent(void)
{
	static char ctl[1024], facts[24577];
	struct ipc_intent m = intent(1);

	memset(ctl, 1, sizeof(ctl));
	begin();
	m.human = ipc_mem(ctl, 256);
	m.agent = m.client = ipc_mem(ctl, 128);
	m.source = m.reason_code = ipc_mem(ctl, 64);
	m.reason = ipc_mem(ctl, 512);
	snprintf(facts, sizeof(facts), "{\"a\":\"%0*d\"}", 24576 - 8, 0);
	m.facts = ipc_text(facts);
	CHECK(m.facts.n == 24576);
	say(broker, IPC_INTENT, &m);
	CHECK(hear(broker, IPC_RECEIPT) && receipt()->status == GRANT_OK);
	CHECK(strlen(leaf_text(store_durable(store))) > 24576 + 6 * 1000);
	end();
}

static void test_events_of_the_broker(void)
{
	struct ipc_broker_event m = {
		.id = 9, .kind = ipc_text("policy.loaded"), .members = ipc_text("{\"revision\": 4, \"by\":\"x\"}")};
	const struct ipc_broker_event_recorded *r = (const void *)&got;

	begin();
	say(broker, IPC_BROKER_EVENT, &m);
	CHECK(hear(broker, IPC_BROKER_EVENT_RECORDED) && r->id == 9 && r->status == GRANT_OK &&
	      r->seq == store_durable(store));
	CHECK(last_says("\"event\":\"policy.loaded\",\"kind\":\"policy\",\"members\":{\"by\":\"x\",\"revision\":4}"));
	/* An act of an operator cannot be forged with it. */
	m.kind = ipc_text("consent.grant");
	say(broker, IPC_BROKER_EVENT, &m);
	CHECK(hear(broker, IPC_BROKER_EVENT_RECORDED) && last_says("\"kind\":\"policy\""));
	m.members = ipc_text("{\"a\":1.5}");
	say(broker, IPC_BROKER_EVENT, &m);
	CHECK(hear(broker, IPC_BROKER_EVENT_RECORDED) && r->status == GRANT_DENIED && r->seq == 0);
	m.kind = ipc_text("");
	say(broker, IPC_BROKER_EVENT, &m);
	CHECK(is_closed(broker));
	end();
}

static void test_messages_of_others_are_refused(void)
{
	struct ipc_vault_event v = {.id = 1, .kind = ipc_text("grant"), .members = ipc_text("{}")};
	struct ipc_self_intent s = {.call = 1, .method = SELF_CONNECT};
	struct ipc_receipt_name n = {.upstream = ipc_text("files")};
	struct ipc_intent m = intent(1);
	int fd;

	begin();
	say(broker, IPC_VAULT_EVENT, &v);
	CHECK(is_closed(broker));
	say(notes, IPC_INTENT, &m);
	CHECK(is_closed(notes));
	fd = serve(IPC_ROLE_UPSTREAM);
	say(fd, IPC_SELF_INTENT, &s); /* before it has a name */
	CHECK(is_closed(fd));
	close(fd);
	fd = serve_upstream("notes");
	say(fd, IPC_RECEIPT_NAME, &n); /* a second name */
	CHECK(is_closed(fd));
	close(fd);
	end();
}

static void test_own_acts_of_a_role(void)
{
	static const uint8_t no_session[ID_LEN];
	struct ipc_self_intent m = {.call = 3, .method = SELF_SPAWN};
	struct ipc_self_outcome o = {.outcome = OUTCOME_OK, .latency_us = 9};
	const struct ipc_self_receipt *r = (const void *)&got;
	uint8_t digest[HASH_LEN], nothing[HASH_LEN];
	struct call_id id = {.session = no_session,
			     .upstream = "notes",
			     .method = SELF_SPAWN,
			     .name = {"", 0},
			     .txn = m.txn,
			     .args_sha256 = nothing,
			     .meta_sha256 = nothing};
	int files;

	begin();
	memset(m.txn, 0x33, ID_LEN);
	memset(o.txn, 0x33, ID_LEN);
	say(notes, IPC_SELF_INTENT, &m);
	CHECK(hear(notes, IPC_SELF_RECEIPT) && r->status == GRANT_OK && r->call == 3);
	sha256("", 0, nothing);
	call_digest(&id, digest);
	CHECK(receipt_check(notes_key, "notes", digest, r->seq, r->expires_ns, r->mac, loop_now_ns()) == KG_OK);
	CHECK(last_says("\"kind\":\"self\"") && last_says("\"method\":\"upstream/spawn\""));
	o.intent_seq = r->seq;
	/* Another server's role cannot end it. */
	files = serve_upstream("files");
	say(files, IPC_SELF_OUTCOME, &o);
	CHECK(is_closed(files));
	CHECK(last_says("violation"));
	close(files);
	/* Its own can, also by a new connection. */
	close(notes);
	turn();
	notes = serve_upstream("notes");
	say(notes, IPC_SELF_OUTCOME, &o);
	CHECK(last_says("\"phase\":\"outcome\"") && last_says("\"kind\":\"self\""));
	m.method = MCP_TOOLS_CALL;
	say(notes, IPC_SELF_INTENT, &m);
	CHECK(is_closed(notes));
	end();
}

static void test_violation_of_a_call(void)
{
	struct ipc_violation v = {.what = VIOLATION_RECEIPT_REPLAY, .name = ipc_text("wipe_notes")};

	begin();
	say(notes, IPC_VIOLATION, &v);
	CHECK(last_says("\"kind\":\"violation\"") && last_says("receipt-replay") && last_says("wipe_notes") &&
	      last_says("\"server\":\"notes\""));
	v.what = 77;
	say(notes, IPC_VIOLATION, &v);
	CHECK(is_closed(notes));
	end();
}

static int vault_open(void)
{
	int fd[2];

	CHECK(sock_pair(fd) == KG_OK);
	recorder_vault(&rec, fd[0]);
	return fd[1];
}

static void test_acts_of_vaultd(void)
{
	struct ipc_vault_event m = {
		.id = 5, .kind = ipc_text("consent.grant"), .members = ipc_text("{\"b\": 1, \"a\":\"x\"}")};
	const struct ipc_vault_event_recorded *r = (const void *)&got;
	int vault;

	begin();
	vault = vault_open();
	say(vault, IPC_VAULT_EVENT, &m);
	CHECK(hear(vault, IPC_VAULT_EVENT_RECORDED) && r->id == 5 && r->status == GRANT_OK &&
	      r->seq == store_durable(store));
	CHECK(last_says("\"event\":\"consent.grant\",\"kind\":\"admin\",\"members\":{\"a\":\"x\",\"b\":1}"));
	m.members = ipc_text("{\"a\":1.5}");
	say(vault, IPC_VAULT_EVENT, &m);
	CHECK(hear(vault, IPC_VAULT_EVENT_RECORDED) && r->status == GRANT_DENIED && r->seq == 0);
	close(vault);
	end();
}

static void note_of(uint64_t size, const uint8_t root[HASH_LEN], char out[512])
{
	char b64[64];

	sodium_bin2base64(b64, sizeof(b64), root, HASH_LEN, sodium_base64_VARIANT_ORIGINAL);
	snprintf(out, 512, "log.example\n%llu\n%s\n\n\xe2\x80\x94 log.example AAAA\n", (unsigned long long)size, b64);
}

/* The vault's side of it: what it last signed. */
struct signer {
	uint64_t size;
	uint8_t root[HASH_LEN];
	char note[512];
};

/* Asks for a head, checks the proof as vaultd does, and answers. */
static int sign_next(int vault, struct signer *s)
{
	struct ipc_checkpoint_signed a = {.status = GRANT_OK};
	const struct ipc_checkpoint *m = (const void *)&got;

	checkpoint_ask(rec.checkpointer); /* unless one is asked already */
	turn();
	if (!hear(vault, IPC_CHECKPOINT))
		return 0;
	if (s->size != 0 ? merkle_consistency_check(s->size, s->root, m->size, m->root, (const void *)m->proof.p,
						    m->proof.n / HASH_LEN) != KG_OK
			 : m->proof.n != 0) {
		a.status = GRANT_DENIED;
	} else {
		s->size = m->size;
		memcpy(s->root, m->root, HASH_LEN);
		note_of(s->size, s->root, s->note);
	}
	a.size = s->size;
	a.note = ipc_text(s->note);
	say(vault, IPC_CHECKPOINT_SIGNED, &a);
	return a.status == GRANT_OK;
}

static void grow(unsigned n)
{
	static uint8_t number;

	for (unsigned i = 0; i < n; i++) {
		struct leaf_event e = {.phase = PHASE_STATE, .kind = "test"};
		uint64_t seq;

		number++;
		CHECK(commit_leaf(rec.commit, &e, COMMIT_URGENT, &seq) == KG_OK);
	}
}

static void test_heads_are_signed(void)
{
	static const unsigned steps[] = {1, 1, 2, 3, 5, 8, 100, 4096, 9000, 1};
	struct signer s = {0};
	struct store_checkpoint c;
	int vault;

	begin();
	vault = vault_open();
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		grow(steps[i]);
		for (int guard = 0; checkpoint_size(rec.checkpointer) < store_size(store) && guard < 8; guard++)
			CHECK(sign_next(vault, &s));
		CHECK(s.size == store_size(store));
		commit_now(rec.commit);
		CHECK(store_checkpoint_last(store, &c) == KG_OK && c.size == s.size && strcmp(c.note, s.note) == 0);
	}
	/* The note becomes durable by itself, also when nothing else is recorded. */
	grow(1);
	commit_now(rec.commit);
	CHECK(store_checkpoint_put(store, &c) == KG_OK && store_pending(store));
	for (int i = 0; i < 1000 && store_pending(store); i++)
		run_for(1000);
	CHECK(!store_pending(store));
	CHECK(sign_next(vault, &s));
	checkpoint_ask(rec.checkpointer);
	turn();
	CHECK(!hear(vault, IPC_CHECKPOINT)); /* nothing grew, nothing is asked */
	close(vault);
	end();
}

/* vaultd has signed a head whose note was lost with the recorder's crash; or has an old vault.db; or a fresh one. */
static void test_heads_after_a_loss(void)
{
	struct signer s = {0}, old;
	int vault;

	begin();
	vault = vault_open();
	grow(5);
	CHECK(sign_next(vault, &s));
	old = s;
	grow(6000);
	commit_now(rec.commit);
	CHECK(store_tree_at(store, 4321, &(struct merkle){0}) == KG_OK);
	{
		struct merkle at;

		CHECK(store_tree_at(store, 4321, &at) == KG_OK);
		merkle_root(&at, s.root);
		s.size = at.size;
		note_of(s.size, s.root, s.note);
	}
	CHECK(!sign_next(vault, &s)); /* refused, and told where to prove from */
	CHECK(checkpoint_size(rec.checkpointer) == 4321);
	CHECK(checkpoint_waits(rec.checkpointer)); /* asked again by itself */
	CHECK(sign_next(vault, &s) && s.size == store_size(store));

	grow(3);
	CHECK(!sign_next(vault, &old));
	for (int guard = 0; old.size < store_size(store) && guard < 8; guard++)
		CHECK(sign_next(vault, &old));
	CHECK(old.size == store_size(store));

	grow(3);
	memset(&s, 0, sizeof(s));
	CHECK(!sign_next(vault, &s));
	for (int guard = 0; s.size < store_size(store) && guard < 8; guard++)
		CHECK(sign_next(vault, &s));
	CHECK(s.size == store_size(store));

	/* Another log's head, and a longer one than ours: refused, and the recorder goes on without. */
	grow(1);
	s.size -= 2;
	s.root[0] ^= 1;
	note_of(s.size, s.root, s.note);
	CHECK(!sign_next(vault, &s) && !checkpoint_waits(rec.checkpointer));
	s.size += 1000;
	note_of(s.size, s.root, s.note);
	CHECK(!sign_next(vault, &s) && !checkpoint_waits(rec.checkpointer));
	close(vault);
	end();
}

static void test_note_of_another_head_is_not_kept(void)
{
	struct ipc_checkpoint_signed a = {.status = GRANT_OK};
	const struct ipc_checkpoint *m = (const void *)&got;
	struct store_checkpoint c;
	uint8_t root[HASH_LEN] = {0};
	char note[512];
	int vault;

	begin();
	vault = vault_open();
	grow(2);
	checkpoint_ask(rec.checkpointer);
	turn();
	CHECK(hear(vault, IPC_CHECKPOINT));
	note_of(m->size, root, note);
	a.size = m->size;
	a.note = ipc_text(note);
	say(vault, IPC_CHECKPOINT_SIGNED, &a);
	CHECK(store_checkpoint_last(store, &c) == KG_E_NOTFOUND);
	say(vault, IPC_CHECKPOINT_SIGNED, &a); /* nothing was asked */
	CHECK(is_closed(vault));
	close(vault);
	end();
}

static json_t *ask(int admin, const char *op, const char *json)
{
	struct ipc_admin_request q = {.op = ipc_text(op), .json = ipc_text(json)};
	const struct ipc_admin_reply *r = (const void *)&got;

	say(admin, IPC_ADMIN_REQUEST, &q);
	if (!hear(admin, IPC_ADMIN_REPLY) || r->status != GRANT_OK)
		return NULL;
	return json_loadb((const char *)r->json.p, r->json.n, 0, NULL);
}

static const char *state_of(const json_t *page, size_t i)
{
	const char *s = json_string_value(json_object_get(json_array_get(json_object_get(page, "events"), i), "state"));

	return s == NULL ? "" : s;
}

static void test_operators_pages(void)
{
	struct ipc_intent m = intent(1), second = intent(2);
	struct ipc_outcome o;
	json_t *page;
	int admin;

	begin();
	admin = serve(IPC_ROLE_ADMIN);
	say(broker, IPC_INTENT, &m);
	CHECK(hear(broker, IPC_RECEIPT));
	say(broker, IPC_INTENT, &second);
	CHECK(hear(broker, IPC_RECEIPT));
	page = ask(admin, "audit.read", "{\"after\":1,\"limit\":500}");
	CHECK(json_array_size(json_object_get(page, "events")) == 2);
	CHECK(strcmp(state_of(page, 0), "open") == 0);
	json_decref(page);
	o = outcome(1, 2);
	say(broker, IPC_OUTCOME, &o);
	CHECK(hear(broker, IPC_RECORDED));
	close(broker);
	turn();
	broker = serve(IPC_ROLE_BROKER);
	page = ask(admin, "audit.read", "{\"after\":1}");
	CHECK(strcmp(state_of(page, 0), "") == 0 && strcmp(state_of(page, 1), "indeterminate") == 0);
	CHECK(json_integer_value(json_object_get(json_array_get(json_object_get(page, "events"), 0), "outcome")) == 4);
	json_decref(page);
	page = ask(admin, "audit.head", "{}");
	CHECK(json_integer_value(json_object_get(page, "size")) == 4 && json_is_null(json_object_get(page, "signed")));
	json_decref(page);
	page = ask(admin, "audit.hashes", "{\"after\":1,\"limit\":2}");
	CHECK(json_string_length(json_object_get(page, "hashes")) == 128);
	json_decref(page);
	page = ask(admin, "audit.checkpoints", "{}");
	CHECK(json_array_size(json_object_get(page, "checkpoints")) == 0);
	json_decref(page);
	page = ask(admin, "status", "{}");
	CHECK(json_integer_value(json_object_get(page, "records")) == 4);
	json_decref(page);
	CHECK(ask(admin, "audit.read", "{\"limit\":501}") == NULL &&
	      ask(admin, "audit.read", "{\"after\":-1}") == NULL);
	CHECK(ask(admin, "audit.forget", "{}") == NULL);
	close(admin);
	end();
}

static void test_start_and_stop_are_on_record(void)
{
	begin();
	CHECK(strstr(leaf_text(1), "\"event\":\"start\",\"kind\":\"recorder\"") != NULL);
	recorder_stop(&rec, 50);
	CHECK(last_says("\"event\":\"stop\",\"kind\":\"recorder\""));
	CHECK(is_closed(broker));
	end();
}

int main(void)
{
	if (sodium_init() < 0)
		return 1;
	buf_init(&in, IPC_FRAME_MAX);
	RUN(test_receipt_is_over_what_is_recorded);
	RUN(test_newest_connection_has_the_key);
	RUN(test_denial_is_recorded_without_receipt);
	RUN(test_no_role_no_receipt);
	RUN(test_outcome_once);
	RUN(test_outcome_is_durable_by_itself);
	RUN(test_outcome_after_restart);
	RUN(test_transaction_number_is_taken_once);
	RUN(test_outcomes_that_cannot_be_true);
	RUN(test_unsound_intents);
	RUN(test_facts_and_approval_are_recorded);
	RUN(test_unwritable_facts_refuse_the_call);
	RUN(test_longest_intent);
	RUN(test_events_of_the_broker);
	RUN(test_messages_of_others_are_refused);
	RUN(test_own_acts_of_a_role);
	RUN(test_violation_of_a_call);
	RUN(test_acts_of_vaultd);
	RUN(test_heads_are_signed);
	RUN(test_heads_after_a_loss);
	RUN(test_note_of_another_head_is_not_kept);
	RUN(test_operators_pages);
	RUN(test_start_and_stop_are_on_record);
	buf_free(&in);
	return unit_end();
}
