#include "vaultd/sessions.h"

#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "common/config.h"
#include "common/log.h"

#define BUCKETS 4096

struct sessions {
	size_t n;
	struct session *bucket[BUCKETS];
};

/* By bits of a hash of 256 random bits: nobody can choose them to make one bucket long. */
static size_t bucket_of(const uint8_t hash[HASH_LEN])
{
	return ((size_t)hash[0] << 8 | hash[1]) % BUCKETS;
}

static void session_free(struct session *x)
{
	free((void *)x->pattern);
	free(x->suspended);
	free(x->labels);
	free(x);
}

struct sessions *sessions_new(void)
{
	struct sessions *s = calloc(1, sizeof(*s));

	if (s == NULL)
		log_fatal(KG_EXIT_FAILURE, "sessions: out of memory");
	return s;
}

void sessions_free(struct sessions *s)
{
	if (s == NULL)
		return;
	for (size_t i = 0; i < BUCKETS; i++) {
		while (s->bucket[i] != NULL) {
			struct session *x = s->bucket[i];

			s->bucket[i] = x->next;
			session_free(x);
		}
	}
	free(s);
}

static void forget_ended(struct sessions *s, uint64_t now)
{
	for (size_t i = 0; i < BUCKETS; i++) {
		for (struct session **p = &s->bucket[i]; *p != NULL;) {
			struct session *x = *p;

			if (x->state != SESSION_REVOKED && x->expires > now) {
				p = &x->next;
				continue;
			}
			*p = x->next;
			session_free(x);
			s->n--;
		}
	}
}

/* What lasts longest comes first. */
void session_set(struct session *x, uint8_t own)
{
	x->own = own;
	if (own == SESSION_REVOKED)
		x->state = SESSION_REVOKED;
	else if (x->limits.withdrawn)
		x->state = SESSION_WITHDRAWN;
	else
		x->state = x->limits.paused ? SESSION_PAUSED : own;
}

bool session_limit(struct session *x, const struct session_limits *l)
{
	const struct session_limits old = x->limits;

	x->limits = *l;
	session_set(x, x->own);
	return old.withdrawn != l->withdrawn || old.paused != l->paused || old.approval_tier != l->approval_tier ||
	       old.rate != l->rate || old.by != l->by;
}

const char *session_labels(const struct session *x)
{
	return x->labels == NULL ? "" : x->labels;
}

int session_label(struct session *x, const char *lines)
{
	char *mine = lines[0] == '\0' ? NULL : strdup(lines);

	if (mine == NULL && lines[0] != '\0')
		return KG_E_NOMEM;
	free(x->labels);
	x->labels = mine;
	return KG_OK;
}

/* Cuts a copy of the text at its newlines. */
static int cut_patterns(struct session *x, char *text)
{
	size_t n = 1;

	for (const char *c = text; *c != '\0'; c++)
		n += *c == '\n';
	if (n > PATTERNS_MAX)
		return KG_E_LIMIT;
	x->pattern = calloc(n, sizeof(*x->pattern));
	if (x->pattern == NULL)
		return KG_E_NOMEM;
	for (char *at = text; at != NULL; x->npatterns++) {
		char *end = strchr(at, '\n');

		x->pattern[x->npatterns] = at;
		if (end != NULL)
			*end++ = '\0';
		at = end;
	}
	return KG_OK;
}

static char *place(char **at, const char *text)
{
	size_t n = strlen(text) + 1;
	char *here = *at;

	memcpy(here, text, n);
	*at += n;
	return here;
}

/* One block: the struct, then its texts. */
static struct session *session_make(const struct store_session *row)
{
	const struct store_consent *c = &row->consent;
	size_t texts = strlen(c->human) + strlen(c->agent) + 2 * strlen(c->tools) + 4;
	struct session *x = calloc(1, sizeof(*x) + texts);
	char *at;

	if (x == NULL)
		return NULL;
	at = (char *)(x + 1);
	memcpy(x->id, row->id, ID_LEN);
	memcpy(x->consent, c->id, ID_LEN);
	memcpy(x->token_hash, row->token_hash, HASH_LEN);
	x->tier = c->tier;
	session_set(x, c->revoked ? SESSION_REVOKED : row->state);
	x->expires = c->expires;
	x->human = place(&at, c->human);
	x->agent = place(&at, c->agent);
	x->tools = place(&at, c->tools);
	if (cut_patterns(x, place(&at, c->tools)) != KG_OK ||
	    session_label(x, row->labels == NULL ? "" : row->labels) != KG_OK) {
		session_free(x);
		return NULL;
	}
	return x;
}

bool sessions_have_room(struct sessions *s, uint64_t now)
{
	if (s->n == SESSIONS_MAX)
		forget_ended(s, now);
	return s->n < SESSIONS_MAX;
}

int sessions_add(struct sessions *s, const struct store_session *row, uint64_t now)
{
	size_t b = bucket_of(row->token_hash);
	struct session *x;

	if (!sessions_have_room(s, now))
		return KG_E_LIMIT;
	x = session_make(row);
	if (x == NULL)
		return KG_E_NOMEM;
	x->next = s->bucket[b];
	s->bucket[b] = x;
	s->n++;
	return KG_OK;
}

struct session *sessions_by_token(const struct sessions *s, const uint8_t hash[HASH_LEN])
{
	for (struct session *x = s->bucket[bucket_of(hash)]; x != NULL; x = x->next)
		if (sodium_memcmp(x->token_hash, hash, HASH_LEN) == 0)
			return x;
	return NULL;
}

struct session *sessions_by_id(const struct sessions *s, const uint8_t id[ID_LEN])
{
	for (size_t i = 0; i < BUCKETS; i++)
		for (struct session *x = s->bucket[i]; x != NULL; x = x->next)
			if (sodium_memcmp(x->id, id, ID_LEN) == 0)
				return x;
	return NULL;
}

void sessions_each(struct sessions *s, void (*fn)(struct session *x, void *arg), void *arg)
{
	for (size_t i = 0; i < BUCKETS; i++)
		for (struct session *x = s->bucket[i]; x != NULL; x = x->next)
			fn(x, arg);
}

size_t sessions_count(const struct sessions *s)
{
	return s->n;
}

bool session_covers(const struct session *x, const char *server_tool)
{
	for (size_t i = 0; i < x->npatterns; i++)
		if (glob_match(x->pattern[i], server_tool))
			return true;
	return false;
}

bool session_suspend(struct session *x, const char *lines)
{
	const char *before = x->suspended == NULL ? "" : x->suspended;
	char *mine = NULL;

	if (strcmp(before, lines) == 0)
		return false;
	if (lines[0] != '\0') {
		mine = strdup(lines);
		if (mine == NULL)
			log_fatal(KG_EXIT_FAILURE, "sessions: out of memory");
	}
	free(x->suspended);
	x->suspended = mine;
	return true;
}

bool session_suspends(const struct session *x, const char *server_tool)
{
	size_t len = strlen(server_tool);
	const char *line = x->suspended;

	if (line == NULL)
		return false;
	if (strcmp(line, SUSPENDED_ALL) == 0)
		return true;
	while (*line != '\0') {
		size_t n = strcspn(line, "\n");

		if (n == len && sodium_memcmp(line, server_tool, n) == 0)
			return true;
		line += n + (line[n] == '\n');
	}
	return false;
}
