/* The tables of pinned tools, of what consents name, and of what is kept for the policies. */
#include "vaultd/store.h"
#include "vaultd/store_sql.h"

/* A hash, or NULL. */
static int read_hash(const struct store_call *c, int column, bool *has, uint8_t out[HASH_LEN])
{
	size_t n;

	*has = store_bytes(c, column, &n) != NULL;
	return *has ? store_blob(c, column, out, HASH_LEN) : KG_OK;
}

static int read_pin(const struct store_call *c, struct store_pin *out)
{
	struct store_pin x = {
		.server = store_text(c, 0),
		.tool = store_text(c, 1),
		.accepted_at = store_int(c, 3),
		.by_person = sqlite3_column_type(c->stmt, 4) != SQLITE_NULL,
		.by = {.uid = (uint32_t)store_int(c, 4), .name = store_text(c, 5)},
		.held = store_int(c, 8) != 0,
		.gone = store_int(c, 9) != 0,
	};

	if (read_hash(c, 2, &x.has_accepted, x.accepted) != KG_OK ||
	    read_hash(c, 6, &x.has_listed, x.listed) != KG_OK || read_hash(c, 7, &x.has_told, x.told) != KG_OK)
		return KG_E_PROTO;
	*out = x;
	return KG_OK;
}

int store_pins_each(struct store *s, store_pin_fn fn, void *arg)
{
	struct store_call c = store_call(s, SQL_PINS);
	struct store_pin x;
	int r;

	while ((r = store_next(&c)) == 1) {
		r = read_pin(&c, &x);
		if (r == KG_OK)
			r = fn(&x, arg);
		if (r != KG_OK) {
			store_done(&c);
			return r;
		}
	}
	return r;
}

int store_pin_texts(struct store *s, const char *server, const char *tool, store_pin_texts_fn fn, void *arg)
{
	struct store_call c = store_call(s, SQL_PIN_TEXTS);
	struct store_text accepted, listed;
	int r;

	store_put_text(&c, server);
	store_put_text(&c, tool);
	r = store_next(&c);
	if (r != 1)
		return r == 0 ? KG_E_NOTFOUND : r;
	accepted.p = store_bytes(&c, 0, &accepted.n);
	listed.p = store_bytes(&c, 1, &listed.n);
	fn(accepted, listed, arg);
	store_done(&c);
	return KG_OK;
}

int store_pin_listed(struct store *s, const char *server, const char *tool, const uint8_t *sha256,
		     struct store_text definition)
{
	struct store_call c = store_call(s, SQL_PIN_LISTED);

	store_put_text(&c, server);
	store_put_text(&c, tool);
	store_put_blob(&c, sha256, sha256 == NULL ? 0 : HASH_LEN);
	store_put_blob(&c, sha256 == NULL ? NULL : definition.p, sha256 == NULL ? 0 : definition.n);
	return store_run_one(&c);
}

int store_pin_gone(struct store *s, const char *server, const char *tool)
{
	struct store_call c = store_call(s, SQL_PIN_GONE);

	store_put_text(&c, server);
	store_put_text(&c, tool);
	return store_run_one(&c);
}

int store_pin_accept(struct store *s, const char *server, const char *tool, const uint8_t sha256[HASH_LEN],
		     uint64_t now, const struct store_actor *by)
{
	struct store_call c = store_call(s, SQL_PIN_ACCEPT);

	store_put_int(&c, now);
	if (by == NULL)
		store_put_text(&c, NULL);
	else
		store_put_int(&c, by->uid);
	store_put_text(&c, by == NULL ? "" : by->name);
	store_put_text(&c, server);
	store_put_text(&c, tool);
	store_put_blob(&c, sha256, HASH_LEN);
	return store_run_one(&c);
}

int store_pin_held(struct store *s, const char *server, const char *tool, bool held)
{
	struct store_call c = store_call(s, SQL_PIN_HELD);

	store_put_int(&c, held);
	store_put_text(&c, server);
	store_put_text(&c, tool);
	return store_run_one(&c);
}

int store_pin_told(struct store *s, const char *server, const char *tool, const uint8_t sha256[HASH_LEN])
{
	struct store_call c = store_call(s, SQL_PIN_TOLD);

	store_put_blob(&c, sha256, HASH_LEN);
	store_put_text(&c, server);
	store_put_text(&c, tool);
	return store_run_one(&c);
}

int store_named_each(struct store *s, const uint8_t consent[ID_LEN], store_named_fn fn, void *arg)
{
	struct store_call c = store_call(s, SQL_NAMED);
	int r;

	store_put_blob(&c, consent, ID_LEN);
	while ((r = store_next(&c)) == 1) {
		struct store_named x = {.server = store_text(&c, 0), .tool = store_text(&c, 1)};

		r = store_blob(&c, 2, x.sha256, HASH_LEN);
		if (r == KG_OK)
			r = fn(&x, arg);
		if (r != KG_OK) {
			store_done(&c);
			return r;
		}
	}
	return r;
}

int store_named_add(struct store *s, const uint8_t consent[ID_LEN], const struct store_named *x)
{
	struct store_call c = store_call(s, SQL_NAMED_ADD);

	store_put_blob(&c, consent, ID_LEN);
	store_put_text(&c, x->server);
	store_put_text(&c, x->tool);
	store_put_blob(&c, x->sha256, HASH_LEN);
	return store_run(&c);
}

int store_named_drop(struct store *s, const uint8_t consent[ID_LEN])
{
	struct store_call c = store_call(s, SQL_NAMED_DROP);

	store_put_blob(&c, consent, ID_LEN);
	return store_run(&c);
}

int store_policy_get(struct store *s, store_policy_fn fn, void *arg)
{
	struct store_call c = store_call(s, SQL_POLICY_GET);
	struct store_text data = {NULL, 0}, manifest = {NULL, 0};
	int r = store_next(&c);

	if (r < 0)
		return r;
	if (r == 1) {
		data.p = store_bytes(&c, 1, &data.n);
		manifest.p = store_bytes(&c, 2, &manifest.n);
	}
	fn(r == 1 ? store_int(&c, 0) : 0, manifest.n == HASH_LEN ? manifest.p : NULL, data, arg);
	if (r == 1)
		store_done(&c);
	return KG_OK;
}

int store_policy_put(struct store *s, uint64_t revision, const uint8_t manifest[HASH_LEN], struct store_text data)
{
	struct store_call c = store_call(s, SQL_POLICY_PUT);

	store_put_int(&c, revision);
	store_put_blob(&c, data.p == NULL ? "" : data.p, data.n);
	store_put_int(&c, data.p != NULL);
	store_put_blob(&c, manifest, HASH_LEN);
	return store_run(&c);
}
