#include "gatewayd/authzen/page.h"

#include <string.h>

#include <sodium.h>

#include "common/json_canonical.h"

#define MAC_LEN 16

/* What a token says, under a key of this process: offset, limit, and a MAC that binds both to caller and question. */
struct token {
	uint8_t offset[4], limit[4], mac[MAC_LEN];
};
_Static_assert(sizeof(struct token) == 24, "PAGE_TOKEN_LEN");

static void put32(uint8_t out[4], uint32_t v)
{
	for (int i = 0; i < 4; i++)
		out[i] = (uint8_t)(v >> (24 - 8 * i));
}

static uint32_t get32(const uint8_t in[4])
{
	return (uint32_t)in[0] << 24 | (uint32_t)in[1] << 16 | (uint32_t)in[2] << 8 | in[3];
}

/* Whatever the order of members: a caller's library may choose another for the next page. */
static int hash_query(const struct conn *c, const struct json_doc *d, const struct question *q, uint8_t out[HASH_LEN])
{
	const uint32_t parts[] = {q->parts.subject, q->parts.action, q->parts.resource, q->parts.context};
	uint8_t endpoint = (uint8_t)c->head.endpoint;
	struct buf *b = &c->authzen->scratch;

	buf_reset(b);
	if (buf_put(b, &endpoint, 1) != KG_OK ||
	    buf_put(b, c->head.caller->name, strlen(c->head.caller->name) + 1) != KG_OK)
		return KG_E_LIMIT;
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		if ((parts[i] != JSON_NONE && json_put_canonical(b, d, parts[i]) != KG_OK) ||
		    buf_put(b, "", 1) != KG_OK)
			return KG_E_LIMIT;
	crypto_generichash(out, HASH_LEN, buf_ptr(b), buf_len(b), NULL, 0);
	return KG_OK;
}

static void make_mac(const struct conn *c, const struct token *t, uint8_t mac[MAC_LEN])
{
	uint8_t said[8 + HASH_LEN];

	memcpy(said, t, 8);
	memcpy(said + 8, c->request.query, HASH_LEN);
	crypto_generichash(mac, MAC_LEN, said, sizeof(said), c->authzen->page_key, sizeof(c->authzen->page_key));
}

static const char *take_token(struct conn *c, const struct json_doc *d, uint32_t t, bool has_limit)
{
	static const char changed[] = "page.token does not belong to this search: it was not issued here, or something "
				      "else of the request has changed";
	char text[PAGE_TOKEN_LEN + 1];
	struct token token;
	uint8_t mac[MAC_LEN];
	size_t len;

	if (json_kind(d, t) != JK_STRING)
		return "page.token must be a string";
	if (json_unescape(d, t, text, sizeof(text)) != KG_OK ||
	    sodium_base642bin((uint8_t *)&token, sizeof(token), text, strlen(text), NULL, &len, NULL,
			      sodium_base64_VARIANT_URLSAFE_NO_PADDING) != 0 ||
	    len != sizeof(token))
		return changed;
	make_mac(c, &token, mac);
	if (sodium_memcmp(mac, token.mac, MAC_LEN) != 0 || (has_limit && get32(token.limit) != c->request.limit))
		return changed;
	c->request.offset = get32(token.offset);
	c->request.limit = get32(token.limit);
	return NULL;
}

/* A non-negative integer; one that is larger than a page can be is as good as that. */
static const char *take_limit(struct conn *c, const struct json_doc *d, uint32_t t)
{
	size_t n;
	const char *raw = json_raw(d, t, &n);
	int64_t v;

	if (json_kind(d, t) != JK_NUMBER)
		return "page.limit must be a non-negative integer";
	for (size_t i = 0; i < n; i++)
		if (raw[i] < '0' || raw[i] > '9')
			return "page.limit must be a non-negative integer";
	if (json_int(d, t, &v) != KG_OK || v > AUTHZEN_PAGE_MAX)
		v = AUTHZEN_PAGE_MAX;
	c->request.limit = (uint32_t)v;
	return NULL;
}

const char *page_take(struct conn *c, const struct json_doc *d, const struct question *q)
{
	uint32_t page = json_get(d, 0, "page"), limit = json_get(d, page, "limit"), token = json_get(d, page, "token"),
		 properties = json_get(d, page, "properties");
	const char *wrong = NULL;

	c->request.offset = 0;
	c->request.limit = AUTHZEN_PAGE;
	if (hash_query(c, d, q, c->request.query) != KG_OK)
		return "the question is over the limit of this endpoint";
	if (page == JSON_NONE)
		return NULL;
	if (json_kind(d, page) != JK_OBJECT)
		return "page must be an object";
	if (properties != JSON_NONE && json_kind(d, properties) != JK_OBJECT)
		return "page.properties must be an object";
	if (limit != JSON_NONE)
		wrong = take_limit(c, d, limit);
	if (wrong == NULL && token != JSON_NONE)
		wrong = take_token(c, d, token, limit != JSON_NONE);
	return wrong;
}

void page_next(const struct conn *c, uint32_t count, char out[PAGE_TOKEN_LEN + 1])
{
	struct token t = {0};

	put32(t.offset, c->request.offset + count);
	put32(t.limit, c->request.limit);
	make_mac(c, &t, t.mac);
	sodium_bin2base64(out, PAGE_TOKEN_LEN + 1, (const uint8_t *)&t, sizeof(t),
			  sodium_base64_VARIANT_URLSAFE_NO_PADDING);
}
