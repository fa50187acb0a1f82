#include "guardiand/recorder/calls.h"

#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "common/log.h"

#define BUCKETS 32768u /* a power of two; twice CALLS_SETTLED_MAX, so that chains are short */
#define NONE UINT32_MAX
#define FIRST_ENTRIES 256u

struct entry {
	struct recorded_call call;
	uint32_t chain;        /* next in its bucket, or in the free list */
	uint32_t older, newer; /* neighbours in the list it stands in */
};

/* A list by age. */
struct age_list {
	uint32_t oldest, newest, count;
};

struct calls {
	uint8_t key[crypto_shorthash_KEYBYTES]; /* the broker chooses the numbers: it must not choose the bucket */
	struct entry *entry;
	uint32_t cap, free;
	struct age_list open, settled;
	uint32_t bucket[BUCKETS];
};

struct calls *calls_new(void)
{
	struct calls *c = calloc(1, sizeof(*c));

	if (c == NULL)
		log_fatal(KG_EXIT_FAILURE, "list of calls: out of memory");
	crypto_shorthash_keygen(c->key);
	c->free = NONE;
	c->open = c->settled = (struct age_list){.oldest = NONE, .newest = NONE};
	memset(c->bucket, 0xff, sizeof(c->bucket));
	return c;
}

void calls_free(struct calls *c)
{
	if (c != NULL)
		free(c->entry);
	free(c);
}

static uint32_t bucket_of(const struct calls *c, const uint8_t txn[ID_LEN])
{
	uint8_t hash[crypto_shorthash_BYTES];
	uint32_t head;

	crypto_shorthash(hash, txn, ID_LEN, c->key);
	memcpy(&head, hash, sizeof(head));
	return head & (BUCKETS - 1);
}

static uint32_t find(const struct calls *c, const uint8_t txn[ID_LEN])
{
	uint32_t i = c->bucket[bucket_of(c, txn)];

	while (i != NONE && memcmp(c->entry[i].call.txn, txn, ID_LEN) != 0)
		i = c->entry[i].chain;
	return i;
}

const struct recorded_call *calls_find(const struct calls *c, const uint8_t txn[ID_LEN])
{
	uint32_t i = find(c, txn);

	return i == NONE ? NULL : &c->entry[i].call;
}

static void list_push(struct calls *c, struct age_list *list, uint32_t i)
{
	c->entry[i].older = list->newest;
	c->entry[i].newer = NONE;
	if (list->newest == NONE)
		list->oldest = i;
	else
		c->entry[list->newest].newer = i;
	list->newest = i;
	list->count++;
}

static void list_remove(struct calls *c, struct age_list *list, uint32_t i)
{
	const struct entry *e = &c->entry[i];

	if (e->older == NONE)
		list->oldest = e->newer;
	else
		c->entry[e->older].newer = e->newer;
	if (e->newer == NONE)
		list->newest = e->older;
	else
		c->entry[e->newer].older = e->older;
	list->count--;
}

static int grow(struct calls *c)
{
	uint32_t cap = c->cap == 0 ? FIRST_ENTRIES : c->cap * 2;
	struct entry *entry = reallocarray(c->entry, cap, sizeof(*entry));

	if (entry == NULL)
		return KG_E_NOMEM;
	c->entry = entry;
	for (uint32_t i = c->cap; i < cap; i++) {
		entry[i].chain = c->free;
		c->free = i;
	}
	c->cap = cap;
	return KG_OK;
}

static void forget_oldest(struct calls *c)
{
	uint32_t i = c->settled.oldest;
	uint32_t *p = &c->bucket[bucket_of(c, c->entry[i].call.txn)];

	list_remove(c, &c->settled, i);
	while (*p != i)
		p = &c->entry[*p].chain;
	*p = c->entry[i].chain;
	c->entry[i].chain = c->free;
	c->free = i;
}

static void settle(struct calls *c, uint32_t i)
{
	if (c->entry[i].call.owner != NULL)
		list_remove(c, &c->open, i);
	c->entry[i].call.owner = NULL;
	list_push(c, &c->settled, i);
	if (c->settled.count > CALLS_SETTLED_MAX)
		forget_oldest(c);
}

bool calls_full(const struct calls *c)
{
	return c->open.count >= CALLS_OPEN_MAX;
}

int calls_add(struct calls *c, const struct recorded_call *call)
{
	uint32_t i, *head;

	if (call->owner != NULL && calls_full(c))
		return KG_E_LIMIT;
	if (c->free == NONE && grow(c) != KG_OK)
		return KG_E_NOMEM;
	i = c->free;
	c->free = c->entry[i].chain;
	head = &c->bucket[bucket_of(c, call->txn)];
	c->entry[i].call = *call;
	c->entry[i].chain = *head;
	*head = i;
	if (call->owner != NULL)
		list_push(c, &c->open, i);
	else
		settle(c, i);
	return KG_OK;
}

void calls_settle(struct calls *c, const uint8_t txn[ID_LEN], uint64_t outcome)
{
	uint32_t i = find(c, txn);

	if (i == NONE)
		return;
	c->entry[i].call.outcome = outcome;
	if (c->entry[i].call.owner != NULL)
		settle(c, i);
}

void calls_orphan(struct calls *c, const void *owner)
{
	uint32_t next;

	for (uint32_t i = c->open.oldest; i != NONE; i = next) {
		next = c->entry[i].newer;
		if (c->entry[i].call.owner == owner)
			settle(c, i);
	}
}

uint32_t calls_open_count(const struct calls *c)
{
	return c->open.count;
}
