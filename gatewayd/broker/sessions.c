#include "gatewayd/broker/sessions.h"

#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "common/log.h"

#define BUCKETS 4096u

LIST_HEAD(session_list, session);

struct sessions {
	struct session_list by_token[BUCKETS], by_id[BUCKETS];
	size_t count;
	uint64_t round;
	bool synced;
	session_ended_fn ended;
	void *arg;
};

struct sessions *sessions_new(session_ended_fn ended, void *arg)
{
	struct sessions *t = calloc(1, sizeof(*t));

	if (t == NULL)
		log_fatal(KG_EXIT_FAILURE, "session table: out of memory");
	t->ended = ended;
	t->arg = arg;
	return t;
}

/* Ids are random and token hashes are hashes: their first bytes spread by themselves. */
static uint32_t bucket(const uint8_t *key)
{
	return ((uint32_t)key[0] << 8 | key[1]) & (BUCKETS - 1);
}

static void patterns_free(struct patterns *p)
{
	free(p->text);
	free(p->glob);
}

static void session_free(struct session *s)
{
	free(s->human);
	free(s->agent);
	free(s->why);
	patterns_free(&s->tools);
	patterns_free(&s->suspended);
	patterns_free(&s->labels);
	free(s);
}

static void session_remove(struct sessions *t, struct session *s)
{
	LIST_REMOVE(s, by_token);
	LIST_REMOVE(s, by_id);
	t->count--;
	session_free(s);
}

/* Calls fn for each session; fn may remove the one that it is given. */
static void each_session(struct sessions *t, void (*fn)(struct sessions *t, struct session *s, uint64_t value),
			 uint64_t value)
{
	struct session *s, *next;

	for (size_t i = 0; i < BUCKETS; i++) {
		for (s = LIST_FIRST(&t->by_id[i]); s != NULL; s = next) {
			next = LIST_NEXT(s, by_id);
			fn(t, s, value);
		}
	}
}

static void drop(struct sessions *t, struct session *s, uint64_t unused)
{
	(void)unused;
	session_remove(t, s);
}

void sessions_free(struct sessions *t)
{
	if (t == NULL)
		return;
	each_session(t, drop, 0);
	free(t);
}

/* Ids are no secrets: any comparison will do. */
struct session *sessions_by_id(const struct sessions *t, const uint8_t id[ID_LEN])
{
	struct session *s;

	LIST_FOREACH(s, &t->by_id[bucket(id)], by_id)
	{
		if (memcmp(s->id, id, ID_LEN) == 0)
			return s;
	}
	return NULL;
}

struct session *sessions_find(const struct sessions *t, const uint8_t token_hash[HASH_LEN])
{
	struct session *s;

	LIST_FOREACH(s, &t->by_token[bucket(token_hash)], by_token)
	{
		if (sodium_memcmp(s->token_hash, token_hash, HASH_LEN) == 0)
			return s;
	}
	return NULL;
}

bool session_expired(const struct session *s, uint64_t now_unix)
{
	return now_unix >= s->expires_unix;
}

static size_t count_lines(struct ipc_bytes text)
{
	size_t n = 1;

	for (uint32_t i = 0; i < text.n; i++)
		n += text.p[i] == '\n';
	return n;
}

static char *copy_text(struct ipc_bytes text)
{
	return text.n == 0 ? strdup("") : strndup((const char *)text.p, text.n);
}

/* Splits the lines of a consent; an empty line covers nothing and is left out. */
static int patterns_parse(struct ipc_bytes lines, struct patterns *out)
{
	struct patterns p = {copy_text(lines), calloc(count_lines(lines), sizeof(*p.glob)), 0};
	char *line, *rest = p.text;

	if (p.text == NULL || p.glob == NULL) {
		patterns_free(&p);
		return KG_E_NOMEM;
	}
	while ((line = strsep(&rest, "\n")) != NULL)
		if (line[0] != '\0')
			p.glob[p.count++] = line;
	*out = p;
	return KG_OK;
}

/* What may change of a session. */
struct session_texts {
	char *human, *agent, *why;
	struct patterns tools, suspended, labels;
};

static void texts_free(struct session_texts *t)
{
	free(t->human);
	free(t->agent);
	free(t->why);
	patterns_free(&t->tools);
	patterns_free(&t->suspended);
	patterns_free(&t->labels);
}

static int texts_make(struct session_texts *t, const struct ipc_session_put *m)
{
	int r;

	*t = (struct session_texts){
		.human = copy_text(m->human), .agent = copy_text(m->agent), .why = copy_text(m->why)};
	r = t->human == NULL || t->agent == NULL || t->why == NULL ? KG_E_NOMEM : patterns_parse(m->tools, &t->tools);
	if (r == KG_OK)
		r = patterns_parse(m->suspended, &t->suspended);
	if (r == KG_OK)
		r = patterns_parse(m->labels, &t->labels);
	if (r != KG_OK)
		texts_free(t);
	return r;
}

/* The fields that may change, made anew from the message. */
static int session_fill(struct session *s, const struct ipc_session_put *m)
{
	struct session_texts old = {s->human, s->agent, s->why, s->tools, s->suspended, s->labels}, t;
	int r = texts_make(&t, m);

	if (r != KG_OK)
		return r;
	texts_free(&old);
	s->human = t.human;
	s->agent = t.agent;
	s->why = t.why;
	s->tools = t.tools;
	s->suspended = t.suspended;
	s->labels = t.labels;
	memcpy(s->consent, m->consent, ID_LEN);
	s->tier = m->tier;
	s->approval_tier = m->approval_tier;
	s->rate = m->rate;
	s->expires_unix = m->expires_unix;
	return KG_OK;
}

static void drop_revoked(struct sessions *t, struct session *s, uint64_t unused)
{
	(void)unused;
	if (s->state == SESSION_REVOKED)
		session_remove(t, s);
}

static int session_add(struct sessions *t, const struct ipc_session_put *m, struct session **out)
{
	struct session *s;
	int r;

	/* Revoked ones are only kept so that a late use of their token is recorded with a name. */
	if (t->count == SESSIONS_MAX)
		each_session(t, drop_revoked, 0);
	if (t->count == SESSIONS_MAX)
		return KG_E_LIMIT;
	s = calloc(1, sizeof(*s));
	if (s == NULL)
		return KG_E_NOMEM;
	r = session_fill(s, m);
	if (r != KG_OK) {
		session_free(s);
		return r;
	}
	memcpy(s->id, m->session, ID_LEN);
	memcpy(s->token_hash, m->token_hash, HASH_LEN);
	s->state = SESSION_ACTIVE;
	LIST_INIT(&s->calls);
	TAILQ_INIT(&s->mcp);
	LIST_INSERT_HEAD(&t->by_id[bucket(s->id)], s, by_id);
	LIST_INSERT_HEAD(&t->by_token[bucket(s->token_hash)], s, by_token);
	t->count++;
	*out = s;
	return KG_OK;
}

static void session_set_state(struct sessions *t, struct session *s, uint8_t state)
{
	static const enum session_end ends_as[] = {[SESSION_PAUSED] = SESSION_END_PAUSED,
						   [SESSION_REVOKED] = SESSION_END_REVOKED,
						   [SESSION_WITHDRAWN] = SESSION_END_WITHDRAWN};
	bool ends = s->state == SESSION_ACTIVE && state != SESSION_ACTIVE;

	/* A paused one that is revoked still holds legacy sessions. */
	ends = ends || (s->state == SESSION_PAUSED && (state == SESSION_REVOKED || state == SESSION_WITHDRAWN));
	s->state = state;
	if (ends)
		t->ended(s, ends_as[state], t->arg);
}

static bool put_is_sound(const struct ipc_session_put *m)
{
	return m->state >= SESSION_ACTIVE && m->state <= SESSION_WITHDRAWN && m->tier >= TIER_READ &&
	       m->tier <= TIER_DESTRUCTIVE && m->approval_tier <= TIER_DESTRUCTIVE;
}

int sessions_put(struct sessions *t, const struct ipc_session_put *m)
{
	struct session *s = sessions_by_id(t, m->session);
	struct session *owner = sessions_find(t, m->token_hash);
	int r;

	if (!put_is_sound(m) || owner != s)
		return KG_E_PROTO;
	r = s == NULL ? session_add(t, m, &s) : session_fill(s, m);
	if (r != KG_OK) {
		/* What we could not read is not what we go on with. */
		if (s != NULL)
			session_set_state(t, s, SESSION_REVOKED);
		return r;
	}
	s->round = t->round;
	session_set_state(t, s, m->state);
	return KG_OK;
}

void sessions_sync_begin(struct sessions *t)
{
	t->synced = false;
	t->round++;
}

static void drop_unnamed(struct sessions *t, struct session *s, uint64_t unused)
{
	(void)unused;
	if (s->round == t->round)
		return;
	session_set_state(t, s, SESSION_REVOKED);
	session_remove(t, s);
}

void sessions_sync_end(struct sessions *t)
{
	each_session(t, drop_unnamed, 0);
	t->synced = true;
}

bool sessions_synced(const struct sessions *t)
{
	return t->synced;
}

static void drop_expired(struct sessions *t, struct session *s, uint64_t now_unix)
{
	if (!session_expired(s, now_unix))
		return;
	if (s->state != SESSION_REVOKED) {
		s->state = SESSION_REVOKED;
		t->ended(s, SESSION_END_EXPIRED, t->arg);
	}
	session_remove(t, s);
}

void sessions_expire(struct sessions *t, uint64_t now_unix)
{
	each_session(t, drop_expired, now_unix);
}

uint64_t sessions_next_expiry(const struct sessions *t)
{
	uint64_t next = UINT64_MAX;
	const struct session *s;

	for (size_t i = 0; i < BUCKETS; i++)
		LIST_FOREACH(s, &t->by_id[i], by_id)
		{
			if (s->expires_unix < next)
				next = s->expires_unix;
		}
	return next;
}

size_t sessions_count(const struct sessions *t)
{
	return t->count;
}
