/*
 * A broker between peers that a test plays itself: front, vault, recorder, two upstreams and the role that asks
 * others at the other ends of socket pairs, all in one process. Its policies are the ones that ship.
 */
#ifndef TESTS_BROKER_RIG_H
#define TESTS_BROKER_RIG_H

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <sodium.h>

#include "common/json_canonical.h"
#include "common/token.h"
#include "gatewayd/broker/broker.h"
#include "gatewayd/broker/call.h"
#include "gatewayd/broker/reply.h"
#include "tests/unit/unit.h"

#define RIG_CONFIG_WITH(more)                                                                                          \
	"{\"listen\":{\"port\":8931}," more "\"mcpServers\":{"                                                         \
	"\"notes\":{\"command\":\"/bin/notes\",\"timeout_seconds\":5,\"max_calls\":300,"                               \
	"\"tiers\":{\"list_notes\":\"read\",\"add_note\":\"write\",\"wipe_notes\":\"destructive\"}},"                  \
	"\"wiki\":{\"command\":\"/bin/wiki\",\"max_calls\":2,\"tiers\":{\"*\":\"read\"}}}}"

#define RIG_CONFIG RIG_CONFIG_WITH("")
#define RIG_HOLDS RIG_CONFIG_WITH("\"approvals\":{\"hold_s\":1},")
#define RIG_ASKS RIG_CONFIG_WITH("\"policy\":{\"external\":{\"kind\":\"authzen\",\"url\":\"http://127.0.0.1:9/e\"}},")

#define RIG_FAR 4102444800ull /* 2100 */

enum { RIG_FRONT, RIG_VAULT, RIG_RECORDER, RIG_NOTES, RIG_WIKI, RIG_PDP, RIG_OPAL, RIG_PEERS };

struct rig {
	struct loop *loop;
	struct config *config;
	struct broker *b;
	int fd[RIG_PEERS]; /* our ends; -1: away */
	bool synced;       /* the vault has sent all */
	bool keep_events;  /* a test reads what is no call; else the recorder's end passes over it */
	unsigned wanted;   /* bits of enum ipc_role that the broker asked its parent for */
	struct buf store;
	union ipc_any msg;
	char token[TOKEN_LEN + 1];
	uint8_t session[ID_LEN];
};

static const struct {
	enum ipc_role role;
	uint32_t index;
	const char *name;
} rig_places[RIG_PEERS] = {
	{IPC_ROLE_FRONT, 0, "0"},        {IPC_ROLE_VAULT, 0, ""},        {IPC_ROLE_RECORDER, 0, ""},
	{IPC_ROLE_UPSTREAM, 0, "notes"}, {IPC_ROLE_UPSTREAM, 1, "wiki"}, {IPC_ROLE_PDP, 0, ""},
	{IPC_ROLE_OPAL, 0, ""},
};

static void rig_stop(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what;
	loop_stop(arg);
}

/* Lets the broker do what there is to do. */
static inline void rig_pump(struct rig *r)
{
	const struct timeval now = {0, 0};

	for (int i = 0; i < 3; i++) {
		(void)event_base_once(loop_base(r->loop), -1, EV_TIMEOUT, rig_stop, r->loop, &now);
		loop_run(r->loop);
	}
}

/* Lets time pass for it. */
static inline void rig_pass(struct rig *r, int ms)
{
	const struct timeval t = {ms / 1000, ms % 1000 * 1000};

	(void)event_base_once(loop_base(r->loop), -1, EV_TIMEOUT, rig_stop, r->loop, &t);
	loop_run(r->loop);
	rig_pump(r);
}

static inline void rig_want(enum ipc_role peer, uint32_t index, void *arg)
{
	struct rig *r = arg;

	(void)index;
	r->wanted |= peer;
}

/* A recorder begins by telling what it knows of risks: here, that there are none. */
static inline void rig_no_risks(int fd)
{
	static const struct ipc_risks_synced synced = {0};

	CHECK(ipc_write_blocking(fd, IPC_RISKS_SYNCED, &synced, -1) == KG_OK);
}

static inline void rig_connect_silent(struct rig *r, int peer)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
		abort();
	if (r->fd[peer] >= 0)
		close(r->fd[peer]);
	r->fd[peer] = pair[0];
	broker_peer(r->b, rig_places[peer].role, rig_places[peer].index, rig_places[peer].name, pair[1]);
}

static inline void rig_connect(struct rig *r, int peer)
{
	rig_connect_silent(r, peer);
	if (peer == RIG_RECORDER)
		rig_no_risks(r->fd[peer]);
}

static inline void rig_lose(struct rig *r, int peer)
{
	close(r->fd[peer]);
	r->fd[peer] = -1;
	if (peer == RIG_VAULT)
		r->synced = false;
	rig_pump(r);
}

static inline void rig_send(struct rig *r, int peer, enum ipc_type type, const void *msg)
{
	struct buf out;
	bool sent;

	buf_init(&out, 2ul * IPC_FRAME_MAX);
	sent = ipc_encode(&out, type, msg) == KG_OK;
	/* A long one is read by the broker while it is written: both are this process. */
	while (sent && buf_len(&out) > 0) {
		ssize_t n = send(r->fd[peer], buf_ptr(&out), buf_len(&out), MSG_DONTWAIT | MSG_NOSIGNAL);

		sent = n > 0 || errno == EAGAIN;
		if (n > 0)
			buf_consume(&out, (size_t)n);
		else
			rig_pump(r);
	}
	if (!sent)
		fprintf(stderr, "rig: message %d could not be sent\n", (int)type);
	buf_free(&out);
	rig_pump(r);
}

/* The number of the next message at a peer; 0 when none has come. */
static inline uint16_t rig_next(const struct rig *r, int peer)
{
	uint8_t head[IPC_HEADER_LEN];

	if (r->fd[peer] < 0 || recv(r->fd[peer], head, sizeof(head), MSG_DONTWAIT | MSG_PEEK) != sizeof(head))
		return 0;
	return (uint16_t)(head[4] << 8 | head[5]);
}

static inline void rig_skip_events(const struct rig *r)
{
	union ipc_any msg;
	enum ipc_type type;
	struct buf store;
	int fd;

	while (!r->keep_events && rig_next(r, RIG_RECORDER) == IPC_BROKER_EVENT) {
		buf_init(&store, IPC_FRAME_MAX);
		CHECK(ipc_read_blocking(r->fd[RIG_RECORDER], 100, &store, &type, &msg, &fd) == KG_OK);
		buf_free(&store);
	}
}

static inline bool rig_has(const struct rig *r, int peer)
{
	struct pollfd p = {r->fd[peer], POLLIN, 0};

	if (peer == RIG_RECORDER)
		rig_skip_events(r);
	return r->fd[peer] >= 0 && poll(&p, 1, 0) == 1;
}

/* The next message of this type at a peer; NULL when another, or none, came. Good until the next one. */
static inline const void *rig_take(struct rig *r, int peer, enum ipc_type type)
{
	enum ipc_type got;
	int fd;

	rig_pump(r);
	buf_free(&r->store);
	if (!rig_has(r, peer) || ipc_read_blocking(r->fd[peer], 100, &r->store, &got, &r->msg, &fd) != KG_OK)
		return NULL;
	return got == type ? &r->msg : NULL;
}

/* Whether the broker has ended the connection to this peer. */
static inline bool rig_dropped(struct rig *r, int peer)
{
	char byte;

	rig_pump(r);
	return recv(r->fd[peer], &byte, 1, MSG_DONTWAIT | MSG_PEEK) == 0;
}

static inline struct ipc_session_put rig_session(const struct rig *r, uint8_t tier, const char *tools)
{
	struct ipc_session_put m = {.tier = tier,
				    .state = SESSION_ACTIVE,
				    .expires_unix = RIG_FAR,
				    .human = ipc_text("alice@example.com"),
				    .agent = ipc_text("claude-code"),
				    .tools = ipc_text(tools)};

	memcpy(m.session, r->session, ID_LEN);
	memset(m.consent, 0xc0, ID_LEN);
	token_hash(r->token, TOKEN_LEN, m.token_hash);
	return m;
}

static inline void rig_tool(struct rig *r, int peer, uint32_t generation, const char *name, const char *definition)
{
	struct ipc_tool m = {.generation = generation, .name = ipc_text(name), .definition = ipc_text(definition)};

	rig_send(r, peer, IPC_TOOL, &m);
}

static inline void rig_tools_done(struct rig *r, int peer, uint32_t generation, uint32_t count)
{
	struct ipc_tools_done m = {.generation = generation, .count = count, .protocol = ipc_text("2025-11-25")};

	rig_send(r, peer, IPC_TOOLS_DONE, &m);
}

#define RIG_DEF(name) "{\"name\":\"" name "\",\"description\":\"d\",\"inputSchema\":{\"type\":\"object\"}}"

/* The canonical form of a definition, and its hash: what a tool is pinned by. */
static inline void rig_canonical(struct buf *out, const char *definition, uint8_t hash[HASH_LEN])
{
	struct json_doc doc;

	json_init(&doc);
	buf_init(out, IPC_FRAME_MAX);
	if (json_scan(&doc, definition, strlen(definition), NULL) != KG_OK || json_put_canonical(out, &doc, 0) != KG_OK)
		abort();
	sha256(buf_ptr(out), buf_len(out), hash);
	json_free(&doc);
}

/* What the vault has put is in force; a pin waits for the policies to be built. */
static inline void rig_taken(struct rig *r)
{
	for (int i = 0; i < 100 && !rig_has(r, RIG_VAULT); i++)
		rig_pass(r, 10);
	CHECK(rig_take(r, RIG_VAULT, IPC_PUT_TAKEN) != NULL);
}

/* What the vault says of a tool: its state, what is accepted of it and what its server lists. */
static inline void rig_pin_as(struct rig *r, const char *server, const char *name, uint8_t state, const char *accepted,
			      const char *listed)
{
	struct ipc_pin_put m = {.server = ipc_text(server), .name = ipc_text(name), .state = state};
	struct buf a, l;

	rig_canonical(&a, accepted, m.accepted);
	rig_canonical(&l, listed, m.listed);
	if (state == PIN_PENDING)
		memset(m.accepted, 0, HASH_LEN);
	else
		m.definition = ipc_mem(buf_ptr(&a), (uint32_t)buf_len(&a));
	rig_send(r, RIG_VAULT, IPC_PIN_PUT, &m);
	if (r->synced)
		rig_taken(r);
	buf_free(&a);
	buf_free(&l);
}

/* An accepted tool whose definition is the listed one. */
static inline void rig_pin(struct rig *r, const char *server, const char *name, const char *definition)
{
	rig_pin_as(r, server, name, PIN_ACCEPTED, definition, definition);
}

static inline void rig_pin_all(struct rig *r)
{
	rig_pin(r, "notes", "list_notes", RIG_DEF("list_notes"));
	rig_pin(r, "notes", "add_note", RIG_DEF("add_note"));
	rig_pin(r, "notes", "wipe_notes", RIG_DEF("wipe_notes"));
	rig_pin(r, "wiki", "search", RIG_DEF("search"));
}

static inline void rig_sync(struct rig *r)
{
	const struct ipc_sessions_synced synced = {0};

	rig_send(r, RIG_VAULT, IPC_SESSIONS_SYNCED, &synced);
	r->synced = true;
}

static inline void rig_put_session(struct rig *r, const struct ipc_session_put *m)
{
	rig_send(r, RIG_VAULT, IPC_SESSION_PUT, m);
	if (r->synced)
		rig_taken(r);
}

static inline void rig_list_notes(struct rig *r)
{
	rig_tool(r, RIG_NOTES, 1, "list_notes", RIG_DEF("list_notes"));
	rig_tool(r, RIG_NOTES, 1, "add_note", RIG_DEF("add_note"));
	rig_tool(r, RIG_NOTES, 1, "wipe_notes", RIG_DEF("wipe_notes"));
	rig_tools_done(r, RIG_NOTES, 1, 3);
}

/* A broker of this configuration, without any connection. */
static inline struct rig *rig_new_with(const char *config)
{
	struct rig *r = calloc(1, sizeof(*r));
	char error[CONFIG_ERROR_MAX] = "";

	if (r == NULL || sodium_init() < 0)
		abort();
	if (config_parse("rig", config, strlen(config), &r->config, error) != KG_OK) {
		fprintf(stderr, "rig: %s\n", error);
		abort();
	}
	r->loop = loop_new();
	r->b = broker_new(r->loop, r->config, rig_want, r);
	for (int i = 0; i < RIG_PEERS; i++)
		r->fd[i] = -1;
	buf_init(&r->store, IPC_FRAME_MAX);
	token_make(r->token);
	memset(r->session, 0x5e, ID_LEN);
	return r;
}

static inline struct rig *rig_new(void)
{
	return rig_new_with(RIG_CONFIG);
}

/* Everybody there, the tools of both servers accepted and listed, one session of this tier for these tools. */
static inline struct rig *rig_ready_with(const char *config, uint8_t tier, const char *tools)
{
	struct rig *r = rig_new_with(config);
	struct ipc_session_put s = rig_session(r, tier, tools);

	for (int i = 0; i < RIG_PEERS; i++)
		if (i != RIG_OPAL && (i != RIG_PDP || r->config->policy.external.kind != PDP_NONE))
			rig_connect(r, i);
	rig_pin_all(r);
	rig_put_session(r, &s);
	rig_sync(r);
	rig_list_notes(r);
	rig_tool(r, RIG_WIKI, 7, "search", RIG_DEF("search"));
	rig_tools_done(r, RIG_WIKI, 7, 1);
	rig_pump(r);
	return r;
}

static inline struct rig *rig_ready(uint8_t tier, const char *tools)
{
	return rig_ready_with(RIG_CONFIG, tier, tools);
}

static inline void rig_free(struct rig *r)
{
	for (int i = 0; i < RIG_PEERS; i++)
		if (r->fd[i] >= 0)
			close(r->fd[i]);
	broker_free(r->b);
	loop_free(r->loop);
	config_free(r->config);
	buf_free(&r->store);
	free(r);
}

static inline struct ipc_request rig_request(const struct rig *r, uint64_t call, uint8_t era, uint8_t method)
{
	return (struct ipc_request){.call = call,
				    .era = era,
				    .method = method,
				    .version = ipc_text(era == ERA_MODERN ? "2026-07-28" : "2025-11-25"),
				    .token = ipc_text(r->token),
				    .rpc_id = ipc_text("1"),
				    .source = ipc_text("127.0.0.1:40000"),
				    .client = ipc_text("test 1.0"),
				    .args = ipc_text("{}"),
				    .meta = ipc_text("{}")};
}

/* A legacy client's initialize; its session id goes to out. */
static inline void rig_initialize(struct rig *r, char out[65])
{
	struct ipc_request q = rig_request(r, 1, ERA_LEGACY, MCP_INITIALIZE);
	const struct ipc_reply *m;

	out[0] = '\0';
	rig_send(r, RIG_FRONT, IPC_REQUEST, &q);
	m = rig_take(r, RIG_FRONT, IPC_REPLY);
	CHECK(m != NULL && m->kind == REPLY_RESULT && ipc_copy(m->mcp_session, out, 65) == KG_OK);
}

/* A modern tools/call. */
static inline void rig_call(struct rig *r, uint64_t call, const char *name, const char *args)
{
	struct ipc_request q = rig_request(r, call, ERA_MODERN, MCP_TOOLS_CALL);

	q.name = ipc_text(name);
	q.args = ipc_text(args);
	rig_send(r, RIG_FRONT, IPC_REQUEST, &q);
}

static inline void rig_receipt(struct rig *r, uint64_t call, uint8_t status, uint64_t seq)
{
	struct ipc_receipt m = {.call = call, .status = status, .seq = seq, .expires_ns = 99};

	memset(m.mac, 0xac, sizeof(m.mac));
	rig_send(r, RIG_RECORDER, IPC_RECEIPT, &m);
}

static inline void rig_attached(struct rig *r, uint64_t call, uint8_t status, const char *code, const char *reason)
{
	struct ipc_attached m = {.call = call,
				 .status = status,
				 .reason_code = ipc_text(code),
				 .reason = ipc_text(reason),
				 .sealed = ipc_text(status == GRANT_OK ? "sealed" : "")};

	rig_send(r, RIG_VAULT, IPC_ATTACHED, &m);
}

static inline void rig_result(struct rig *r, int peer, uint64_t call, uint8_t status, const char *body)
{
	struct ipc_result m = {.call = call, .status = status, .body = ipc_text(body)};

	rig_send(r, peer, IPC_RESULT, &m);
}

static inline void rig_recorded(struct rig *r, uint64_t call)
{
	struct ipc_recorded m = {.call = call, .seq = 1000};

	rig_send(r, RIG_RECORDER, IPC_RECORDED, &m);
}

/* Nothing is in flight, nothing is held. */
static inline bool rig_is_idle(const struct rig *r)
{
	return r->b->calls->used == 0 && r->b->calls->bytes == 0 && r->b->upstream[0].ncalls == 0 &&
	       r->b->upstream[1].ncalls == 0 && TAILQ_EMPTY(&r->b->calls->waiting) &&
	       TAILQ_EMPTY(&r->b->calls->deciding) && TAILQ_EMPTY(&r->b->calls->closing) && held_count(r->b->held) == 0;
}

#endif
