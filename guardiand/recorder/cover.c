#include "guardiand/recorder/cover.h"

#include <string.h>

#define SUBJECT_MAX (1 + SERVER_NAME_LEN + 1 + TOOL_NAME_LEN + 1)

/* What a response is about, as bytes: its kind, and which. */
struct subject {
	uint8_t p[SUBJECT_MAX];
	size_t n;
};

static struct subject by_id(char kind, const uint8_t id[ID_LEN])
{
	struct subject s = {.n = 1 + ID_LEN};

	s.p[0] = (uint8_t)kind;
	memcpy(s.p + 1, id, ID_LEN);
	return s;
}

static struct subject by_name(char kind, struct ipc_bytes server, struct ipc_bytes tool)
{
	struct subject s = {.n = 1};

	s.p[0] = (uint8_t)kind;
	if (server.n > SERVER_NAME_LEN || tool.n > TOOL_NAME_LEN)
		return s;
	memcpy(s.p + 1, server.p, server.n);
	s.n += server.n + 1;
	if (tool.n != 0)
		memcpy(s.p + s.n, tool.p, tool.n);
	s.n += tool.n;
	return s;
}

static struct subject subject_of(const struct response *r)
{
	switch (r->act) {
	case GUARD_ACT_REVOKE:
		return by_id('c', r->consent);
	case GUARD_ACT_HOLD_TOOL:
		return by_name('t', ipc_text(r->server), ipc_text(r->tool));
	case GUARD_ACT_HOLD_SERVER:
		return by_name('u', ipc_text(r->server), ipc_text(""));
	case GUARD_ACT_SEAL:
		return (struct subject){.p = {'v'}, .n = 1};
	default:
		return by_id('s', r->session);
	}
}

static const struct response_list *bucket_of(const struct cover *c, const struct subject *s)
{
	uint8_t hash[crypto_shorthash_BYTES];
	uint32_t h;

	crypto_shorthash(hash, s->p, s->n, c->key);
	memcpy(&h, hash, sizeof(h));
	return &c->bucket[h % COVER_BUCKETS];
}

static bool is_same(const struct response *r, const struct subject *s)
{
	struct subject own = subject_of(r);

	return own.n == s->n && memcmp(own.p, s->p, s->n) == 0;
}

void cover_init(struct cover *c)
{
	crypto_shorthash_keygen(c->key);
	c->n = 0;
	for (size_t i = 0; i < COVER_BUCKETS; i++)
		LIST_INIT(&c->bucket[i]);
}

void cover_add(struct cover *c, struct response *r)
{
	struct subject s = subject_of(r);

	LIST_INSERT_HEAD((struct response_list *)(uintptr_t)bucket_of(c, &s), r, bucket);
	r->covers = true;
	c->n++;
}

void cover_remove(struct cover *c, struct response *r)
{
	if (!r->covers)
		return;
	LIST_REMOVE(r, bucket);
	r->covers = false;
	c->n--;
}

struct response *cover_same(const struct cover *c, const struct response *like)
{
	struct subject s = subject_of(like);
	struct response *r;

	LIST_FOREACH(r, bucket_of(c, &s), bucket)
	if (r->act == like->act && is_same(r, &s))
		return r;
	return NULL;
}

/* A rate is for vaultd and the broker to keep. */
static bool stops(const struct response *r, const struct ipc_intent *m)
{
	return r->act != GUARD_ACT_RATE && (r->act != GUARD_ACT_APPROVAL || m->tier >= r->tier);
}

/* What an approval would end is the last to be named. */
static bool find(const struct cover *c, struct subject s, const struct ipc_intent *m, const struct response **out)
{
	const struct response *r;

	LIST_FOREACH(r, bucket_of(c, &s), bucket)
	if (is_same(r, &s) && stops(r, m)) {
		*out = r;
		if (r->act != GUARD_ACT_APPROVAL)
			return true;
	}
	return false;
}

const struct response *cover_call(const struct cover *c, const struct ipc_intent *m)
{
	const struct response *r = NULL;

	if (c->n == 0)
		return NULL;
	(void)(find(c, (struct subject){.p = {'v'}, .n = 1}, m, &r) || find(c, by_id('s', m->session), m, &r) ||
	       find(c, by_id('c', m->consent), m, &r) || find(c, by_name('u', m->upstream, ipc_text("")), m, &r) ||
	       find(c, by_name('t', m->upstream, m->name), m, &r));
	return r;
}
