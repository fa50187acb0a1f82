/*
 * The role that pages, between a recorder and a vault that a test plays at the other ends of socket pairs, and a
 * stand-in for a provider that it reaches over a real connection of the loopback: all in one process and one loop.
 */
#ifndef TESTS_PAGER_RIG_H
#define TESTS_PAGER_RIG_H

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
#include <jansson.h>
#include <sodium.h>

#include "common/kx.h"
#include "guardiand/pager/pager.h"
#include "tests/unit/unit.h"

#define RIG_WAIT_MS 20000 /* a loaded machine takes its time */
#define RIG_TIMEOUT_MS 1500
#define RIG_SEEN_MAX 65536

/* What the provider does with a request. */
enum stand_act {
	STAND_ANSWERS, /* with status, extra header lines and body */
	STAND_RAW,     /* with these bytes, then closes */
	STAND_HANGS,   /* says nothing */
};

struct stand {
	struct evconnlistener *listener;
	uint16_t port;
	enum stand_act act;
	int status;
	const char *extra; /* header lines, each with its CRLF */
	const char *body;
	unsigned connections, requests, open;
	char seen[RIG_SEEN_MAX]; /* the last request, head and body */
	struct bufferevent *conn[64];
};

struct rig {
	struct pager p;
	struct role role;
	struct stand stand;
	int recorder, vault; /* our ends; -1: away */
	struct buf store;
	union ipc_any msg;
	uint64_t page;
	uint8_t key[HASH_LEN];
	json_t *json; /* of the last request's body */
};

static inline void stand_close(struct stand *s, struct bufferevent *b)
{
	for (unsigned i = 0; i < s->open; i++) {
		if (s->conn[i] != b)
			continue;
		s->conn[i] = s->conn[--s->open];
		bufferevent_free(b);
		return;
	}
}

static inline void stand_closed(struct bufferevent *b, short what, void *arg)
{
	(void)what;
	stand_close(arg, b);
}

static inline void stand_written(struct bufferevent *b, void *arg)
{
	stand_close(arg, b);
}

static inline void stand_answer(struct stand *s, struct bufferevent *b)
{
	if (s->act == STAND_HANGS)
		return;
	if (s->act == STAND_RAW) {
		bufferevent_write(b, s->body, strlen(s->body));
		bufferevent_setcb(b, NULL, stand_written, stand_closed, s);
		return;
	}
	evbuffer_add_printf(bufferevent_get_output(b), "HTTP/1.1 %d Status\r\n%sContent-Length: %zu\r\n\r\n%s",
			    s->status, s->extra, strlen(s->body), s->body);
}

/* Whole requests only: a head, and as many bytes as it says. */
static inline void stand_readable(struct bufferevent *b, void *arg)
{
	struct evbuffer *in = bufferevent_get_input(b);
	struct stand *s = arg;

	for (;;) {
		struct evbuffer_ptr end = evbuffer_search(in, "\r\n\r\n", 4, NULL);
		char head[8192];
		const char *length;
		size_t whole;

		if (end.pos < 0 || end.pos >= (ssize_t)sizeof(head) - 5)
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
		stand_answer(s, b);
		if (s->act == STAND_RAW)
			return;
	}
}

static inline void stand_accepted(struct evconnlistener *l, evutil_socket_t fd, struct sockaddr *from, int len,
				  void *arg)
{
	struct stand *s = arg;
	struct bufferevent *b;

	(void)from, (void)len;
	b = bufferevent_socket_new(evconnlistener_get_base(l), fd, BEV_OPT_CLOSE_ON_FREE);
	if (b == NULL || s->open == 64)
		abort();
	s->connections++;
	s->conn[s->open++] = b;
	bufferevent_setcb(b, stand_readable, NULL, stand_closed, s);
	bufferevent_enable(b, EV_READ | EV_WRITE);
}

static inline void stand_start(struct rig *r, uint16_t port)
{
	struct sockaddr_in a = {
		.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(a);
	struct stand *s = &r->stand;

	s->listener = evconnlistener_new_bind(loop_base(r->role.loop), stand_accepted, s,
					      LEV_OPT_CLOSE_ON_FREE | LEV_OPT_REUSEABLE, 128, (struct sockaddr *)&a,
					      sizeof(a));
	if (s->listener == NULL || getsockname(evconnlistener_get_fd(s->listener), (struct sockaddr *)&a, &len) != 0)
		abort();
	s->port = ntohs(a.sin_port);
}

static inline void stand_stop(struct stand *s)
{
	if (s->listener != NULL)
		evconnlistener_free(s->listener);
	s->listener = NULL;
	while (s->open > 0)
		stand_close(s, s->conn[0]);
}

static inline void rig_pair(int pair[2])
{
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) != 0)
		abort();
}

static inline void rig_recorder(struct rig *r)
{
	int pair[2];

	rig_pair(pair);
	r->recorder = pair[0];
	pager_peer(&r->role, IPC_ROLE_RECORDER, 0, "", pair[1]);
}

static inline struct config *rig_config(const char *channel, uint16_t port)
{
	char error[CONFIG_ERROR_MAX] = "", members[1024], text[2048];
	struct config *c = NULL;

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	snprintf(members, sizeof(members), channel, port);
#pragma GCC diagnostic pop
	snprintf(text, sizeof(text),
		 "{\"origin\":\"gw1.example.com/audit\",\"mcpServers\":{\"s\":{\"command\":\"a\"}},\"guardian\":{"
		 "\"console_url\":\"https://console.example\",\"channels\":{\"ch\":{%s}}}}",
		 members);
	if (config_parse("rig", text, strlen(text), &c, error) != KG_OK) {
		fprintf(stderr, "rig: %s\n", error);
		abort();
	}
	return c;
}

/* channel: the members of the channel "ch"; %u stands for the provider's port. */
static inline struct rig *rig_new(const char *channel)
{
	struct rig *r = calloc(1, sizeof(*r));
	static bool begun;

	if (r == NULL || sodium_init() < 0)
		abort();
	if (!begun)
		http_global_init();
	begun = true;
	r->recorder = r->vault = -1;
	r->role.loop = loop_new();
	r->role.arg = &r->p;
	r->stand = (struct stand){.status = 200, .extra = "", .body = ""};
	buf_init(&r->store, IPC_FRAME_MAX);
	stand_start(r, 0);
	r->role.config = rig_config(channel, r->stand.port);
	pager_init(&r->p, &r->role, RIG_TIMEOUT_MS);
	rig_recorder(r);
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
	stand_stop(&r->stand);
	if (r->recorder >= 0)
		close(r->recorder);
	if (r->vault >= 0)
		close(r->vault);
	pager_free(&r->p);
	loop_free(r->role.loop);
	config_free(r->role.config);
	buf_free(&r->store);
	json_decref(r->json);
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

/* A page as the recorder would send it; a test changes what it wants. */
static inline struct ipc_page rig_page(struct rig *r, uint8_t action)
{
	return (struct ipc_page){
		.page = ++r->page,
		.channel = ipc_text("ch"),
		.action = action,
		.dedup = ipc_text("keepgate:gw1.example.com/audit:i-42"),
		.incident = ipc_text("i-42"),
		.severity = 3,
		.ts_us = 1795255200119000ull,
		.title = ipc_text("Denial spike: agent-42, 31 of 40 calls denied"),
		.text = ipc_text("31 of 40 calls denied in 60 s.\nThe session is paused."),
		.details =
			ipc_text("{\"agent\":\"agent-42\",\"denied\":31,\"rule\":\"denial_spike\",\"seqs\":[1,40]}")};
}

static inline const struct ipc_paged *rig_paged(struct rig *r)
{
	const struct ipc_paged *m = rig_take(r, r->recorder, IPC_PAGED, RIG_WAIT_MS);

	CHECK(m != NULL && m->page == r->page);
	return m;
}

static inline void rig_vault(struct rig *r)
{
	int pair[2];

	rig_pair(pair);
	r->vault = pair[0];
	pager_peer(&r->role, IPC_ROLE_VAULT, 0, "pager-ch", pair[1]);
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

/* Answers a SELF_ATTACH that must be there with this secret, sealed for another destination when one is given. */
static inline void rig_attach(struct rig *r, const char *secret, const char *destination)
{
	const struct ipc_self_attach *m = rig_take(r, r->vault, IPC_SELF_ATTACH, RIG_WAIT_MS);
	static const uint8_t no_session[ID_LEN];
	struct ipc_self_attached reply = {.status = GRANT_OK};
	uint8_t nothing[HASH_LEN], digest[HASH_LEN];
	struct credential_set *set = credentials_new();
	struct call_id id = {.session = no_session,
			     .upstream = "pager-ch",
			     .method = SELF_SPAWN,
			     .name = {"", 0},
			     .args_sha256 = nothing,
			     .meta_sha256 = nothing};
	struct buf sealed;
	char *place;

	CHECK(m != NULL && m->method == SELF_SPAWN);
	if (m == NULL) {
		credentials_free(set);
		return;
	}
	id.txn = m->txn;
	sha256("", 0, nothing);
	call_digest(&id, digest);
	buf_init(&sealed, 32768);
	CHECK(credentials_add(set, CRED_ENV, "secret", strlen(secret), &place) == 0);
	memcpy(place, secret, strlen(secret));
	CHECK(credentials_seal(r->key, digest,
			       destination != NULL ? destination : r->p.channels[0].config->link.destination,
			       loop_now_ns() + SEAL_TTL_NS, set, &sealed) == 0);
	reply.call = m->call;
	reply.sealed = ipc_mem(buf_ptr(&sealed), buf_len(&sealed));
	rig_send(r->vault, IPC_SELF_ATTACHED, &reply);
	credentials_free(set);
	buf_free(&sealed);
}

/* Sends a page; where the channel has a secret (not NULL), the vault gives it. */
static inline const struct ipc_paged *rig_deliver(struct rig *r, const struct ipc_page *m, const char *secret)
{
	rig_send(r->recorder, IPC_PAGE, m);
	if (secret != NULL) {
		if (r->vault < 0) {
			rig_vault(r);
			rig_agree(r);
		}
		rig_attach(r, secret, NULL);
	}
	return rig_paged(r);
}

static inline bool rig_ends(struct rig *r, uint8_t action, const char *secret, uint8_t result)
{
	struct ipc_page m = rig_page(r, action);
	const struct ipc_paged *a = rig_deliver(r, &m, secret);

	if (a != NULL && a->result != result)
		fprintf(stderr, "  %u %u: %.*s\n", a->result, a->status, (int)a->detail.n, (const char *)a->detail.p);
	return a != NULL && a->result == result;
}

static inline bool seen(const struct rig *r, const char *text)
{
	return strstr(r->stand.seen, text) != NULL;
}

/* The body of the last request; borrowed until the next. */
static inline const json_t *seen_json(struct rig *r)
{
	const char *body = strstr(r->stand.seen, "\r\n\r\n");

	json_decref(r->json);
	r->json = body == NULL ? NULL : json_loads(body + 4, JSON_REJECT_DUPLICATES, NULL);
	CHECK(r->json != NULL);
	return r->json;
}

/* A member by its path, "payload.severity"; "" when it is no string. */
static inline const char *text_at(const json_t *value, const char *path)
{
	char name[64];

	while (*path != '\0' && value != NULL) {
		size_t n = strcspn(path, ".");

		snprintf(name, sizeof(name), "%.*s", (int)n, path);
		value = json_is_array(value) ? json_array_get(value, strtoul(name, NULL, 10))
					     : json_object_get(value, name);
		path += n + (path[n] == '.');
	}
	return json_is_string(value) ? json_string_value(value) : "";
}

/*
 * What each provider over HTTP has in common: how statuses end, and what no answer is. ok: the body of a success,
 * sent with ok_status.
 */
static inline void rig_statuses(struct rig *r, const char *secret, int ok_status, const char *ok)
{
	static const struct {
		int status;
		uint8_t result;
	} v[] = {{400, PAGED_PERMANENT}, {401, PAGED_PERMANENT}, {403, PAGED_PERMANENT}, {404, PAGED_PERMANENT},
		 {413, PAGED_PERMANENT}, {301, PAGED_PERMANENT}, {307, PAGED_PERMANENT}, {408, PAGED_RETRY},
		 {500, PAGED_RETRY},     {502, PAGED_RETRY},     {503, PAGED_RETRY}};
	const char *end = "keeps going";
	uint8_t action = r->p.channels[0].config->kind == CHANNEL_HEARTBEAT ? PAGE_TEST : PAGE_TRIGGER;

	r->stand.act = STAND_ANSWERS;
	r->stand.extra = "Location: /elsewhere\r\n";
	r->stand.body = end;
	for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		unsigned before = r->stand.requests;

		r->p.channels[0].tokens = 3; /* time has passed */
		r->stand.status = v[i].status;
		CHECK(rig_ends(r, action, secret, v[i].result));
		/* It follows nobody. */
		CHECK(r->stand.requests == before + 1 && !seen(r, "/elsewhere"));
	}
	r->stand.extra = "";
	r->stand.status = ok_status;
	r->stand.body = ok;
	r->p.channels[0].tokens = 3;
	CHECK(rig_ends(r, action, secret, PAGED_OK));
}

/* 429 with both forms of Retry-After, and without. */
static inline void rig_throttled(struct rig *r, const char *secret)
{
	const struct ipc_paged *a;
	struct ipc_page m;
	char line[96];
	time_t later = time(NULL) + 90;
	struct tm tm;

	r->stand.act = STAND_ANSWERS;
	r->stand.status = 429;
	r->stand.body = "slow down";
	r->stand.extra = "retry-after:  17 \r\n";
	r->p.channels[0].tokens = 9;
	m = rig_page(r, PAGE_TRIGGER);
	a = rig_deliver(r, &m, secret);
	CHECK(a != NULL && a->result == PAGED_RETRY && a->retry_after_s == 17 && a->status == 429);
	gmtime_r(&later, &tm);
	strftime(line, sizeof(line), "Retry-After: %a, %d %b %Y %H:%M:%S GMT\r\n", &tm);
	r->stand.extra = line;
	m = rig_page(r, PAGE_TRIGGER);
	a = rig_deliver(r, &m, secret);
	CHECK(a != NULL && a->result == PAGED_RETRY && a->retry_after_s > 60 && a->retry_after_s <= 90);
	r->stand.extra = "";
	m = rig_page(r, PAGE_TRIGGER);
	a = rig_deliver(r, &m, secret);
	CHECK(a != NULL && a->result == PAGED_RETRY && a->retry_after_s == 0);
	r->stand.extra = "";
	r->stand.body = "";
}

/* Silence, half an answer, no answer, nobody there. */
static inline void rig_breaks(struct rig *r, const char *secret, int ok_status)
{
	char half[256];
	uint16_t port = r->stand.port;

	snprintf(half, sizeof(half), "HTTP/1.1 %d Accepted\r\nContent-Length: 500\r\n\r\n{\"status\":\"succ",
		 ok_status);
	r->p.channels[0].tokens = 9;
	r->stand.act = STAND_RAW;
	r->stand.body = half;
	CHECK(rig_ends(r, PAGE_TRIGGER, secret, PAGED_RETRY));
	r->stand.body = "HTTP/1.1 20";
	CHECK(rig_ends(r, PAGE_TRIGGER, secret, PAGED_RETRY));
	r->stand.body = "";
	CHECK(rig_ends(r, PAGE_TRIGGER, secret, PAGED_RETRY));
	r->stand.act = STAND_HANGS;
	CHECK(rig_ends(r, PAGE_TRIGGER, secret, PAGED_RETRY));
	stand_stop(&r->stand);
	CHECK(rig_ends(r, PAGE_TRIGGER, secret, PAGED_RETRY));
	stand_start(r, port);
	r->stand.act = STAND_ANSWERS;
}

#endif
