/*
 * A role that asks others by HTTP, between who makes it ask and a vault, which a test plays at the other ends of socket
 * pairs, and a stand-in for whom it asks, over a real connection of the loopback: all in one process and one loop.
 *
 * Who includes this says: RIG_ROLE, the struct of the role; RIG_FREE and RIG_PEER, its functions; RIG_ASKER, the role
 * that makes it ask; RIG_LINK, the name of its link to the vault; RIG_UPSTREAM and RIG_METHOD, what it attaches for.
 */
#ifndef TESTS_OUTBOUND_RIG_H
#define TESTS_OUTBOUND_RIG_H

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <jansson.h>
#include <sodium.h>

#include "common/call.h"
#include "common/config.h"
#include "common/kx.h"
#include "common/outbound/http.h"
#include "common/role.h"
#include "tests/unit/stand_in.h"
#include "tests/unit/unit.h"

#define RIG_WAIT_MS 20000 /* a loaded machine takes its time */

struct rig {
	RIG_ROLE p;
	struct role role;
	struct stand stand;
	int asker, vault; /* our ends; -1: away */
	struct buf store;
	union ipc_any msg;
	uint64_t last; /* number of what it was asked for */
	uint8_t key[HASH_LEN];
	json_t *json; /* of the last request's body */
};

static inline void rig_pair(int pair[2])
{
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) != 0)
		abort();
}

static inline void rig_asker(struct rig *r)
{
	int pair[2];

	rig_pair(pair);
	r->asker = pair[0];
	RIG_PEER(&r->role, RIG_ASKER, 0, "", pair[1]);
}

static inline void rig_vault(struct rig *r)
{
	int pair[2];

	rig_pair(pair);
	r->vault = pair[0];
	RIG_PEER(&r->role, IPC_ROLE_VAULT, 0, RIG_LINK, pair[1]);
}

/* members: where each %u stands for the port, at most twice; around: the configuration, where %s stands for them. */
static inline struct config *rig_config(const char *around, const char *members, unsigned port)
{
	char error[CONFIG_ERROR_MAX] = "", inside[1024], text[2048];
	struct config *c = NULL;

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	snprintf(inside, sizeof(inside), members, port, port);
	snprintf(text, sizeof(text), around, inside);
#pragma GCC diagnostic pop
	if (config_parse("rig", text, strlen(text), &c, error) != KG_OK) {
		fprintf(stderr, "rig: %s\n", error);
		abort();
	}
	return c;
}

/* With its stand-in, and a configuration as above; the role is not yet made. */
static inline struct rig *rig_begin(const char *around, const char *members)
{
	struct rig *r = calloc(1, sizeof(*r));
	static bool begun;

	if (r == NULL || sodium_init() < 0)
		abort();
	if (!begun)
		http_global_init();
	begun = true;
	r->asker = r->vault = -1;
	r->role.loop = loop_new();
	r->role.arg = &r->p;
	r->stand = (struct stand){.status = 200, .extra = "", .body = ""};
	buf_init(&r->store, IPC_FRAME_MAX);
	stand_start(&r->stand, r->role.loop, 0);
	r->role.config = rig_config(around, members, r->stand.port);
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
	if (r->asker >= 0)
		close(r->asker);
	if (r->vault >= 0)
		close(r->vault);
	RIG_FREE(&r->p);
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

/* What the vault has for the role. */
struct rig_secret {
	uint8_t kind; /* CRED_* */
	const char *slot, *value;
	const char *destination; /* that it is sealed for */
};

/* Answers a SELF_ATTACH that must be there. */
static inline void rig_give(struct rig *r, const struct rig_secret *s)
{
	const struct ipc_self_attach *m = rig_take(r, r->vault, IPC_SELF_ATTACH, RIG_WAIT_MS);
	static const uint8_t no_session[ID_LEN];
	struct ipc_self_attached reply = {.status = GRANT_OK};
	uint8_t nothing[HASH_LEN], digest[HASH_LEN];
	struct credential_set *set = credentials_new();
	struct call_id id = {.session = no_session,
			     .upstream = RIG_UPSTREAM,
			     .method = RIG_METHOD,
			     .name = {"", 0},
			     .args_sha256 = nothing,
			     .meta_sha256 = nothing};
	struct buf sealed;
	char *place;

	CHECK(m != NULL && m->method == RIG_METHOD);
	if (m == NULL) {
		credentials_free(set);
		return;
	}
	id.txn = m->txn;
	sha256("", 0, nothing);
	call_digest(&id, digest);
	buf_init(&sealed, 32768);
	CHECK(credentials_add(set, s->kind, s->slot, strlen(s->value), &place) == 0);
	memcpy(place, s->value, strlen(s->value));
	CHECK(credentials_seal(r->key, digest, s->destination, loop_now_ns() + SEAL_TTL_NS, set, &sealed) == 0);
	reply.call = m->call;
	reply.sealed = ipc_mem(buf_ptr(&sealed), buf_len(&sealed));
	rig_send(r->vault, IPC_SELF_ATTACHED, &reply);
	credentials_free(set);
	buf_free(&sealed);
}

static inline bool seen(const struct rig *r, const char *text)
{
	return strstr(r->stand.seen, text) != NULL;
}

#endif
