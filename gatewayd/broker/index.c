#include "gatewayd/broker/index.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

uint64_t index_hash(const void *p, size_t n)
{
	static uint8_t key[crypto_shorthash_KEYBYTES];
	static bool keyed;
	uint64_t h;

	if (!keyed) {
		randombytes_buf(key, sizeof(key));
		keyed = true;
	}
	crypto_shorthash((uint8_t *)&h, p, n, key);
	return h;
}

int index_init(struct index *x, size_t items)
{
	uint32_t size = 4;
	struct index_slot *slot;

	while (size < items * 2)
		size *= 2;
	slot = calloc(size, sizeof(*slot));
	if (slot == NULL)
		return KG_E_NOMEM;
	*x = (struct index){slot, size - 1};
	return KG_OK;
}

void index_free(struct index *x)
{
	free(x->slot);
	*x = (struct index){NULL, 0};
}

/* The slot that holds the name, or the free one where it would go. */
static struct index_slot *slot_of(const struct index *x, const void *name, size_t len)
{
	uint32_t i = (uint32_t)index_hash(name, len) & x->mask;

	while (x->slot[i].name != NULL && (x->slot[i].len != len || memcmp(x->slot[i].name, name, len) != 0))
		i = (i + 1) & x->mask;
	return &x->slot[i];
}

int index_add(struct index *x, const char *name, void *item)
{
	size_t len = strlen(name);
	struct index_slot *s = slot_of(x, name, len);

	if (s->name != NULL)
		return KG_E_EXISTS;
	*s = (struct index_slot){name, len, item};
	return KG_OK;
}

void *index_find(const struct index *x, const void *name, size_t len)
{
	return x->slot == NULL || len == 0 ? NULL : slot_of(x, name, len)->item;
}
