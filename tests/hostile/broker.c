/*
 * A broker in an attacker's hands. It has a live token (it sees them pass) and every connection of the real one;
 * it must not get one byte to a server that is not on record under its true name, nor beyond the consent.
 */
#include "common/guardian/guardian.h"
#include "tests/hostile/rig.h"

static char token[64];
static uint8_t session[ID_LEN];

/* Everything that an honest broker would have gathered for one call. */
struct prepared {
	struct ipc_call call;
	uint8_t sealed[4096];
	char args[256];
};

static void fresh_txn(uint8_t txn[ID_LEN])
{
	randombytes_buf(txn, ID_LEN);
}

static struct ipc_intent intent_of(const struct prepared *p, const char *upstream, const char *name)
{
	struct ipc_intent i = {.call = 1, .method = MCP_TOOLS_CALL, .tier = TIER_READ, .decision = DECISION_ALLOW};

	memcpy(i.txn, p->call.txn, ID_LEN);
	memcpy(i.session, session, ID_LEN);
	i.human = ipc_text("mallory@example.com");
	i.agent = ipc_text("none");
	i.source = ipc_text("127.0.0.1:1");
	i.upstream = ipc_text(upstream);
	i.name = ipc_text(name);
	i.reason_code = ipc_text("ok");
	sha256(p->args, strlen(p->args), i.args_sha256);
	sha256("{}", 2, i.meta_sha256);
	return i;
}

/* Asks the recorder; the receipt goes into the call. The status, or a negative error. */
static int get_receipt(struct prepared *p, const char *upstream, const char *name)
{
	struct ipc_intent i = intent_of(p, upstream, name);
	int fd = peer_fd(IPC_ROLE_RECORDER, NULL), r;
	union ipc_any msg;
	const struct ipc_receipt *got = (const void *)&msg;

	if (ipc_write_blocking(fd, IPC_INTENT, &i, -1) != KG_OK)
		return KG_E_IO;
	r = expect(fd, IPC_RECEIPT, &msg);
	if (r != KG_OK)
		return r;
	p->call.receipt_seq = got->seq;
	p->call.receipt_expires_ns = got->expires_ns;
	memcpy(p->call.receipt_mac, got->mac, HASH_LEN);
	return got->status;
}

/* Asks vaultd; the seal goes into the call. The status, or a negative error. */
static int get_seal_approved(struct prepared *p, const char *with_token, const char *upstream, const char *name,
			     const uint8_t approval[ID_LEN])
{
	struct ipc_attach a = {.call = 1, .method = MCP_TOOLS_CALL};
	int fd = peer_fd(IPC_ROLE_VAULT, NULL), r;
	union ipc_any msg;
	const struct ipc_attached *got = (const void *)&msg;

	a.token = ipc_text(with_token);
	a.upstream = ipc_text(upstream);
	a.name = ipc_text(name);
	memcpy(a.txn, p->call.txn, ID_LEN);
	memcpy(a.approval, approval, ID_LEN);
	sha256(p->args, strlen(p->args), a.args_sha256);
	sha256("{}", 2, a.meta_sha256);
	if (ipc_write_blocking(fd, IPC_ATTACH, &a, -1) != KG_OK)
		return KG_E_IO;
	r = expect(fd, IPC_ATTACHED, &msg);
	if (r != KG_OK)
		return r;
	if (got->sealed.n > sizeof(p->sealed))
		return KG_E_LIMIT;
	if (got->sealed.n != 0)
		memcpy(p->sealed, got->sealed.p, got->sealed.n);
	p->call.sealed = ipc_mem(p->sealed, got->sealed.n);
	return got->status;
}

static int get_seal(struct prepared *p, const char *with_token, const char *upstream, const char *name)
{
	static const uint8_t none[ID_LEN];

	return get_seal_approved(p, with_token, upstream, name, none);
}

static void prepare(struct prepared *p, const char *name, const char *args)
{
	*p = (struct prepared){.call = {.call = 1, .method = MCP_TOOLS_CALL, .timeout_ms = 5000}};
	memcpy(p->call.session, session, ID_LEN);
	fresh_txn(p->call.txn);
	snprintf(p->args, sizeof(p->args), "%s", args);
	p->call.name = ipc_text(name);
	p->call.args = ipc_text(p->args);
	p->call.meta = ipc_text("{}");
}

/* Sends a call to an upstream role; the status of its result. */
static int send_call(const struct prepared *p, const char *upstream)
{
	int fd = peer_fd(IPC_ROLE_UPSTREAM, upstream), r;
	union ipc_any msg;

	if (ipc_write_blocking(fd, IPC_CALL, &p->call, -1) != KG_OK)
		return KG_E_IO;
	r = expect(fd, IPC_RESULT, &msg);
	return r != KG_OK ? r : ((const struct ipc_result *)(const void *)&msg)->status;
}

/* A complete call as the honest broker makes it. */
static int honest(struct prepared *p, const char *upstream, const char *name, const char *args)
{
	prepare(p, name, args);
	p->call.args = ipc_text(p->args);
	return get_receipt(p, upstream, name) == GRANT_OK && get_seal(p, token, upstream, name) == GRANT_OK;
}

/* The session that the token belongs to: vaultd tells its brokers the hash. */
static void learn_session(void)
{
	uint8_t hash[HASH_LEN];
	union ipc_any msg;
	const struct ipc_session_put *s = (const void *)&msg;
	int fd = peer_fd(IPC_ROLE_VAULT, NULL);

	sha256(token, strlen(token), hash);
	while (expect(fd, IPC_SESSION_PUT, &msg) == KG_OK) {
		if (memcmp(s->token_hash, hash, HASH_LEN) == 0) {
			memcpy(session, s->session, ID_LEN);
			return;
		}
	}
	check(0, "the session of the token is known");
}

static void an_honest_call_passes(void)
{
	struct prepared p;
	int status = 0;

	for (int i = 0; i < WAIT_S * 5 && status != RESULT_OK; i++) {
		if (honest(&p, "notes", "list_notes", "{}"))
			status = send_call(&p, "notes");
		if (status != RESULT_OK)
			usleep(200000);
	}
	check(status == RESULT_OK, "a call with its own receipt and seal passes");
	check(send_call(&p, "notes") == RESULT_REFUSED, "the same call again is refused: a receipt is used once");
}

static void nothing_without_papers(void)
{
	struct prepared p;

	prepare(&p, "list_notes", "{}");
	check(send_call(&p, "notes") == RESULT_REFUSED, "a call without receipt and seal is refused");
	check(get_seal(&p, token, "notes", "list_notes") == GRANT_OK && send_call(&p, "notes") == RESULT_REFUSED,
	      "a call with a seal but no receipt is refused");
	prepare(&p, "list_notes", "{}");
	check(get_receipt(&p, "notes", "list_notes") == GRANT_OK && send_call(&p, "notes") == RESULT_REFUSED,
	      "a call with a receipt but no seal is refused");
}

static void nothing_altered(void)
{
	struct prepared p;

	honest(&p, "notes", "list_notes", "{}");
	p.call.args = ipc_text("{\"all\":true}");
	check(send_call(&p, "notes") == RESULT_REFUSED, "other arguments than those on record are refused");
	honest(&p, "notes", "list_notes", "{}");
	p.call.name = ipc_text("wipe_notes");
	check(send_call(&p, "notes") == RESULT_REFUSED, "another tool than that on record is refused");
	honest(&p, "notes", "list_notes", "{}");
	p.call.meta = ipc_text("{\"x\":1}");
	check(send_call(&p, "notes") == RESULT_REFUSED, "another _meta than that on record is refused");
	honest(&p, "notes", "list_notes", "{}");
	p.call.session[0] ^= 1;
	check(send_call(&p, "notes") == RESULT_REFUSED, "another session than that on record is refused");
	honest(&p, "notes", "list_notes", "{}");
	p.call.receipt_expires_ns += 1000000000ull;
	check(send_call(&p, "notes") == RESULT_REFUSED, "a receipt whose expiry was altered is refused");
	honest(&p, "notes", "list_notes", "{}");
	p.sealed[p.call.sealed.n - 1] ^= 1;
	check(send_call(&p, "notes") == RESULT_REFUSED, "a seal that was altered is refused");
}

static void nothing_from_elsewhere(void)
{
	struct prepared p, q;

	honest(&p, "notes", "list_notes", "{}");
	check(send_call(&p, "other") == RESULT_REFUSED, "papers for one server are refused at another");
	honest(&p, "notes", "list_notes", "{}");
	honest(&q, "notes", "list_notes", "{\"b\":1}");
	p.call.sealed = q.call.sealed;
	check(send_call(&p, "notes") == RESULT_REFUSED, "a seal of another call is refused");
	honest(&p, "notes", "list_notes", "{}");
	honest(&q, "notes", "list_notes", "{\"b\":1}");
	memcpy(p.call.receipt_mac, q.call.receipt_mac, HASH_LEN);
	p.call.receipt_seq = q.call.receipt_seq;
	p.call.receipt_expires_ns = q.call.receipt_expires_ns;
	check(send_call(&p, "notes") == RESULT_REFUSED, "a receipt of another call is refused");
}

/* On record as harmless, sealed as harmless, sent as something else: the digest holds all three together. */
static void nothing_under_another_name(void)
{
	struct prepared p;

	prepare(&p, "wipe_notes", "{}");
	check(get_receipt(&p, "notes", "list_notes") == GRANT_OK &&
		      get_seal(&p, token, "notes", "list_notes") == GRANT_OK &&
		      send_call(&p, "notes") == RESULT_REFUSED,
	      "a call on record under another name is refused");
}

static void nothing_beyond_the_consent(void)
{
	struct prepared p;

	prepare(&p, "wipe_notes", "{}");
	check(get_seal(&p, token, "notes", "wipe_notes") == GRANT_DENIED, "vaultd refuses a destructive tool");
	check(get_seal(&p, token, "other", "list_notes") == GRANT_DENIED,
	      "vaultd refuses a server outside the consent");
	check(get_seal(&p, token, "notes", "no_such_tool") == GRANT_DENIED,
	      "vaultd takes an unknown tool for destructive");
	check(get_seal(&p, "", "notes", "list_notes") == GRANT_DENIED, "vaultd refuses without a token");
	check(get_seal(&p, "kgs_0000000000000000000000000000000000000000000000000", "notes", "list_notes") ==
		      GRANT_DENIED,
	      "vaultd refuses a made-up token");
}

/* The pin that vaultd tells its brokers: an approval is for one definition. */
static void learn_pin(const char *name, uint8_t sha[HASH_LEN])
{
	int fd;
	union ipc_any msg;
	const struct ipc_pin_put *m = (const void *)&msg;

	peer_lost(IPC_ROLE_VAULT);
	fd = peer_fd(IPC_ROLE_VAULT, NULL);
	while (expect(fd, IPC_PIN_PUT, &msg) == KG_OK) {
		if (ipc_is(m->server, "notes") && ipc_is(m->name, name)) {
			memcpy(sha, m->accepted, HASH_LEN);
			return;
		}
	}
	check(0, "the pin of the tool is known");
}

static int ask_approval(const struct prepared *p, const char *name, uint8_t approval[ID_LEN])
{
	struct ipc_approval_ask ask = {.call = 1, .upstream = ipc_text("notes")};
	union ipc_any msg;
	const struct ipc_approval_asked *got = (const void *)&msg;
	int fd, r;

	learn_pin(name, ask.def_sha256);
	fd = peer_fd(IPC_ROLE_VAULT, NULL);
	ask.name = ipc_text(name);
	ask.args = ipc_text(p->args);
	memcpy(ask.session, session, ID_LEN);
	sha256(p->args, strlen(p->args), ask.args_sha256);
	if (ipc_write_blocking(fd, IPC_APPROVAL_ASK, &ask, -1) != KG_OK)
		return KG_E_IO;
	r = expect(fd, IPC_APPROVAL_ASKED, &msg);
	memcpy(approval, got->approval, ID_LEN);
	return r == KG_OK && got->status != GRANT_OK ? KG_E_DENIED : r;
}

/* vaultd asks whether the policies would take a person's approval: that they would. */
static void answer_for_the_policies(void)
{
	struct ipc_approval_checked yes = {.status = GRANT_OK};
	union ipc_any msg;
	const struct ipc_approval_check *asked = (const void *)&msg;
	int fd = peer_fd(IPC_ROLE_VAULT, NULL), r = expect(fd, IPC_APPROVAL_CHECK, &msg);

	yes.id = asked->id;
	check(r == KG_OK && ipc_write_blocking(fd, IPC_APPROVAL_CHECKED, &yes, -1) == KG_OK,
	      "the policies are asked before an approval is given");
}

/* It may ask for an approval; it cannot give one, stretch one, or use one twice. The test approves as an operator
 * would. */
static void nothing_without_a_person(void)
{
	static const char args[] = "{\"box\":1}";
	uint8_t approval[ID_LEN], wrong[ID_LEN] = {1};
	char line[64], hex[2 * ID_LEN + 1];
	struct prepared p;

	prepare(&p, "wipe_notes", args);
	check(ask_approval(&p, "wipe_notes", approval) == KG_OK, "an approval can be asked for");
	check(get_seal_approved(&p, token, "notes", "wipe_notes", approval) == GRANT_DENIED,
	      "an approval that nobody has given is refused");
	check(get_seal_approved(&p, token, "notes", "wipe_notes", wrong) == GRANT_DENIED,
	      "an approval that does not exist is refused");
	sodium_bin2hex(hex, sizeof(hex), approval, ID_LEN);
	fprintf(stderr, "hostile: approve %s\n", hex);
	answer_for_the_policies();
	wait_line("approved", line, sizeof(line));
	prepare(&p, "wipe_notes", "{\"box\":2}");
	check(get_seal_approved(&p, token, "notes", "wipe_notes", approval) == GRANT_DENIED,
	      "an approval for other arguments is refused");
	prepare(&p, "wipe_notes", args);
	check(get_receipt(&p, "notes", "list_notes") == GRANT_OK &&
		      get_seal_approved(&p, token, "notes", "wipe_notes", approval) == GRANT_OK &&
		      send_call(&p, "notes") == RESULT_REFUSED,
	      "an approved call that is on record under another name is refused");
	check(get_seal_approved(&p, token, "notes", "wipe_notes", approval) == GRANT_DENIED,
	      "an approval is used once, whatever came of it");
}

static void no_older_policy(void)
{
	struct ipc_policy_keep keep = {.id = 1, .revision = 7};
	union ipc_any msg;
	const struct ipc_policy_kept *got = (const void *)&msg;
	int fd = peer_fd(IPC_ROLE_VAULT, NULL);

	check(ipc_write_blocking(fd, IPC_POLICY_KEEP, &keep, -1) == KG_OK &&
		      expect(fd, IPC_POLICY_KEPT, &msg) == KG_OK && got->status == GRANT_OK,
	      "a revision is kept");
	keep.id = 2;
	keep.revision = 6;
	check(ipc_write_blocking(fd, IPC_POLICY_KEEP, &keep, -1) == KG_OK &&
		      expect(fd, IPC_POLICY_KEPT, &msg) == KG_OK && got->status != GRANT_OK,
	      "a lower revision is refused");
}

static void one_record_for_one_call(void)
{
	struct prepared p;

	prepare(&p, "list_notes", "{}");
	check(get_receipt(&p, "notes", "list_notes") == GRANT_OK, "an intent is recorded");
	check(get_receipt(&p, "notes", "list_notes") != GRANT_OK, "a second intent of the same transaction is refused");
}

static void papers_grow_old(void)
{
	struct prepared p;

	honest(&p, "notes", "list_notes", "{}");
	sleep(11);
	check(send_call(&p, "notes") == RESULT_REFUSED, "papers older than ten seconds are refused");
}

/* What a broker may not say, to each peer. */
/* An operator has sealed the vault: there is nothing to be had, with an old approval or a new one. */
static void nothing_past_a_seal(void)
{
	uint8_t approval[ID_LEN];
	struct prepared p;
	char line[64];

	fprintf(stderr, "hostile: seal\n");
	wait_line("sealed", line, sizeof(line));
	prepare(&p, "list_notes", "{}");
	check(get_receipt(&p, "notes", "list_notes") == GRANT_OK &&
		      get_seal(&p, token, "notes", "list_notes") == GRANT_DENIED,
	      "a sealed vault gives nothing to a call that is on record");
	prepare(&p, "wipe_notes", "{\"box\":3}");
	check(ask_approval(&p, "wipe_notes", approval) != KG_OK, "a sealed vault takes no question for an approval");
}

static void speaks_for_others(void)
{
	struct ipc_guard_act lift = {.id = 1, .act = GUARD_ACT_SEAL, .lift = 1};
	struct ipc_guard_done done = {.id = 1};
	struct ipc_session_put put = {.tier = TIER_WRITE};
	struct ipc_pin_put pin = {.state = PIN_ACCEPTED};
	struct ipc_approval_put approval = {.state = APPROVAL_APPROVED};
	struct ipc_self_attach self = {.method = SELF_CONNECT};
	struct ipc_checkpoint point = {.size = 1};
	struct ipc_upstream_key key = {0};
	struct ipc_vault_event event = {.kind = ipc_text("x"), .members = ipc_text("{}")};
	struct ipc_admin_request admin = {.op = ipc_text("status"), .json = ipc_text("{}")};
	const struct {
		enum ipc_role peer;
		enum ipc_type type;
		const void *msg;
		const char *what;
	} lies[] = {
		{IPC_ROLE_VAULT, IPC_SESSION_PUT, &put, "making a session"},
		{IPC_ROLE_VAULT, IPC_PIN_PUT, &pin, "accepting a tool"},
		{IPC_ROLE_VAULT, IPC_APPROVAL_PUT, &approval, "giving an approval"},
		{IPC_ROLE_VAULT, IPC_SELF_ATTACH, &self, "asking for credentials as an upstream"},
		{IPC_ROLE_VAULT, IPC_UPSTREAM_KEY, &key, "agreeing a key as an upstream"},
		{IPC_ROLE_VAULT, IPC_CHECKPOINT, &point, "asking for a signature as the recorder"},
		{IPC_ROLE_VAULT, IPC_ADMIN_REQUEST, &admin, "giving orders as an operator"},
		{IPC_ROLE_VAULT, IPC_GUARD_ACT, &lift, "lifting a seal as the recorder"},
		{IPC_ROLE_RECORDER, IPC_VAULT_EVENT, &event, "recording an administrative act"},
		{IPC_ROLE_RECORDER, IPC_ADMIN_REQUEST, &admin, "reading the log as an operator"},
		{IPC_ROLE_RECORDER, IPC_GUARD_DONE, &done, "answering the guardian as the vault"},
	};

	for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
		int fd = peer_fd(lies[i].peer, NULL);

		if (ipc_write_blocking(fd, lies[i].type, lies[i].msg, -1) != KG_OK)
			exit(1);
		check(dropped(fd), lies[i].what);
		peer_lost(lies[i].peer);
	}
}

int main(void)
{
	rig_begin();
	wait_line("token", token, sizeof(token));
	learn_session();
	an_honest_call_passes();
	nothing_without_papers();
	nothing_altered();
	nothing_from_elsewhere();
	nothing_under_another_name();
	nothing_beyond_the_consent();
	nothing_without_a_person();
	no_older_policy();
	one_record_for_one_call();
	papers_grow_old();
	nothing_past_a_seal();
	speaks_for_others();
	rig_end();
}
