#include "gatewayd/upstream/echo.h"

#include <string.h>

#include <sodium.h>

#include "common/json_text.h"
#include "common/log.h"

#define PROBE 8u
#define MAC_LEN 16u
#define TEXT_MAX (4u * 1048576u + 65536u)
#define ENCODED_MAX (CRED_VALUE_MAX * 3 + 8)

struct form {
	uint32_t len;         /* 0: none */
	uint16_t first, last; /* of its first and last eight bytes */
	uint8_t mac[MAC_LEN];
};

struct echo {
	uint8_t key[crypto_generichash_KEYBYTES];
	uint64_t factor; /* odd and random */
	struct form form[ECHO_FORMS_MAX];
	size_t n, next;
	uint8_t begins[65536 / 8]; /* a bit for each form's first eight bytes */
};

struct echo *echo_new(void)
{
	struct echo *e = sodium_malloc(sizeof(*e));

	if (!e)
		log_fatal(KG_EXIT_FAILURE,
			  "credentials: memory cannot be locked: raise the limit of locked memory (ulimit -l)");
	memset(e, 0, sizeof(*e));
	randombytes_buf(e->key, sizeof(e->key));
	randombytes_buf(&e->factor, sizeof(e->factor));
	e->factor |= 1;
	return e;
}

void echo_free(struct echo *e)
{
	sodium_free(e);
}

static uint16_t probe(const struct echo *e, const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return (uint16_t)(v * e->factor >> 48);
}

static void form_make(const struct echo *e, const uint8_t *p, size_t n, struct form *out)
{
	*out = (struct form){.len = (uint32_t)n, .first = probe(e, p), .last = probe(e, p + n - PROBE)};
	crypto_generichash(out->mac, MAC_LEN, p, n, e->key, sizeof(e->key));
}

static bool form_known(const struct echo *e, const struct form *f)
{
	for (size_t i = 0; i < e->n; i++)
		if (e->form[i].len == f->len && sodium_memcmp(e->form[i].mac, f->mac, MAC_LEN) == 0)
			return true;
	return false;
}

/* False for one that is known. */
static bool form_add(struct echo *e, const void *p, size_t n)
{
	struct form f;

	if (n < ECHO_VALUE_MIN)
		return false;
	form_make(e, p, n, &f);
	if (form_known(e, &f))
		return false;
	bool full = e->n == ECHO_FORMS_MAX;
	e->form[e->next] = f;
	e->next = (e->next + 1) % ECHO_FORMS_MAX;
	e->n += !full;
	if (full)
		memset(e->begins, 0, sizeof(e->begins));
	for (size_t i = full ? 0 : e->n - 1; i < e->n; i++)
		e->begins[e->form[i].first / 8] |= (uint8_t)(1u << e->form[i].first % 8);
	return true;
}

static void percent_add(struct echo *e, const uint8_t *p, size_t n, const char *hex, char *room)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
	size_t len = 0;

	for (size_t i = 0; i < n; i++) {
		if (p[i] != 0 && strchr(plain, p[i])) {
			room[len++] = (char)p[i];
			continue;
		}
		room[len++] = '%';
		room[len++] = hex[p[i] >> 4];
		room[len++] = hex[p[i] & 15];
	}
	(void)form_add(e, room, len);
}

/* Encoded behind zero, one or two other bytes: the letters that depend on the value alone. */
static void base64_add(struct echo *e, const uint8_t *p, size_t n, int variant, uint8_t *padded, char *room)
{
	for (size_t shift = 0; shift < 3; shift++) {
		size_t from = shift == 0 ? 0 : shift + 1, to = (shift + n) * 8 / 6;

		memset(padded, 0, 2);
		memcpy(padded + shift, p, n);
		sodium_bin2base64(room, ENCODED_MAX, padded, shift + n, variant);
		(void)form_add(e, room + from, to - from);
	}
}

static void value_add(struct echo *e, const char *value, size_t n)
{
	const uint8_t *p = (const uint8_t *)value;
	char room[ENCODED_MAX];
	uint8_t padded[CRED_VALUE_MAX + 2];

	/* A credential comes with each call: what is known costs one hash. */
	if (n > CRED_VALUE_MAX || !form_add(e, p, n))
		return;
	percent_add(e, p, n, "0123456789ABCDEF", room);
	percent_add(e, p, n, "0123456789abcdef", room);
	base64_add(e, p, n, sodium_base64_VARIANT_ORIGINAL_NO_PADDING, padded, room);
	base64_add(e, p, n, sodium_base64_VARIANT_URLSAFE_NO_PADDING, padded, room);
	sodium_bin2hex(room, sizeof(room), p, n);
	(void)form_add(e, room, n * 2);
	sodium_memzero(room, sizeof(room));
	sodium_memzero(padded, sizeof(padded));
}

/* Basic's user and password: both together, and the password. */
static void basic_add(struct echo *e, const char *code)
{
	char plain[CRED_VALUE_MAX + 1];
	size_t n;

	if (sodium_base642bin((uint8_t *)plain, CRED_VALUE_MAX, code, strlen(code), NULL, &n, NULL,
			      sodium_base64_VARIANT_ORIGINAL) == 0) {
		const char *colon = memchr(plain, ':', n);

		value_add(e, plain, n);
		if (colon)
			value_add(e, colon + 1, n - (size_t)(colon + 1 - plain));
	}
	sodium_memzero(plain, sizeof(plain));
}

void echo_learn(struct echo *e, const struct credential_set *set)
{
	for (size_t i = 0; i < set->count; i++) {
		const struct credential *c = &set->item[i];
		const char *space = strchr(c->value, ' '), *bare = space && c->kind != CRED_ENV ? space + 1 : c->value;

		/* What follows the scheme is inside of the whole value, so that it alone is enough. */
		value_add(e, bare, strlen(bare));
		if (c->kind == CRED_BASIC)
			basic_add(e, bare);
	}
}

static bool is_form(const struct echo *e, const uint8_t *p, size_t left)
{
	uint16_t first = probe(e, p);

	for (size_t i = 0; i < e->n; i++) {
		const struct form *f = &e->form[i];
		uint8_t mac[MAC_LEN];

		if (f->first != first || f->len > left || probe(e, p + f->len - PROBE) != f->last)
			continue;
		crypto_generichash(mac, MAC_LEN, p, f->len, e->key, sizeof(e->key));
		if (sodium_memcmp(mac, f->mac, MAC_LEN) == 0)
			return true;
	}
	return false;
}

bool echo_in(const struct echo *e, const void *text, size_t n)
{
	const uint8_t *p = text;

	for (size_t i = 0; e->n > 0 && i + PROBE <= n; i++) {
		uint16_t at = probe(e, p + i);

		if ((e->begins[at / 8] >> at % 8 & 1) != 0 && is_form(e, p + i, n - i))
			return true;
	}
	return false;
}

/* Escapes undone; strings that stand side by side do not touch. */
static int unescaped(const struct json_doc *d, struct buf *out)
{
	int err = KG_OK;

	for (uint32_t t = 0; t < d->ntok && err == KG_OK; t++) {
		size_t n, len;
		const char *raw = json_raw(d, t, &n);
		struct json_chars c = {(const uint8_t *)raw + 1, (const uint8_t *)raw + n - 1};
		uint8_t ch[4];

		if (d->tok[t].type != JK_STRING || !d->tok[t].escaped)
			continue;
		while (err == KG_OK && (len = json_chars_next(&c, ch)) > 0)
			err = buf_put(out, ch, len);
		if (err == KG_OK)
			err = buf_put(out, "\n", 1);
	}
	return err;
}

bool echo_in_json(const struct echo *e, const struct json_doc *d)
{
	struct buf plain;
	bool found;

	if (e->n == 0)
		return false;
	if (echo_in(e, d->text, d->len))
		return true;
	buf_init(&plain, TEXT_MAX);
	/* What cannot be looked at is not handed on. */
	found = unescaped(d, &plain) != KG_OK || echo_in(e, buf_ptr(&plain), buf_len(&plain));
	buf_free(&plain);
	return found;
}
