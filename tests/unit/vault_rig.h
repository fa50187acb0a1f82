/*
 * A vault with its own store in a directory of its own, a clock that the test sets, and a socket
 * for each peer that the test plays.
 */
#ifndef TESTS_VAULT_RIG_H
#define TESTS_VAULT_RIG_H

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <jansson.h>
#include <sodium.h>

#include "common/config.h"
#include "common/kx.h"
#include "common/sock.h"
#include "common/token.h"
#include "tests/unit/unit.h"
#include "vaultd/vault.h"

#define RIG_NOW 1800000000u
#define RIG_WAIT_MS 200

static const char rig_json[] =
	"{\"origin\":\"test.example.com/log\",\"mcpServers\":{"
	"\"notes\":{\"command\":\"/bin/true\",\"env\":{\"NOTES_TOKEN\":\"${secret:notes-token}\"},"
	"\"tiers\":{\"list_*\":\"read\",\"add_note\":\"write\",\"wipe_notes\":\"destructive\"}},"
	"\"plain\":{\"command\":\"/bin/true\",\"tiers\":{\"*\":\"read\"}},"
	"\"web\":{\"url\":\"https://api.example.com/mcp\",\"headers\":{\"Authorization\":\"Bearer "
	"${secret:web-token}\","
	"\"X-Key\":\"${secret:web-key}\"},\"credentials\":[{\"secret\":\"web-query\",\"kind\":\"query\",\"slot\":\"api_"
	"key\"}],"
	"\"tiers\":{\"*\":\"read\"}}}}";

static const char *rig_config = rig_json; /* a test may have another */

struct rig {
	char dir[64];
	struct config *config;
	struct loop *loop;
	struct secret *master;
	struct store *store;
	struct vault *v;
};

static uint64_t rig_clock = RIG_NOW;

static uint64_t rig_wall(void)
{
	return rig_clock;
}

/* The vault as after a start, from what the directory holds. */
static inline void rig_start(struct rig *r)
{
	char error[CONFIG_ERROR_MAX];

	if (config_parse("test.json", rig_config, strlen(rig_config), &r->config, error) != KG_OK) {
		fprintf(stderr, "%s\n", error);
		exit(1);
	}
	r->loop = loop_new();
	r->store = store_open(r->dir);
	r->v = vault_new(r->config, r->loop, r->master, r->store, rig_wall);
}

static inline void rig_stop(struct rig *r)
{
	vault_free(r->v);
	store_close(r->store);
	loop_free(r->loop);
	config_free(r->config);
}

static inline void rig_open(struct rig *r)
{
	secret_probe();
	rig_clock = RIG_NOW;
	snprintf(r->dir, sizeof(r->dir), "/tmp/keepgate-vault-XXXXXX");
	if (mkdtemp(r->dir) == NULL)
		exit(1);
	r->master = secret_new(32);
	randombytes_buf(secret_bytes(r->master), 32);
	rig_start(r);
}

static inline void rig_restart(struct rig *r)
{
	rig_stop(r);
	rig_start(r);
}

static inline void rig_close(struct rig *r)
{
	char path[128];

	rig_stop(r);
	secret_free(&r->master);
	snprintf(path, sizeof(path), "%s/vault.db", r->dir);
	unlink(path);
	snprintf(path, sizeof(path), "%s/vault.db-wal", r->dir);
	unlink(path);
	rmdir(r->dir);
}

static void rig_stop_loop(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what;
	loop_stop(arg);
}

/* Lets the vault read what has come and write what it answers. */
static inline void rig_pump(struct rig *r)
{
	static const struct timeval soon = {0, 2000};

	for (int i = 0; i < 3; i++) {
		event_base_once(loop_base(r->loop), -1, EV_TIMEOUT, rig_stop_loop, r->loop, &soon);
		loop_run(r->loop);
	}
}

/* The test's end of a connection. */
static inline int rig_peer(struct rig *r, enum ipc_role role)
{
	int fd[2];

	if (sock_pair(fd) != KG_OK || peer_open(r->v, fd[0], role) == NULL)
		exit(1);
	return fd[1];
}

/* A message that has come: its struct points into the store. */
struct rig_message {
	struct buf store;
	enum ipc_type type;
	union ipc_any any;
};

static inline void rig_forget(struct rig_message *m)
{
	buf_free(&m->store);
}

/* The next message on the test's end; false when there is none, or the connection has ended. */
static inline bool rig_next(struct rig *r, int fd, struct rig_message *m)
{
	int passed;

	rig_pump(r);
	buf_init(&m->store, IPC_FRAME_MAX);
	if (ipc_read_blocking(fd, RIG_WAIT_MS, &m->store, &m->type, &m->any, &passed) == KG_OK)
		return true;
	buf_free(&m->store);
	return false;
}

static inline bool rig_expect(struct rig *r, int fd, enum ipc_type type, struct rig_message *m)
{
	if (!rig_next(r, fd, m))
		return false;
	if (m->type == type)
		return true;
	rig_forget(m);
	return false;
}

static inline void rig_say(int fd, enum ipc_type type, const void *msg)
{
	if (ipc_write_blocking(fd, type, msg, -1) != KG_OK)
		fprintf(stderr, "a message could not be sent\n");
}

/* Whether the vault has ended the connection (what it still said is read over). */
static inline bool rig_dropped(struct rig *r, int fd)
{
	char bytes[4096];
	ssize_t n;

	rig_pump(r);
	do
		n = read(fd, bytes, sizeof(bytes));
	while (n > 0);
	return n == 0;
}

/* The recorder takes the act that lies before it; its kind, or "" when there is none. */
static inline bool rig_record(struct rig *r, int recorder, const char *kind, uint8_t status)
{
	struct ipc_vault_event_recorded done = {.status = status, .seq = 7};
	struct rig_message m;
	bool right;

	if (!rig_expect(r, recorder, IPC_VAULT_EVENT, &m))
		return false;
	right = ipc_is(((struct ipc_vault_event *)&m.any)->kind, kind);
	done.id = ((struct ipc_vault_event *)&m.any)->id;
	rig_forget(&m);
	rig_say(recorder, IPC_VAULT_EVENT_RECORDED, &done);
	rig_pump(r);
	return right;
}

/* The answer on an operator's connection: a new reference, or NULL and the error. */
static inline json_t *rig_answer(struct rig *r, int admin, char error[1025])
{
	const struct ipc_admin_reply *reply;
	struct rig_message m;
	json_t *out = NULL;

	error[0] = '\0';
	if (!rig_expect(r, admin, IPC_ADMIN_REPLY, &m)) {
		snprintf(error, 1025, "no answer");
		return NULL;
	}
	reply = (const struct ipc_admin_reply *)&m.any;
	if (reply->status == GRANT_OK)
		out = json_loadb((const char *)reply->json.p, reply->json.n, 0, NULL);
	else if (ipc_copy(reply->error, error, 1025) != KG_OK)
		snprintf(error, 1025, "no text");
	rig_forget(&m);
	return out;
}

static inline void rig_ask(int admin, const char *op, const char *json)
{
	struct ipc_admin_request q = {.op = ipc_text(op), .json = ipc_text(json)};

	rig_say(admin, IPC_ADMIN_REQUEST, &q);
}

/* One command with a recorder that has it on record at once (kind NULL: needs none). */
static inline json_t *rig_do(struct rig *r, int admin, int recorder, const char *op, const char *json, bool recorded)
{
	char error[1025];
	json_t *out;

	rig_ask(admin, op, json);
	if (recorded && !rig_record(r, recorder, op, GRANT_OK))
		fprintf(stderr, "%s: no act came to the recorder\n", op);
	out = rig_answer(r, admin, error);
	if (out == NULL)
		fprintf(stderr, "%s: %s\n", op, error);
	return out;
}

/* A role that says this name, keyed. */
static inline int rig_keyed(struct rig *r, enum ipc_role role, const char *link, uint8_t key[KX_LEN])
{
	int fd = rig_peer(r, role);
	struct ipc_upstream_name name = {.upstream = ipc_text(link)};
	struct ipc_upstream_key mine = {0};
	uint8_t sk[KX_LEN];
	struct rig_message m;

	upstream_key_pair(mine.public_key, sk);
	rig_say(fd, IPC_UPSTREAM_NAME, &name);
	rig_say(fd, IPC_UPSTREAM_KEY, &mine);
	if (!rig_expect(r, fd, IPC_UPSTREAM_KEYED, &m))
		exit(1);
	if (upstream_key_agree(false, sk, mine.public_key, ((struct ipc_upstream_keyed *)&m.any)->public_key, key) !=
	    KG_OK)
		exit(1);
	rig_forget(&m);
	return fd;
}

/* An upstream role of this server, keyed; its tools are not told yet. */
static inline int rig_upstream(struct rig *r, const char *server, uint8_t key[KX_LEN])
{
	return rig_keyed(r, IPC_ROLE_UPSTREAM, server, key);
}

static inline void rig_tool_as(int fd, uint32_t generation, const char *name, uint8_t tier, uint8_t floor,
			       const char *definition)
{
	struct ipc_tool_tier m = {.generation = generation,
				  .name = ipc_text(name),
				  .tier = tier,
				  .floor = floor,
				  .definition = ipc_text(definition)};

	rig_say(fd, IPC_TOOL_TIER, &m);
}

static inline void rig_definition(const char *name, char out[512])
{
	snprintf(out, 512, "{\"inputSchema\":{},\"name\":\"%s\"}", name);
}

static inline void rig_tool(int fd, uint32_t generation, const char *name, uint8_t tier, uint8_t floor)
{
	char text[512];

	rig_definition(name, text);
	rig_tool_as(fd, generation, name, tier, floor, text);
}

static inline void rig_tools_done(struct rig *r, int fd, uint32_t generation, uint32_t count)
{
	struct ipc_tool_tiers_done m = {.generation = generation, .count = count};

	rig_say(fd, IPC_TOOL_TIERS_DONE, &m);
	rig_pump(r);
}

/* Stores a credential by an operator's command; the error, "" when it was stored. */
static inline void rig_put(struct rig *r, int admin, int recorder, const char *name, const char *server,
			   const char *kind, const char *slot, bool replace, const char *value, char error[1025])
{
	struct ipc_secret_put m = {.name = ipc_text(name),
				   .server = ipc_text(server),
				   .kind = ipc_text(kind),
				   .slot = ipc_text(slot),
				   .replace = replace,
				   .value = ipc_text(value)};
	struct ipc_vault_event_recorded done = {.status = GRANT_OK, .seq = 8};
	struct rig_message event;

	rig_say(admin, IPC_SECRET_PUT, &m);
	if (rig_expect(r, recorder, IPC_VAULT_EVENT, &event)) {
		done.id = ((struct ipc_vault_event *)&event.any)->id;
		rig_forget(&event);
		rig_say(recorder, IPC_VAULT_EVENT_RECORDED, &done);
	}
	json_decref(rig_answer(r, admin, error));
}

static const char rig_grant_json[] = "{\"human\":\"alice@example.com\",\"agent\":\"claude-code\",\"tools\":\"notes/*, "
				     "web/get_*\",\"tier\":\"write\","
				     "\"for_s\":3600,\"why\":\"OPS-1\"}";

/* A consent as rig_grant_json says, or another; its answer with token, consent and session. */
static inline json_t *rig_grant(struct rig *r, int admin, int recorder, const char *json)
{
	return rig_do(r, admin, recorder, "consent.grant", json == NULL ? rig_grant_json : json, true);
}

static inline const char *rig_text(const json_t *o, const char *key)
{
	const char *text = json_string_value(json_object_get(o, key));

	return text == NULL ? "" : text;
}

/* Whether something lies before the test's end, and is whole: the vault is let work unless there is much. */
static inline bool rig_waits(struct rig *r, int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	int bytes = 0;

	if (ioctl(fd, FIONREAD, &bytes) != 0 || bytes < 20000)
		rig_pump(r);
	return poll(&p, 1, 0) == 1;
}

static inline bool rig_read(struct rig *r, int fd, struct rig_message *m)
{
	int passed;

	if (!rig_waits(r, fd))
		return false;
	buf_init(&m->store, IPC_FRAME_MAX);
	if (ipc_read_blocking(fd, RIG_WAIT_MS, &m->store, &m->type, &m->any, &passed) == KG_OK)
		return true;
	buf_free(&m->store);
	return false;
}

/* The recorder takes everything that lies before it; how often it was this kind. */
static inline unsigned rig_record_all(struct rig *r, int recorder, const char *kind)
{
	struct ipc_vault_event_recorded done = {.status = GRANT_OK, .seq = 7};
	struct rig_message m;
	unsigned n = 0;

	while (rig_read(r, recorder, &m)) {
		n += kind == NULL || ipc_is(((struct ipc_vault_event *)&m.any)->kind, kind);
		done.id = ((struct ipc_vault_event *)&m.any)->id;
		rig_forget(&m);
		rig_say(recorder, IPC_VAULT_EVENT_RECORDED, &done);
	}
	return n;
}

/* What a broker is sent before it is synchronised it does not say to have taken. */
static inline bool rig_is_put(enum ipc_type type)
{
	return type == IPC_SESSION_PUT || type == IPC_PIN_PUT || type == IPC_APPROVAL_PUT;
}

/* The policies take this approval; or, with a reason, do not. */
static inline void rig_checked(int broker, const struct ipc_approval_check *m, const char *why)
{
	struct ipc_approval_checked reply = {
		.id = m->id, .status = why[0] == '\0' ? GRANT_OK : GRANT_DENIED, .reason = ipc_text(why)};

	rig_say(broker, IPC_APPROVAL_CHECKED, &reply);
}

/* The broker takes everything that lies before it, and every approval. */
static inline void rig_take_all(struct rig *r, int broker)
{
	static const struct ipc_put_taken taken = {0};
	struct rig_message m;
	unsigned puts = 0;

	while (rig_read(r, broker, &m)) {
		puts = m.type == IPC_SESSIONS_SYNCED ? 0 : puts + rig_is_put(m.type);
		if (m.type == IPC_APPROVAL_CHECK)
			rig_checked(broker, (const struct ipc_approval_check *)&m.any, "");
		rig_forget(&m);
	}
	while (puts-- > 0) {
		rig_say(broker, IPC_PUT_TAKEN, &taken);
		if (puts % 64 == 0)
			rig_pump(r);
	}
}

#endif
