/*
 * The real upstream role, locked, between made-up daemons: this rig is its parent, its broker, its
 * vault and its recorder at once.
 */
#ifndef TESTS_UPSTREAM_RIG_H
#define TESTS_UPSTREAM_RIG_H

#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <sodium.h>

#include "common/call.h"
#include "common/config.h"
#include "common/ipc.h"
#include "common/kx.h"
#include "common/spawn.h"

enum rig_end { RIG_CONTROL, RIG_BROKER, RIG_VAULT, RIG_RECORDER, RIG_ENDS };

struct rig_message {
	enum rig_end from;
	enum ipc_type type;
	union ipc_any msg;
	struct buf store;
};

struct rig {
	pid_t pid;
	int fd[RIG_ENDS];
	char server[64], destination[256];
	uint8_t pk[KX_LEN], sk[KX_LEN], seal_key[HASH_LEN], receipt_key[HASH_LEN];
	uint64_t seq, call;
	uint8_t session[ID_LEN];
	bool refuse_acts; /* the vault says no to the role's own acts */
	/* What every seal holds. */
	uint8_t kind;
	const char *slot, *value;
	/* Told so far. */
	unsigned tools, tiers, violations, intents, outcomes;
	uint8_t last_outcome, last_violation;
	char tool_names[4096];
	char down[512];
};

/* What a call has that is not right. */
enum rig_fault {
	RIG_RIGHT,
	RIG_BAD_MAC,
	RIG_EXPIRED,
	RIG_FAR_AHEAD,
	RIG_OTHER_ARGS,
	RIG_OTHER_META,
	RIG_OTHER_NAME,
	RIG_OTHER_SESSION,
	RIG_OTHER_TXN,
	RIG_OTHER_METHOD,
	RIG_OTHER_UPSTREAM,
	RIG_BAD_SEAL,
	RIG_NO_SEAL,
	RIG_OTHER_DESTINATION,
	RIG_OLD_SEAL,
	RIG_SEAL_OF_OTHER_CALL,
};

struct rig_call {
	const char *name, *args, *meta;
	bool wants_progress;
	uint32_t timeout_ms;
	enum rig_fault fault;
	uint8_t txn[ID_LEN]; /* filled; kept when again is set */
	bool again;
};

static inline void rig_die(const char *what)
{
	fprintf(stderr, "rig: %s\n", what);
	exit(1);
}

static inline void rig_send(struct rig *r, enum rig_end to, enum ipc_type type, const void *m)
{
	if (ipc_write_blocking(r->fd[to], type, m, -1) != 0)
		rig_die("a message could not be sent");
}

static inline void rig_give(struct rig *r, enum rig_end end, enum ipc_role role)
{
	struct ipc_peer m = {.role = (uint8_t)role};
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
		rig_die("socketpair");
	if (r->fd[end] >= 0)
		close(r->fd[end]);
	r->fd[end] = pair[0];
	if (ipc_write_blocking(r->fd[RIG_CONTROL], IPC_PEER, &m, pair[1]) != 0)
		rig_die("a connection could not be given");
	close(pair[1]);
	if (end == RIG_RECORDER) {
		struct ipc_receipt_key key;
		randombytes_buf(r->receipt_key, HASH_LEN);
		memcpy(key.key, r->receipt_key, HASH_LEN);
		rig_send(r, RIG_RECORDER, IPC_RECEIPT_KEY, &key);
	}
}

/* Starts the role for the one server of the configuration. */
static inline void rig_start(struct rig *r, const char *config_text, const char *server)
{
	char error[CONFIG_ERROR_MAX], bin[4096], exe[4200];
	struct config *c;
	int pair[2];

	memset(r, 0, sizeof(*r));
	for (int i = 0; i < RIG_ENDS; i++)
		r->fd[i] = -1;
	if (config_parse("/tmp/rig.json", config_text, strlen(config_text), &c, error) != 0)
		rig_die(error);
	char *slice = config_slice(c, CONFIG_UPSTREAM, server);
	snprintf(r->server, sizeof(r->server), "%s", server);
	snprintf(r->destination, sizeof(r->destination), "%s", config_server_find(c, server)->destination);
	if (spawn_bin_dir(bin, sizeof(bin)) != 0 || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
		rig_die("start");
	snprintf(exe, sizeof(exe), "%s/../gatewayd-upstream", bin);
	struct spawn s = {
		.executable = exe, .argv = {exe}, .control_fd = pair[1], .listen_fd = -1, .death_signal = SIGKILL};
	r->pid = spawn_start(&s);
	close(pair[1]);
	r->fd[RIG_CONTROL] = pair[0];
	struct ipc_config m = {.name = ipc_text(server), .json = ipc_text(slice)};
	if (r->pid < 0 || ipc_write_blocking(pair[0], IPC_CONFIG, &m, -1) != 0)
		rig_die("the role cannot be started");
	free(slice);
	config_free(c);
	randombytes_buf(r->session, ID_LEN);
	upstream_key_pair(r->pk, r->sk);
}

static inline void rig_daemons(struct rig *r)
{
	rig_give(r, RIG_VAULT, IPC_ROLE_VAULT);
	rig_give(r, RIG_RECORDER, IPC_ROLE_RECORDER);
	rig_give(r, RIG_BROKER, IPC_ROLE_BROKER);
}

/* The exit status of the role, or -1 when a signal ended it. */
static inline int rig_stop(struct rig *r)
{
	struct ipc_stop m = {0};
	int status;

	if (waitpid(r->pid, &status, WNOHANG) == 0) {
		int err = ipc_write_blocking(r->fd[RIG_CONTROL], IPC_STOP, &m, -1);
		(void)err;
		waitpid(r->pid, &status, 0);
	}
	for (int i = 0; i < RIG_ENDS; i++)
		if (r->fd[i] >= 0)
			close(r->fd[i]);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static inline void rig_seal(struct rig *r, const uint8_t digest[HASH_LEN], const char *destination, uint64_t expires,
			    struct buf *out)
{
	struct credential_set *set = credentials_new();
	char *value;

	if (r->slot) {
		if (credentials_add(set, r->kind, r->slot, strlen(r->value), &value) != 0)
			rig_die("credential");
		memcpy(value, r->value, strlen(r->value));
	}
	if (credentials_seal(r->seal_key, digest, destination, expires, set, out) != 0)
		rig_die("seal");
	credentials_free(set);
}

static inline void rig_self_digest(struct rig *r, uint8_t method, const uint8_t txn[ID_LEN], uint8_t digest[HASH_LEN])
{
	static const uint8_t none[ID_LEN];
	uint8_t empty[HASH_LEN];
	struct call_id id = {.session = none, .upstream = r->server, .method = method, .name = {"", 0}, .txn = txn};

	sha256("", 0, empty);
	id.args_sha256 = id.meta_sha256 = empty;
	call_digest(&id, digest);
}

static inline void rig_self_intent(struct rig *r, const struct ipc_self_intent *m)
{
	struct ipc_self_receipt a = {.call = m->call, .seq = ++r->seq, .expires_ns = loop_now_ns() + RECEIPT_TTL_NS};
	uint8_t digest[HASH_LEN];

	r->intents++;
	rig_self_digest(r, m->method, m->txn, digest);
	receipt_mac(r->receipt_key, r->server, digest, a.seq, a.expires_ns, a.mac);
	rig_send(r, RIG_RECORDER, IPC_SELF_RECEIPT, &a);
}

static inline void rig_self_attach(struct rig *r, const struct ipc_self_attach *m)
{
	struct ipc_self_attached a = {.call = m->call};
	uint8_t digest[HASH_LEN];
	struct buf sealed;

	buf_init(&sealed, 32768);
	rig_self_digest(r, m->method, m->txn, digest);
	rig_seal(r, digest, r->destination, loop_now_ns() + SEAL_TTL_NS, &sealed);
	a.sealed = ipc_mem(buf_ptr(&sealed), buf_len(&sealed));
	if (r->refuse_acts) {
		a.status = GRANT_DENIED;
		a.reason_code = ipc_text("secret_missing");
		a.reason = ipc_text("the secret is not stored");
		a.sealed = ipc_text("");
	}
	rig_send(r, RIG_VAULT, IPC_SELF_ATTACHED, &a);
	buf_free(&sealed);
}

static inline void rig_upstream_key(struct rig *r, const struct ipc_upstream_key *m)
{
	struct ipc_upstream_keyed a;

	memcpy(a.public_key, r->pk, KX_LEN);
	if (upstream_key_agree(true, r->sk, r->pk, m->public_key, r->seal_key) != 0)
		rig_die("key agreement");
	rig_send(r, RIG_VAULT, IPC_UPSTREAM_KEYED, &a);
}

/* What the daemons do by themselves. */
static inline void rig_act(struct rig *r, const struct rig_message *m)
{
	const void *msg = &m->msg;

	if (m->type == IPC_UPSTREAM_KEY) {
		rig_upstream_key(r, msg);
	} else if (m->type == IPC_SELF_INTENT) {
		rig_self_intent(r, msg);
	} else if (m->type == IPC_SELF_ATTACH) {
		rig_self_attach(r, msg);
	} else if (m->type == IPC_SELF_OUTCOME) {
		r->outcomes++;
		r->last_outcome = ((const struct ipc_self_outcome *)msg)->outcome;
	} else if (m->type == IPC_VIOLATION) {
		r->violations++;
		r->last_violation = ((const struct ipc_violation *)msg)->what;
	} else if (m->type == IPC_TOOL_TIER) {
		/* Without its definition vaultd could pin nothing. */
		r->tiers += ((const struct ipc_tool_tier *)msg)->definition.n > 2;
	} else if (m->type == IPC_TOOL) {
		const struct ipc_tool *t = msg;
		size_t at = strlen(r->tool_names);
		r->tools++;
		snprintf(r->tool_names + at, sizeof(r->tool_names) - at, "%.*s:%u:%u ", (int)t->name.n,
			 (const char *)t->name.p, t->tier, t->floor);
	} else if (m->type == IPC_UPSTREAM_DOWN) {
		const struct ipc_upstream_down *d = msg;
		snprintf(r->down, sizeof(r->down), "%.*s", (int)d->why.n, (const char *)d->why.p);
	}
}

/* The next message of the role, acted upon; false when none comes in time or the role has ended. */
static inline bool rig_next(struct rig *r, int timeout_ms, struct rig_message *m)
{
	struct pollfd p[RIG_ENDS];
	int fd;

	for (int i = 0; i < RIG_ENDS; i++)
		p[i] = (struct pollfd){.fd = r->fd[i], .events = POLLIN};
	if (poll(p, RIG_ENDS, timeout_ms) <= 0)
		return false;
	for (int i = 0; i < RIG_ENDS; i++) {
		if (!p[i].revents)
			continue;
		m->from = (enum rig_end)i;
		if (ipc_read_blocking(r->fd[i], 5000, &m->store, &m->type, &m->msg, &fd) != 0) {
			close(r->fd[i]);
			r->fd[i] = -1;
			m->type = 0;
			return true;
		}
		rig_act(r, m);
		return true;
	}
	return false;
}

/* Reads on until a message of this type; its struct, or NULL. */
static inline const void *rig_wait(struct rig *r, enum ipc_type type, int timeout_ms, struct rig_message *m)
{
	uint64_t until = loop_now_ns() + (uint64_t)timeout_ms * 1000000u;

	for (;;) {
		uint64_t now = loop_now_ns();
		if (now >= until || !rig_next(r, (int)((until - now) / 1000000u) + 1, m))
			return NULL;
		if (m->type == type)
			return &m->msg;
	}
}

static inline uint64_t rig_expiry(enum rig_fault f)
{
	uint64_t now = loop_now_ns();

	return f == RIG_EXPIRED ? now - 1 : f == RIG_FAR_AHEAD ? now + RECEIPT_TTL_NS * 3 : now + RECEIPT_TTL_NS;
}

/* The digest that the daemons would make; with a fault, of what is not sent. */
static inline void rig_digest(struct rig *r, const struct rig_call *c, uint8_t digest[HASH_LEN])
{
	static const uint8_t other[ID_LEN] = {1};
	const char *args = c->fault == RIG_OTHER_ARGS ? "{\"other\":1}" : c->args;
	const char *meta = c->fault == RIG_OTHER_META ? "{\"other\":1}" : c->meta;
	const char *name = c->fault == RIG_OTHER_NAME ? "other" : c->name;
	uint8_t a[HASH_LEN], m[HASH_LEN];
	struct call_id id = {.session = c->fault == RIG_OTHER_SESSION ? other : r->session,
			     .upstream = c->fault == RIG_OTHER_UPSTREAM ? "another" : r->server,
			     .method = c->fault == RIG_OTHER_METHOD ? MCP_TOOLS_LIST : MCP_TOOLS_CALL,
			     .name = {name, strlen(name)},
			     .txn = c->fault == RIG_OTHER_TXN ? other : c->txn,
			     .args_sha256 = a,
			     .meta_sha256 = m};

	sha256(args, strlen(args), a);
	sha256(meta, strlen(meta), m);
	call_digest(&id, digest);
}

/* Sends a call as the broker would; its number. */
static inline uint64_t rig_call(struct rig *r, struct rig_call *c)
{
	static const uint8_t other_call[HASH_LEN] = {1};
	uint8_t digest[HASH_LEN];
	struct buf sealed;

	if (!c->meta)
		c->meta = "{}";
	if (!c->again)
		randombytes_buf(c->txn, ID_LEN);
	rig_digest(r, c, digest);
	struct ipc_call m = {.call = ++r->call,
			     .method = MCP_TOOLS_CALL,
			     .name = ipc_text(c->name),
			     .wants_progress = c->wants_progress,
			     .timeout_ms = c->timeout_ms,
			     .receipt_seq = ++r->seq,
			     .receipt_expires_ns = rig_expiry(c->fault),
			     .args = ipc_text(c->args),
			     .meta = ipc_text(c->meta)};
	memcpy(m.session, r->session, ID_LEN);
	memcpy(m.txn, c->txn, ID_LEN);
	receipt_mac(r->receipt_key, c->fault == RIG_OTHER_UPSTREAM ? "another" : r->server, digest, m.receipt_seq,
		    m.receipt_expires_ns, m.receipt_mac);
	m.receipt_mac[3] = (uint8_t)(m.receipt_mac[3] ^ (c->fault == RIG_BAD_MAC));
	buf_init(&sealed, 32768);
	rig_seal(r, c->fault == RIG_SEAL_OF_OTHER_CALL ? other_call : digest,
		 c->fault == RIG_OTHER_DESTINATION ? "https://evil.example:443" : r->destination,
		 c->fault == RIG_OLD_SEAL ? loop_now_ns() - 1 : loop_now_ns() + SEAL_TTL_NS, &sealed);
	if (c->fault == RIG_BAD_SEAL)
		sealed.data[sealed.len - 1] ^= 1;
	m.sealed = c->fault == RIG_NO_SEAL ? ipc_text("") : ipc_mem(buf_ptr(&sealed), buf_len(&sealed));
	rig_send(r, RIG_BROKER, IPC_CALL, &m);
	buf_free(&sealed);
	return m.call;
}

/* The result of this very call, or NULL. */
static inline const struct ipc_result *rig_result(struct rig *r, uint64_t call, int timeout_ms, struct rig_message *m)
{
	const struct ipc_result *a;

	while ((a = rig_wait(r, IPC_RESULT, timeout_ms, m)) != NULL)
		if (a->call == call)
			return a;
	return NULL;
}

/* Waits until the role has told its tools. */
static inline bool rig_ready(struct rig *r, int timeout_ms)
{
	struct rig_message m;

	buf_init(&m.store, IPC_FRAME_MAX);
	bool ready = rig_wait(r, IPC_TOOLS_DONE, timeout_ms, &m) != NULL;
	buf_free(&m.store);
	return ready;
}

#endif
