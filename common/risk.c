#include "common/risk.h"

#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#define BUCKETS 16384u

LIST_HEAD(risk_bucket, risk_entry);
TAILQ_HEAD(risk_ages, risk_entry);

struct risk_table {
	struct risk_ages ages; /* oldest first */
	size_t count, max;
	uint8_t key[crypto_shorthash_KEYBYTES];
	struct risk_bucket bucket[BUCKETS];
};

const char *risk_kind_name(enum risk_kind k)
{
	static const char *const names[] = {"?", "session", "agent", "human", "share"};

	return names[k >= RISK_SESSION && k <= RISK_SHARE ? k : 0];
}

struct risk_table *risk_table_new(size_t max)
{
	struct risk_table *t = calloc(1, sizeof(*t));

	if (t == NULL)
		return NULL;
	t->max = max;
	TAILQ_INIT(&t->ages);
	randombytes_buf(t->key, sizeof(t->key));
	return t;
}

void risk_table_free(struct risk_table *t)
{
	if (t == NULL)
		return;
	while (!TAILQ_EMPTY(&t->ages)) {
		/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): what is removed leaves the list */
		risk_remove(t, TAILQ_FIRST(&t->ages));
	}
	free(t);
}

size_t risk_table_count(const struct risk_table *t)
{
	return t->count;
}

bool risk_table_full(const struct risk_table *t)
{
	return t->count == t->max;
}

static uint32_t place_of(const struct risk_table *t, const void *name, size_t len)
{
	uint64_t h;

	crypto_shorthash((uint8_t *)&h, name, len, t->key);
	return (uint32_t)h & (BUCKETS - 1);
}

struct risk_entry *risk_find(const struct risk_table *t, enum risk_kind kind, const void *name, size_t len)
{
	struct risk_entry *e;

	if (t->count == 0)
		return NULL;
	LIST_FOREACH(e, &t->bucket[place_of(t, name, len)], of_bucket)
	{
		if (e->kind == kind && e->len == len && memcmp(e->name, name, len) == 0)
			return e;
	}
	return NULL;
}

static struct risk_entry *add(struct risk_table *t, enum risk_kind kind, const void *name, size_t len)
{
	struct risk_entry *e = len > RISK_NAME_MAX ? NULL : calloc(1, sizeof(*e) + len + 1);

	if (e == NULL)
		return NULL;
	if (risk_table_full(t))
		risk_remove(t, TAILQ_FIRST(&t->ages));
	e->kind = kind;
	e->len = len;
	memcpy(e->name, name, len);
	LIST_INSERT_HEAD(&t->bucket[place_of(t, name, len)], e, of_bucket);
	TAILQ_INSERT_TAIL(&t->ages, e, by_age);
	t->count++;
	return e;
}

struct risk_entry *risk_put(struct risk_table *t, enum risk_kind kind, const void *name, size_t len)
{
	struct risk_entry *e = risk_find(t, kind, name, len);

	if (e == NULL)
		return add(t, kind, name, len);
	TAILQ_REMOVE(&t->ages, e, by_age);
	TAILQ_INSERT_TAIL(&t->ages, e, by_age);
	return e;
}

void risk_remove(struct risk_table *t, struct risk_entry *e)
{
	LIST_REMOVE(e, of_bucket);
	TAILQ_REMOVE(&t->ages, e, by_age);
	t->count--;
	free(e);
}

struct risk_entry *risk_oldest(const struct risk_table *t)
{
	return TAILQ_FIRST(&t->ages);
}

struct risk_entry *risk_newest(const struct risk_table *t)
{
	return TAILQ_LAST(&t->ages, risk_ages);
}

struct risk_entry *risk_newer(const struct risk_entry *e)
{
	return TAILQ_NEXT(e, by_age);
}

struct risk_entry *risk_older(const struct risk_entry *e)
{
	return TAILQ_PREV(e, risk_ages, by_age);
}
