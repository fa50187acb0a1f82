/* The tables of consents and sessions. */
#include <string.h>

#include "vaultd/store.h"
#include "vaultd/store_sql.h"

static int read_consent(const struct store_call *c, struct store_consent *out)
{
	*out = (struct store_consent){
		.human = store_text(c, 1),
		.agent = store_text(c, 2),
		.why = store_text(c, 3),
		.tools = store_text(c, 4),
		.tier = (uint8_t)store_int(c, 5),
		.revoked = store_int(c, 6) != 0,
		.created = store_int(c, 7),
		.expires = store_int(c, 8),
		.by = {.uid = (uint32_t)store_int(c, 9), .name = store_text(c, 10)},
	};
	return store_blob(c, 0, out->id, ID_LEN);
}

static int read_session(const struct store_call *c, struct store_session *out)
{
	struct store_session x = {
		.state = (uint8_t)store_int(c, 13),
		.created = store_int(c, 14),
		.changed = store_int(c, 15),
		.labels = store_text(c, 16),
	};

	if (strlen(x.labels) > STORE_LABELS_MAX || x.state < SESSION_ACTIVE || x.state > SESSION_REVOKED ||
	    read_consent(c, &x.consent) != KG_OK || store_blob(c, 11, x.id, ID_LEN) != KG_OK ||
	    store_blob(c, 12, x.token_hash, HASH_LEN) != KG_OK)
		return KG_E_PROTO;
	*out = x;
	return KG_OK;
}

static int add_consent(struct store *s, const struct store_consent *x)
{
	struct store_call c = store_call(s, SQL_CONSENT_ADD);

	store_put_blob(&c, x->id, ID_LEN);
	store_put_text(&c, x->human);
	store_put_text(&c, x->agent);
	store_put_text(&c, x->why);
	store_put_text(&c, x->tools);
	store_put_int(&c, x->tier);
	store_put_int(&c, x->revoked);
	store_put_int(&c, x->created);
	store_put_int(&c, x->expires);
	store_put_int(&c, x->by.uid);
	store_put_text(&c, x->by.name);
	return store_run(&c);
}

static int add_session(struct store *s, const struct store_session *x)
{
	struct store_call c = store_call(s, SQL_SESSION_ADD);

	store_put_blob(&c, x->id, ID_LEN);
	store_put_blob(&c, x->consent.id, ID_LEN);
	store_put_blob(&c, x->token_hash, HASH_LEN);
	store_put_int(&c, x->state);
	store_put_int(&c, x->created);
	store_put_int(&c, x->changed);
	return store_run(&c);
}

int store_grant(struct store *s, const struct store_session *session)
{
	int r = store_begin(s);

	if (r != KG_OK)
		return r;
	r = add_consent(s, &session->consent);
	if (r == KG_OK)
		r = add_session(s, session);
	return store_end(s, r);
}

int store_consent_revoke(struct store *s, const uint8_t id[ID_LEN], uint64_t now)
{
	struct store_call consent = store_call(s, SQL_CONSENT_REVOKE);
	struct store_call sessions = store_call(s, SQL_CONSENT_SESSIONS_REVOKE);
	int r;

	store_put_blob(&consent, id, ID_LEN);
	r = store_run_one(&consent);
	if (r != KG_OK)
		return r;
	store_put_int(&sessions, now);
	store_put_blob(&sessions, id, ID_LEN);
	return store_run(&sessions);
}

int store_session_state(struct store *s, const uint8_t id[ID_LEN], uint8_t state, uint64_t now)
{
	struct store_call c = store_call(s, SQL_SESSION_STATE);

	store_put_int(&c, state);
	store_put_int(&c, now);
	store_put_blob(&c, id, ID_LEN);
	return store_run_one(&c);
}

int store_session_labels(struct store *s, const uint8_t id[ID_LEN], const char *labels)
{
	struct store_call c = store_call(s, SQL_SESSION_LABELS);

	store_put_text(&c, labels);
	store_put_blob(&c, id, ID_LEN);
	return store_run_one(&c);
}

int store_consents_each(struct store *s, const char *hex, store_consent_fn fn, void *arg)
{
	struct store_call c = store_call(s, SQL_CONSENTS);
	struct store_consent x;
	int r;

	store_put_text(&c, hex);
	store_put_int(&c, STORE_LIST_MAX);
	while ((r = store_next(&c)) == 1) {
		r = read_consent(&c, &x);
		if (r == KG_OK)
			r = fn(&x, arg);
		if (r != KG_OK) {
			store_done(&c);
			return r;
		}
	}
	return r;
}

static int sessions_walk(struct store_call *c, store_session_fn fn, void *arg)
{
	struct store_session x;
	int r;

	while ((r = store_next(c)) == 1) {
		r = read_session(c, &x);
		if (r == KG_OK)
			r = fn(&x, arg);
		if (r != KG_OK) {
			store_done(c);
			return r;
		}
	}
	return r;
}

int store_sessions_each(struct store *s, const char *hex, store_session_fn fn, void *arg)
{
	struct store_call c = store_call(s, SQL_SESSIONS);

	store_put_text(&c, hex);
	store_put_int(&c, STORE_LIST_MAX);
	return sessions_walk(&c, fn, arg);
}

int store_sessions_of(struct store *s, const uint8_t consent[ID_LEN], store_session_fn fn, void *arg)
{
	struct store_call c = store_call(s, SQL_SESSIONS_OF);

	store_put_blob(&c, consent, ID_LEN);
	store_put_int(&c, STORE_LIST_MAX);
	return sessions_walk(&c, fn, arg);
}

int store_sessions_live(struct store *s, uint64_t now, store_session_fn fn, void *arg)
{
	struct store_call c = store_call(s, SQL_SESSIONS_LIVE);

	store_put_int(&c, now);
	return sessions_walk(&c, fn, arg);
}
