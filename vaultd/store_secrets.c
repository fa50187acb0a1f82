/* The tables of credentials, of the signing key and of the signed tree head. */
#include <stdio.h>
#include <string.h>

#include "vaultd/store.h"
#include "vaultd/store_sql.h"

int store_secret_put(struct store *s, const struct store_secret *x)
{
	struct store_call c = store_call(s, SQL_SECRET_PUT);

	store_put_text(&c, x->name);
	store_put_text(&c, x->server);
	store_put_text(&c, x->destination);
	store_put_int(&c, x->kind);
	store_put_text(&c, x->slot);
	store_put_int(&c, x->version);
	store_put_int(&c, x->created);
	store_put_int(&c, x->changed);
	store_put_int(&c, x->by.uid);
	store_put_text(&c, x->by.name);
	store_put_blob(&c, x->record, x->record_len);
	return store_run(&c);
}

int store_secret_rm(struct store *s, const char *name)
{
	struct store_call c = store_call(s, SQL_SECRET_RM);

	store_put_text(&c, name);
	return store_run_one(&c);
}

static void read_secret(const struct store_call *c, struct store_secret *out)
{
	*out = (struct store_secret){
		.name = store_text(c, 0),
		.server = store_text(c, 1),
		.destination = store_text(c, 2),
		.kind = (uint8_t)store_int(c, 3),
		.slot = store_text(c, 4),
		.version = store_int(c, 5),
		.created = store_int(c, 6),
		.changed = store_int(c, 7),
		.by = {.uid = (uint32_t)store_int(c, 8), .name = store_text(c, 9)},
		.record = sqlite3_column_blob(c->stmt, 10),
		.record_len = (size_t)sqlite3_column_bytes(c->stmt, 10),
	};
}

int store_secrets_each(struct store *s, store_secret_fn fn, void *arg)
{
	struct store_call c = store_call(s, SQL_SECRETS);
	struct store_secret x;
	int r;

	while ((r = store_next(&c)) == 1) {
		read_secret(&c, &x);
		r = fn(&x, arg);
		if (r != KG_OK) {
			store_done(&c);
			return r;
		}
	}
	return r;
}

int store_signing_key_get(struct store *s, struct record *out)
{
	struct store_call c = store_call(s, SQL_KEY_GET);
	int r = store_next(&c);

	if (r != 1)
		return r == 0 ? KG_E_NOTFOUND : r;
	r = record_load(sqlite3_column_blob(c.stmt, 0), (size_t)sqlite3_column_bytes(c.stmt, 0), out);
	store_done(&c);
	return r;
}

int store_signing_key_put(struct store *s, const struct record *r)
{
	struct store_call c = store_call(s, SQL_KEY_PUT);

	store_put_blob(&c, r->bytes, r->len);
	return store_run(&c);
}

static int read_head(const struct store_call *c, struct store_head *out)
{
	struct store_head x = {.size = store_int(c, 0)};
	const char *note = store_text(c, 2);
	size_t n = strlen(note);

	if (n > STORE_NOTE_MAX || store_blob(c, 1, x.root, HASH_LEN) != KG_OK)
		return KG_E_PROTO;
	memcpy(x.note, note, n);
	*out = x;
	return KG_OK;
}

int store_head_get(struct store *s, struct store_head *out)
{
	struct store_call c = store_call(s, SQL_HEAD_GET);
	int r = store_next(&c);

	if (r != 1)
		return r == 0 ? KG_E_NOTFOUND : r;
	r = read_head(&c, out);
	store_done(&c);
	return r;
}

int store_head_put(struct store *s, const struct store_head *head)
{
	struct store_call c = store_call(s, SQL_HEAD_PUT);

	store_put_int(&c, head->size);
	store_put_blob(&c, head->root, HASH_LEN);
	store_put_text(&c, head->note);
	return store_run(&c);
}
