#include "gatewayd/broker/approvals.h"

#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "common/log.h"

#define BUCKETS 256u

LIST_HEAD(approval_list, approval);

struct approvals {
	struct approval_list by_args[BUCKETS], by_id[BUCKETS];
	size_t count;
	uint64_t round;
};

struct approvals *approvals_new(void)
{
	struct approvals *t = calloc(1, sizeof(*t));

	if (t == NULL)
		log_fatal(KG_EXIT_FAILURE, "table of approvals: out of memory");
	return t;
}

/* Ids are random and hashes are hashes: their first byte spreads by itself. */
static uint32_t bucket(const uint8_t *key)
{
	return key[0] & (BUCKETS - 1);
}

static void approval_free(struct approval *a)
{
	free(a->server);
	free(a->tool);
	free(a->approver);
	free(a);
}

static void approval_remove(struct approvals *t, struct approval *a)
{
	LIST_REMOVE(a, by_args);
	LIST_REMOVE(a, by_id);
	t->count--;
	approval_free(a);
}

/* Removes all of an older round than `round`, and all that had expired at now_unix. */
static void sweep(struct approvals *t, uint64_t round, uint64_t now_unix)
{
	struct approval *a, *next;

	for (size_t i = 0; i < BUCKETS; i++) {
		for (a = LIST_FIRST(&t->by_id[i]); a != NULL; a = next) {
			next = LIST_NEXT(a, by_id);
			if (a->round < round || a->expires_unix <= now_unix)
				approval_remove(t, a);
		}
	}
}

void approvals_free(struct approvals *t)
{
	if (t == NULL)
		return;
	sweep(t, UINT64_MAX, 0);
	free(t);
}

void approvals_sync_begin(struct approvals *t)
{
	t->round++;
}

void approvals_sync_end(struct approvals *t)
{
	sweep(t, t->round, 0);
}

/* Ids are no secrets: who knows one can do nothing with it but in its own session. */
static struct approval *find_id(const struct approvals *t, const uint8_t id[ID_LEN])
{
	struct approval *a;

	LIST_FOREACH(a, &t->by_id[bucket(id)], by_id)
	{
		if (memcmp(a->id, id, ID_LEN) == 0)
			return a;
	}
	return NULL;
}

static char *copy_text(struct ipc_bytes text)
{
	return text.n == 0 ? strdup("") : strndup((const char *)text.p, text.n);
}

static int approval_add(struct approvals *t, const struct ipc_approval_put *m)
{
	struct approval *a;

	if (t->count == APPROVALS_MAX)
		return KG_E_LIMIT;
	a = calloc(1, sizeof(*a));
	if (a == NULL)
		return KG_E_NOMEM;
	a->server = copy_text(m->upstream);
	a->tool = copy_text(m->name);
	a->approver = copy_text(m->approver);
	if (a->server == NULL || a->tool == NULL || a->approver == NULL) {
		approval_free(a);
		return KG_E_NOMEM;
	}
	memcpy(a->id, m->approval, ID_LEN);
	memcpy(a->session, m->session, ID_LEN);
	memcpy(a->args_sha256, m->args_sha256, HASH_LEN);
	memcpy(a->def_sha256, m->def_sha256, HASH_LEN);
	a->state = m->state;
	a->mfa = m->mfa != 0;
	a->expires_unix = m->expires_unix;
	a->round = t->round;
	LIST_INSERT_HEAD(&t->by_id[bucket(a->id)], a, by_id);
	LIST_INSERT_HEAD(&t->by_args[bucket(a->args_sha256)], a, by_args);
	t->count++;
	return KG_OK;
}

int approvals_put(struct approvals *t, const struct ipc_approval_put *m)
{
	struct approval *old = find_id(t, m->approval);

	if (m->state < APPROVAL_PENDING || m->state > APPROVAL_EXPIRED || sodium_is_zero(m->approval, ID_LEN))
		return KG_E_PROTO;
	if (old != NULL)
		approval_remove(t, old);
	return m->state == APPROVAL_PENDING || m->state == APPROVAL_APPROVED ? approval_add(t, m) : KG_OK;
}

bool approval_is_for(const struct approval *a, const struct approval_key *k)
{
	return memcmp(a->args_sha256, k->args_sha256, HASH_LEN) == 0 && memcmp(a->session, k->session, ID_LEN) == 0 &&
	       memcmp(a->def_sha256, k->def_sha256, HASH_LEN) == 0 && strcmp(a->server, k->server) == 0 &&
	       strcmp(a->tool, k->tool) == 0;
}

const struct approval *approvals_find(const struct approvals *t, const struct approval_key *k, uint64_t now_unix)
{
	const struct approval *a;

	LIST_FOREACH(a, &t->by_args[bucket(k->args_sha256)], by_args)
	{
		if (now_unix < a->expires_unix && approval_is_for(a, k))
			return a;
	}
	return NULL;
}

/* One spelling only: 32 lowercase digits. */
static bool id_parse(struct ipc_bytes hex, uint8_t id[ID_LEN])
{
	char again[APPROVAL_HEX + 1];
	size_t n = 0;

	if (hex.n != APPROVAL_HEX || sodium_hex2bin(id, ID_LEN, (const char *)hex.p, hex.n, NULL, &n, NULL) != 0 ||
	    n != ID_LEN)
		return false;
	sodium_bin2hex(again, sizeof(again), id, ID_LEN);
	return memcmp(again, hex.p, APPROVAL_HEX) == 0;
}

const struct approval *approvals_named(const struct approvals *t, const uint8_t session[ID_LEN], struct ipc_bytes state,
				       uint64_t now_unix)
{
	uint8_t id[ID_LEN];
	const struct approval *a = id_parse(state, id) ? find_id(t, id) : NULL;

	return a != NULL && now_unix < a->expires_unix && memcmp(a->session, session, ID_LEN) == 0 ? a : NULL;
}

const struct approval *approvals_by_id(const struct approvals *t, const uint8_t id[ID_LEN])
{
	return find_id(t, id);
}

size_t approvals_count(const struct approvals *t)
{
	return t->count;
}
