#include "vaultd/secrets.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"

struct secrets {
	size_t n;
	struct stored *item[SECRETS_MAX]; /* owned, by name */
};

struct secrets *secrets_new(void)
{
	struct secrets *s = calloc(1, sizeof(*s));

	if (s == NULL)
		log_fatal(KG_EXIT_FAILURE, "secrets: out of memory");
	return s;
}

static void stored_free(struct stored *x)
{
	record_free(&x->record);
	free(x);
}

void secrets_free(struct secrets *s)
{
	if (s == NULL)
		return;
	for (size_t i = 0; i < s->n; i++)
		stored_free(s->item[i]);
	free(s);
}

/* The first whose name is not before this one. */
static size_t lower_bound(const struct secrets *s, const char *name)
{
	size_t low = 0, high = s->n;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (strcmp(s->item[middle]->name, name) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

const struct stored *secrets_find(const struct secrets *s, const char *name)
{
	size_t i = lower_bound(s, name);

	return i < s->n && strcmp(s->item[i]->name, name) == 0 ? s->item[i] : NULL;
}

static char *place(char **at, const char *text)
{
	size_t n = strlen(text) + 1;
	char *here = *at;

	memcpy(here, text, n);
	*at += n;
	return here;
}

static int stored_make(const struct store_secret *row, struct stored **out)
{
	size_t texts = strlen(row->name) + strlen(row->server) + strlen(row->destination) + strlen(row->slot) +
		       strlen(row->by.name) + 5;
	struct stored *x = calloc(1, sizeof(*x) + texts);
	char *at;
	int r;

	if (x == NULL)
		return KG_E_NOMEM;
	r = record_load(row->record, row->record_len, &x->record);
	if (r != KG_OK) {
		free(x);
		return r;
	}
	at = (char *)(x + 1);
	x->name = place(&at, row->name);
	x->server = place(&at, row->server);
	x->destination = place(&at, row->destination);
	x->slot = place(&at, row->slot);
	x->by_name = place(&at, row->by.name);
	x->kind = row->kind;
	x->version = row->version;
	x->created = row->created;
	x->changed = row->changed;
	x->by_uid = row->by.uid;
	*out = x;
	return KG_OK;
}

int secrets_put(struct secrets *s, const struct store_secret *row)
{
	size_t i = lower_bound(s, row->name);
	bool there = i < s->n && strcmp(s->item[i]->name, row->name) == 0;
	struct stored *x;
	int r;

	if (!there && s->n == SECRETS_MAX)
		return KG_E_LIMIT;
	r = stored_make(row, &x);
	if (r != KG_OK)
		return r;
	if (there) {
		stored_free(s->item[i]);
	} else {
		memmove(&s->item[i + 1], &s->item[i], (s->n - i) * sizeof(struct stored *));
		s->n++;
	}
	s->item[i] = x;
	return KG_OK;
}

void secrets_rm(struct secrets *s, const char *name)
{
	size_t i = lower_bound(s, name);

	if (i == s->n || strcmp(s->item[i]->name, name) != 0)
		return;
	stored_free(s->item[i]);
	s->n--;
	memmove(&s->item[i], &s->item[i + 1], (s->n - i) * sizeof(struct stored *));
}

const struct stored *secrets_at(const struct secrets *s, size_t i)
{
	return s->item[i];
}

size_t secrets_count(const struct secrets *s)
{
	return s->n;
}

/* Header names are the same in any case (RFC 9110, section 5.1); one spelling is sealed. */
static void fold_slot(const char *slot, bool is_header, char out[CRED_SLOT_MAX + 1])
{
	size_t n = strnlen(slot, CRED_SLOT_MAX);

	for (size_t i = 0; i < n; i++)
		out[i] = is_header ? (char)tolower((unsigned char)slot[i]) : slot[i];
	out[n] = '\0';
}

struct record_use secret_use(const struct config_server *server, const struct config_credential *credential,
			     uint8_t stored_kind, uint64_t version, char slot[CRED_SLOT_MAX + 1])
{
	bool is_header = credential->kind == 0;

	fold_slot(credential->slot, is_header, slot);
	return (struct record_use){
		.type = RECORD_CREDENTIAL,
		.name = credential->secret,
		.upstream = server->name,
		.destination = server->destination,
		.kind = is_header ? stored_kind : credential->kind,
		.slot = slot,
		.version = version,
	};
}
