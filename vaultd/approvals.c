#include "vaultd/approvals.h"

#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "common/log.h"
#include "vaultd/acts.h"
#include "vaultd/admin.h"
#include "vaultd/chores.h"

#define ROOM_FOR_OTHERS 24 /* acts */

struct approvals {
	struct approval *first; /* newest first */
	size_t n, bytes;
};

struct approvals *approvals_new(void)
{
	struct approvals *a = calloc(1, sizeof(*a));

	if (a == NULL)
		log_fatal(KG_EXIT_FAILURE, "approvals: out of memory");
	return a;
}

void approval_wipe(struct approval *x)
{
	sodium_free(x->args); /* wipes */
	x->args = NULL;
	x->args_len = 0;
}

static void approval_free(struct approval *x)
{
	approval_wipe(x);
	sodium_memzero(x, sizeof(*x));
	free(x);
}

void approvals_free(struct approvals *a)
{
	if (a == NULL)
		return;
	while (a->first != NULL) {
		struct approval *x = a->first;

		a->first = x->next;
		approval_free(x);
	}
	free(a);
}

struct approval *approvals_find(const struct approvals *a, const uint8_t id[ID_LEN])
{
	for (struct approval *x = a->first; x != NULL; x = x->next)
		if (sodium_memcmp(x->id, id, ID_LEN) == 0)
			return x;
	return NULL;
}

int approvals_each(const struct approvals *a, int (*fn)(struct approval *x, void *arg), void *arg)
{
	for (struct approval *x = a->first; x != NULL; x = x->next) {
		int r = fn(x, arg);

		if (r != KG_OK)
			return r;
	}
	return KG_OK;
}

static bool is_live(const struct approval *x)
{
	return x->state == APPROVAL_PENDING || x->state == APPROVAL_APPROVED;
}

bool approval_is_for(const struct approval *x, const struct approval_call *c)
{
	return sodium_memcmp(x->session, c->session->id, ID_LEN) == 0 && x->upstream == c->upstream &&
	       strcmp(x->tool, c->tool) == 0 && sodium_memcmp(x->args_sha256, c->args_sha256, HASH_LEN) == 0 &&
	       sodium_memcmp(x->def_sha256, c->def_sha256, HASH_LEN) == 0;
}

struct approval *approvals_same(const struct approvals *a, const struct approval_call *c)
{
	for (struct approval *x = a->first; x != NULL; x = x->next)
		if ((is_live(x) || x->state == APPROVAL_DENIED) && approval_is_for(x, c))
			return x;
	return NULL;
}

void approvals_drop(struct approvals *a, struct approval *gone)
{
	struct approval **at = &a->first;

	while (*at != gone)
		at = &(*at)->next;
	*at = gone->next;
	a->n--;
	approval_free(gone);
}

/* Whether a place is free, after the oldest that has ended was forgotten if need be. */
static bool make_room(struct approvals *a)
{
	struct approval *oldest = NULL;

	if (a->n < APPROVALS_MAX)
		return true;
	for (struct approval *x = a->first; x != NULL; x = x->next)
		if (!is_live(x) && !x->untold)
			oldest = x;
	if (oldest != NULL)
		approvals_drop(a, oldest);
	return oldest != NULL;
}

static bool fits(const struct approvals *a, const struct session *session, size_t len)
{
	size_t mine = 0, bytes = len;

	for (const struct approval *x = a->first; x != NULL; x = x->next) {
		mine += is_live(x) && sodium_memcmp(x->session, session->id, ID_LEN) == 0;
		bytes += x->args_len;
	}
	return mine < APPROVALS_PER_SESSION && bytes <= APPROVALS_BYTES_MAX;
}

int approvals_make(struct approvals *a, const struct approval_call *c, const void *args, size_t len,
		   struct approval **out)
{
	struct approval *x;

	if (len > APPROVALS_ARGS_MAX || !fits(a, c->session, len) || !make_room(a))
		return KG_E_LIMIT;
	x = calloc(1, sizeof(*x));
	if (x == NULL)
		return KG_E_NOMEM;
	x->args = sodium_malloc(len + 1); /* never in a swap file or a core dump */
	if (x->args == NULL) {
		free(x);
		return KG_E_NOMEM;
	}
	memcpy(x->args, args, len);
	x->args[len] = '\0';
	x->args_len = len;
	randombytes_buf(x->id, ID_LEN);
	memcpy(x->session, c->session->id, ID_LEN);
	memcpy(x->consent, c->session->consent, ID_LEN);
	memcpy(x->args_sha256, c->args_sha256, HASH_LEN);
	memcpy(x->def_sha256, c->def_sha256, HASH_LEN);
	memcpy(x->tool, c->tool, strnlen(c->tool, TOOL_NAME_MAX));
	x->upstream = c->upstream;
	x->state = APPROVAL_PENDING;
	x->next = a->first;
	a->first = x;
	a->n++;
	*out = x;
	return KG_OK;
}

static void send_one(struct peer *p, const struct approval *x)
{
	struct ipc_approval_put m = {.upstream = ipc_text(x->upstream->server->name),
				     .name = ipc_text(x->tool),
				     .state = x->state,
				     .mfa = x->mfa,
				     .expires_unix = x->expires,
				     .approver = ipc_text(x->approver),
				     .note = ipc_text(x->note)};

	memcpy(m.approval, x->id, ID_LEN);
	memcpy(m.session, x->session, ID_LEN);
	memcpy(m.args_sha256, x->args_sha256, HASH_LEN);
	memcpy(m.def_sha256, x->def_sha256, HASH_LEN);
	ipc_send(p->conn, IPC_APPROVAL_PUT, &m);
}

void approvals_push(struct vault *v, const struct approval *x)
{
	for (struct peer *p = v->peers; p != NULL; p = p->next)
		if (p->role == IPC_ROLE_BROKER && x->recorded) {
			p->pushed++;
			send_one(p, x);
		}
}

void approvals_send(struct peer *broker)
{
	for (struct approval *x = broker->vault->approvals->first; x != NULL; x = x->next)
		if (is_live(x) && x->recorded && x->expires > broker->vault->wall())
			send_one(broker, x);
}

void approval_expire(struct vault *v, struct approval *x)
{
	x->untold = is_live(x); /* a denial is on record already */
	x->state = APPROVAL_EXPIRED;
	approval_wipe(x);
	approvals_push(v, x);
	chores_want(v);
}

void approvals_session_ended(struct vault *v, const uint8_t session[ID_LEN])
{
	for (struct approval *x = v->approvals->first; x != NULL; x = x->next)
		if (is_live(x) && x->recorded && sodium_memcmp(x->session, session, ID_LEN) == 0)
			approval_expire(v, x);
}

static json_t *expired_members(const struct approval *x)
{
	char id[ID_HEX_LEN + 1], session[ID_HEX_LEN + 1];

	id_hex(x->id, id);
	id_hex(x->session, session);
	return json_pack("{s:s, s:s, s:s, s:s, s:b}", "approval", id, "session", session, "server",
			 x->upstream->server->name, "tool", x->tool, "approved", x->approver[0] != '\0');
}

/* While the recorder is away or has much to do it stays to be told. */
static void tell_expired(struct vault *v, struct approval *x)
{
	if (peer_find(v, IPC_ROLE_RECORDER) == NULL || acts_room(v) <= ROOM_FOR_OTHERS)
		return;
	if (act_note(v, "approval.expired", expired_members(x)) == KG_OK)
		x->untold = false;
}

bool approvals_tick(struct vault *v)
{
	bool alive = false;

	for (struct approval *x = v->approvals->first; x != NULL; x = x->next) {
		if (x->recorded && (is_live(x) || x->state == APPROVAL_DENIED) && x->expires <= v->wall())
			approval_expire(v, x);
		if (x->untold)
			tell_expired(v, x);
		alive = alive || is_live(x) || x->state == APPROVAL_DENIED || x->untold;
	}
	return alive;
}

void approvals_peer_gone(struct peer *gone)
{
	for (struct approval *x = gone->vault->approvals->first; x != NULL; x = x->next)
		for (size_t i = 0; i < APPROVAL_WAITERS; i++)
			if (x->waiter[i].peer == gone)
				x->waiter[i].peer = NULL;
}
