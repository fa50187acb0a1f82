/*
 * The role that asks, between a broker and a vault that a test plays at the other ends of socket pairs, and a
 * scripted decision point that it asks over a real connection of the loopback: all in one process and one loop.
 */
#ifndef TESTS_PDP_RIG_H
#define TESTS_PDP_RIG_H

#include <netinet/in.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/listener.h>
#include <sodium.h>

#include "common/kx.h"
#include "gatewayd/pdp/pdp.h"
#include "tests/unit/unit.h"

#define RIG_WAIT_MS 20000 /* a loaded machine takes its time */
#define RIG_SEEN_MAX 16384
#define PERMIT "{\"decision\":true}"
#define QUESTION "{\"subject\":{\"type\":\"identity\",\"id\":\"ann\"},\"x\":1.10}"

/* What the decision point does with a request. */
enum point_act {
	POINT_ANSWERS, /* with status, type and body */
	POINT_RAW,     /* with these bytes, then closes */
	POINT_CLOSES,  /* says nothing, closes */
	POINT_HANGS,   /* says nothing */
};

struct point {
	struct evconnlistener *listener;
	uint16_t port;
	enum point_act act;
	int status;
	const char *type;
	const char *body;
	size_t len; /* of body, 0: its text */
	unsigned connections, requests, open;
	bool deaf;               /* acts on any bytes */
	bool closes_after;       /* Connection: close with each answer */
	char seen[RIG_SEEN_MAX]; /* the last request, head and body */
	struct bufferevent *conn[256];
};

struct rig {
	struct pdp p;
	struct role role;
	struct point point;
	int broker, vault; /* our ends; -1: away */
	struct buf store;
	union ipc_any msg;
	uint64_t ask;
	uint8_t key[HASH_LEN];
};

static inline void point_close(struct point *s, struct bufferevent *b)
{
	for (unsigned i = 0; i < s->open; i++) {
		if (s->conn[i] != b)
			continue;
		s->conn[i] = s->conn[--s->open];
		bufferevent_free(b);
		return;
	}
}

static inline void point_closed(struct bufferevent *b, short what, void *arg)
{
	(void)what;
	point_close(arg, b);
}

static inline void point_written(struct bufferevent *b, void *arg)
{
	point_close(arg, b);
}

static inline void point_answer(struct point *s, struct bufferevent *b)
{
	size_t len = s->len != 0 ? s->len : strlen(s->body);

	if (s->act == POINT_HANGS)
		return;
	if (s->act == POINT_CLOSES) {
		point_close(s, b);
		return;
	}
	if (s->act == POINT_RAW) {
		bufferevent_write(b, s->body, len);
		bufferevent_setcb(b, NULL, point_written, point_closed, s);
		return;
	}
	evbuffer_add_printf(bufferevent_get_output(b),
			    "HTTP/1.1 %d Status\r\nContent-Type: %s\r\n%sContent-Length: %zu\r\n\r\n", s->status,
			    s->type, s->closes_after ? "Connection: close\r\n" : "", len);
	bufferevent_write(b, s->body, len);
}

/* Whole requests only: a head, and as many bytes as it says. */
static inline void point_readable(struct bufferevent *b, void *arg)
{
	struct evbuffer *in = bufferevent_get_input(b);
	struct point *s = arg;

	if (s->deaf) {
		evbuffer_drain(in, evbuffer_get_length(in));
		point_answer(s, b);
		return;
	}
	for (;;) {
		struct evbuffer_ptr end = evbuffer_search(in, "\r\n\r\n", 4, NULL);
		char head[4096];
		const char *length;
		size_t whole;

		if (end.pos < 0 || end.pos >= (ssize_t)sizeof(head) - 4)
			return;
		evbuffer_copyout(in, head, (size_t)end.pos + 4);
		head[end.pos + 4] = '\0';
		length = strstr(head, "Content-Length: ");
		whole = (size_t)end.pos + 4 + (length != NULL ? strtoul(length + 16, NULL, 10) : 0);
		if (evbuffer_get_length(in) < whole)
			return;
		memset(s->seen, 0, sizeof(s->seen));
		evbuffer_copyout(in, s->seen, whole < RIG_SEEN_MAX ? whole : RIG_SEEN_MAX - 1);
		evbuffer_drain(in, whole);
		s->requests++;
		point_answer(s, b);
		if (s->act == POINT_CLOSES)
			return;
	}
}

static inline void point_accepted(struct evconnlistener *l, evutil_socket_t fd, struct sockaddr *from, int len,
				  void *arg)
{
	struct point *s = arg;
	struct bufferevent *b;

	(void)from, (void)len;
	b = bufferevent_socket_new(evconnlistener_get_base(l), fd, BEV_OPT_CLOSE_ON_FREE);
	if (b == NULL || s->open == 256)
		abort();
	s->connections++;
	s->conn[s->open++] = b;
	bufferevent_setcb(b, point_readable, NULL, point_closed, s);
	bufferevent_enable(b, EV_READ | EV_WRITE);
}

/* port 0: any. */
static inline void point_start(struct rig *r, uint16_t port)
{
	struct sockaddr_in a = {
		.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(a);
	struct point *s = &r->point;

	s->listener = evconnlistener_new_bind(loop_base(r->role.loop), point_accepted, s,
					      LEV_OPT_CLOSE_ON_FREE | LEV_OPT_REUSEABLE, 128, (struct sockaddr *)&a,
					      sizeof(a));
	if (s->listener == NULL || getsockname(evconnlistener_get_fd(s->listener), (struct sockaddr *)&a, &len) != 0)
		abort();
	s->port = ntohs(a.sin_port);
}

static inline void point_stop(struct point *s)
{
	if (s->listener != NULL)
		evconnlistener_free(s->listener);
	s->listener = NULL;
	while (s->open > 0)
		point_close(s, s->conn[0]);
}

static inline void rig_pair(int pair[2])
{
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) != 0)
		abort();
}

static inline void rig_broker(struct rig *r)
{
	int pair[2];

	rig_pair(pair);
	r->broker = pair[0];
	links_peer(&r->role, IPC_ROLE_BROKER, 0, "", pair[1]);
}

/* external: members of policy.external; %u, at most twice, stands for the decision point's port. */
static inline struct rig *rig_new(const char *external)
{
	struct rig *r = calloc(1, sizeof(*r));
	char error[CONFIG_ERROR_MAX] = "", members[1024], text[2048];
	static bool begun;

	if (r == NULL || sodium_init() < 0)
		abort();
	if (!begun)
		http_global_init();
	begun = true;
	r->broker = r->vault = -1;
	r->role.loop = loop_new();
	r->role.arg = &r->p;
	r->point = (struct point){.status = 200, .type = "application/json", .body = PERMIT};
	buf_init(&r->store, IPC_FRAME_MAX);
	point_start(r, 0);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	snprintf(members, sizeof(members), external, r->point.port, r->point.port);
#pragma GCC diagnostic pop
	snprintf(text, sizeof(text), "{\"mcpServers\":{\"s\":{\"command\":\"a\"}},\"policy\":{\"external\":{%s}}}",
		 members);
	if (config_parse("rig", text, strlen(text), &r->role.config, error) != KG_OK) {
		fprintf(stderr, "rig: %s\n", error);
		abort();
	}
	pdp_init(&r->p, &r->role);
	rig_broker(r);
	return r;
}

static inline void rig_stop_loop(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what;
	loop_stop(arg);
}

/* Turns the loop so long. */
static inline void rig_pump(struct rig *r, unsigned ms)
{
	struct timeval tv = {ms / 1000, (suseconds_t)(ms % 1000) * 1000};

	(void)event_base_once(loop_base(r->role.loop), -1, EV_TIMEOUT, rig_stop_loop, r->role.loop, &tv);
	loop_run(r->role.loop);
}

static inline void rig_free(struct rig *r)
{
	point_stop(&r->point);
	if (r->broker >= 0)
		close(r->broker);
	if (r->vault >= 0)
		close(r->vault);
	pdp_free(&r->p);
	loop_free(r->role.loop);
	config_free(r->role.config);
	buf_free(&r->store);
	free(r);
}

/* The next message on one of our ends when it is of this type; NULL when another, or none, comes. Good until the next.
 */
static inline const void *rig_take(struct rig *r, int end, enum ipc_type type, unsigned ms)
{
	unsigned long long until = loop_now_ns() + ms * 1000000ull;
	struct pollfd p = {end, POLLIN, 0};
	enum ipc_type got;
	int fd;

	while (poll(&p, 1, 0) != 1 && loop_now_ns() < until)
		rig_pump(r, 1);
	buf_free(&r->store);
	if (poll(&p, 1, 0) != 1 || ipc_read_blocking(end, 100, &r->store, &got, &r->msg, &fd) != KG_OK)
		return NULL;
	return got == type ? &r->msg : NULL;
}

static inline void rig_send(int end, enum ipc_type type, const void *msg)
{
	if (ipc_write_blocking(end, type, msg, -1) != KG_OK)
		fprintf(stderr, "rig: message %d cannot be sent\n", (int)type);
}

static inline uint64_t rig_ask_text(struct rig *r, const char *question)
{
	struct ipc_pdp_ask m = {.ask = ++r->ask, .request = ipc_text(question)};

	rig_send(r->broker, IPC_PDP_ASK, &m);
	return m.ask;
}

/* Asks, and takes the answer to it. */
static inline const struct ipc_pdp_answer *rig_ask(struct rig *r)
{
	uint64_t id = rig_ask_text(r, QUESTION);
	const struct ipc_pdp_answer *a = rig_take(r, r->broker, IPC_PDP_ANSWER, RIG_WAIT_MS);

	CHECK(a != NULL && a->ask == id);
	return a;
}

static inline bool rig_permits(struct rig *r)
{
	const struct ipc_pdp_answer *a = rig_ask(r);

	return a != NULL && a->decision == DECISION_ALLOW && a->reason_code.n == 0;
}

/* Whether it is denied with this code, and a reason that holds this text. */
static inline bool rig_denies(struct rig *r, const char *code, const char *reason)
{
	const struct ipc_pdp_answer *a = rig_ask(r);
	bool right = a != NULL && a->decision == DECISION_DENY && ipc_is(a->reason_code, code) &&
		     memmem(a->reason.p, a->reason.n, reason, strlen(reason)) != NULL;

	if (!right && a != NULL)
		fprintf(stderr, "%d %.*s: %.*s\n", a->decision, (int)a->reason_code.n, (const char *)a->reason_code.p,
			(int)a->reason.n, (const char *)a->reason.p);
	return right;
}

static inline void rig_vault(struct rig *r)
{
	int pair[2];

	rig_pair(pair);
	r->vault = pair[0];
	links_peer(&r->role, IPC_ROLE_VAULT, 0, "", pair[1]);
}

/* The vault's half of the agreement. */
static inline void rig_agree(struct rig *r)
{
	const struct ipc_upstream_key *m = rig_take(r, r->vault, IPC_UPSTREAM_KEY, RIG_WAIT_MS);
	struct ipc_upstream_keyed keyed = {0};
	uint8_t secret[KX_LEN];

	CHECK(m != NULL);
	if (m == NULL)
		return;
	upstream_key_pair(keyed.public_key, secret);
	CHECK(upstream_key_agree(true, secret, keyed.public_key, m->public_key, r->key) == 0);
	rig_send(r->vault, IPC_UPSTREAM_KEYED, &keyed);
}

/* Answers a SELF_ATTACH that must be there with this header line, sealed for another destination when one is given. */
static inline void rig_attach(struct rig *r, uint8_t kind, const char *slot, const char *value, const char *destination)
{
	const struct ipc_self_attach *m = rig_take(r, r->vault, IPC_SELF_ATTACH, RIG_WAIT_MS);
	static const uint8_t no_session[ID_LEN];
	struct ipc_self_attached reply = {.status = GRANT_OK};
	uint8_t nothing[HASH_LEN], digest[HASH_LEN];
	struct credential_set *set = credentials_new();
	struct call_id id = {.session = no_session,
			     .upstream = "policy",
			     .method = SELF_CONNECT,
			     .name = {"", 0},
			     .args_sha256 = nothing,
			     .meta_sha256 = nothing};
	struct buf sealed;
	char *place;

	CHECK(m != NULL && m->method == SELF_CONNECT);
	if (m == NULL)
		return;
	id.txn = m->txn;
	sha256("", 0, nothing);
	call_digest(&id, digest);
	buf_init(&sealed, 32768);
	CHECK(credentials_add(set, kind, slot, strlen(value), &place) == 0);
	memcpy(place, value, strlen(value));
	CHECK(credentials_seal(r->key, digest, destination != NULL ? destination : r->p.config->link.destination,
			       loop_now_ns() + SEAL_TTL_NS, set, &sealed) == 0);
	reply.call = m->call;
	reply.sealed = ipc_mem(buf_ptr(&sealed), buf_len(&sealed));
	rig_send(r->vault, IPC_SELF_ATTACHED, &reply);
	credentials_free(set);
	buf_free(&sealed);
}

#endif
