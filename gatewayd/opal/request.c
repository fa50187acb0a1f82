/* A whole request: read strictly, then staged. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gatewayd/opal/opal.h"

#define NO_MEMORY "the endpoint is out of memory: try again"
#define TOO_LARGE "the set would have more than 990 documents, or more than 2,000,000 bytes"
#define BAD_TEXT "must be UTF-8 without control characters"

/* A text out of JSON, owned by the caller; NULL with *why. */
static char *take_text(const struct json_doc *d, uint32_t t, const char **why)
{
	char *text;
	size_t n;

	(void)json_raw(d, t, &n);
	text = malloc(n + 1);
	*why = NO_MEMORY;
	if (text == NULL)
		return NULL;
	*why = "must be a text";
	if (json_kind(d, t) == JK_STRING && json_unescape(d, t, text, n + 1) == KG_OK) {
		*why = BAD_TEXT;
		if (document_text_is_good(text, strlen(text)))
			return text;
	}
	free(text);
	return NULL;
}

static void refuse_member(struct conn *c, const char *member, const char *why)
{
	char text[160];

	snprintf(text, sizeof(text), "\"%s\" %s", member, why);
	opal_refuse(c, strcmp(why, NO_MEMORY) == 0 ? 503 : 400, text);
}

/* Stages one document, takes the text over. */
static void stage(struct conn *c, uint8_t kind, const char *id, const char *text, size_t len)
{
	const struct document *now = documents_find(&c->opal->staged, kind, id);
	bool same = now != NULL && now->len == len && memcmp(now->text, text, len) == 0;
	int r = same ? KG_OK : documents_put(&c->opal->staged, kind, id, text, len);

	if (r == KG_OK)
		opal_changed(c, same ? CHANGE_SAME : kind == DOCUMENT_POLICY ? CHANGE_PART : CHANGE_WHOLE);
	else
		opal_refuse(c, r == KG_E_LIMIT ? 413 : 503, r == KG_E_LIMIT ? TOO_LARGE : NO_MEMORY);
}

static void put_content(struct conn *c, uint8_t kind, const char *id)
{
	const struct json_doc *d = &c->opal->doc;
	const char *why;
	char *text = take_text(d, json_get(d, 0, "content"), &why);

	if (text == NULL)
		refuse_member(c, "content", why);
	else
		stage(c, kind, id, text, strlen(text));
	free(text);
}

static void put_policy(struct conn *c)
{
	const struct json_doc *d = &c->opal->doc;
	uint32_t id = json_get(d, 0, "id");

	if (id != JSON_NONE && !json_is(d, id, c->id))
		refuse_member(c, "id", "is another than that of the path");
	else
		put_content(c, DOCUMENT_POLICY, c->id);
}

static bool take_id(const struct json_doc *d, uint32_t t, char id[DOCUMENT_ID_MAX + 1])
{
	return json_kind(d, t) == JK_STRING && json_unescape(d, t, id, DOCUMENT_ID_MAX + 1) == KG_OK &&
	       document_id_is_good(id);
}

static void post_policy(struct conn *c)
{
	const struct json_doc *d = &c->opal->doc;

	if (!take_id(d, json_get(d, 0, "id"), c->id))
		refuse_member(c, "id", "must be 1 to 200 printable ASCII characters without quotes and backslashes");
	else if (documents_find(&c->opal->staged, DOCUMENT_POLICY, c->id) != NULL)
		opal_refuse(c, 409, "there is a policy of this id: PUT takes its place");
	else
		put_content(c, DOCUMENT_POLICY, c->id);
}

/* One of an array; a status, 0 when it is taken. */
static int take_policy(const struct json_doc *d, uint32_t t, struct documents *out, const char **why)
{
	char id[DOCUMENT_ID_MAX + 1], *text;
	int r;

	*why = "each policy must be {\"id\", \"content\"}, each id be there once, of 1 to 200 printable ASCII "
	       "characters without quotes and backslashes";
	if (!take_id(d, json_get(d, t, "id"), id) || documents_find(out, DOCUMENT_POLICY, id) != NULL)
		return 400;
	text = take_text(d, json_get(d, t, "content"), why);
	if (text == NULL)
		return strcmp(*why, NO_MEMORY) == 0 ? 503 : 400;
	r = documents_put(out, DOCUMENT_POLICY, id, text, strlen(text));
	free(text);
	*why = r == KG_E_LIMIT ? TOO_LARGE : NO_MEMORY;
	return r == KG_OK ? 0 : r == KG_E_LIMIT ? 413 : 503;
}

/* All policies at once take the place of all. */
static void put_policies(struct conn *c)
{
	const struct json_doc *d = &c->opal->doc;
	const char *why = NO_MEMORY;
	struct documents next;
	int status = documents_copy(&c->opal->staged, DOCUMENT_POLICY, &next) == KG_OK ? 0 : 503;

	for (uint32_t t = json_first(d, 0); status == 0 && t != JSON_NONE; t = json_after(d, 0, t))
		status = take_policy(d, t, &next, &why);
	if (status != 0) {
		documents_free(&next);
		opal_refuse(c, status, why);
		return;
	}
	documents_free(&c->opal->staged);
	c->opal->staged = next;
	opal_changed(c, CHANGE_WHOLE);
}

/* Its bytes as they came: what faults name are its lines and columns. */
static void put_data(struct conn *c)
{
	const struct json_doc *d = &c->opal->doc;

	if (document_text_is_good(d->text, d->len))
		stage(c, DOCUMENT_DATA, "", d->text, d->len);
	else
		opal_refuse(c, 400, "the entities " BAD_TEXT);
}

static void put_schema(struct conn *c)
{
	put_content(c, DOCUMENT_SCHEMA, "");
}

static void delete (struct conn *c)
{
	uint8_t kind = c->place == PLACE_POLICY ? DOCUMENT_POLICY
		       : c->place == PLACE_DATA ? DOCUMENT_DATA
						: DOCUMENT_SCHEMA;

	if (!documents_remove(&c->opal->staged, kind, c->id))
		opal_refuse(c, 404, "there is no such document");
	else
		opal_changed(c, kind == DOCUMENT_POLICY ? CHANGE_PART : CHANGE_WHOLE);
}

static const struct {
	enum place place;
	enum http1_method method;
	enum json_kind takes; /* 0: no body is read */
	void (*run)(struct conn *c);
} acts[] = {
	{PLACE_HEALTH, HTTP1_GET, 0, opal_show},
	{PLACE_STATUS, HTTP1_GET, 0, opal_show},
	{PLACE_POLICIES, HTTP1_GET, 0, opal_show},
	{PLACE_POLICIES, HTTP1_PUT, JK_ARRAY, put_policies},
	{PLACE_POLICIES, HTTP1_POST, JK_OBJECT, post_policy},
	{PLACE_POLICY, HTTP1_GET, 0, opal_show},
	{PLACE_POLICY, HTTP1_PUT, JK_OBJECT, put_policy},
	{PLACE_POLICY, HTTP1_DELETE, 0, delete},
	{PLACE_DATA, HTTP1_GET, 0, opal_show},
	{PLACE_DATA, HTTP1_PUT, JK_ARRAY, put_data},
	{PLACE_DATA, HTTP1_DELETE, 0, delete},
	{PLACE_SCHEMA, HTTP1_GET, 0, opal_show},
	{PLACE_SCHEMA, HTTP1_PUT, JK_OBJECT, put_schema},
	{PLACE_SCHEMA, HTTP1_DELETE, 0, delete},
};

static void refuse_json(struct conn *c, const struct json_error *e)
{
	char why[256];

	snprintf(why, sizeof(why), "not acceptable JSON, at byte %zu: %s", e->offset, e->why);
	opal_refuse(c, 400, why);
}

void opal_run(struct conn *c, const char *body, size_t len)
{
	struct json_error e = {0};
	size_t i = 0;

	if (c->refused == 401)
		opal_tell_refused(c);
	if (c->refused != 0) {
		opal_refuse(c, c->refused, c->why);
		return;
	}
	while (acts[i].place != c->place || acts[i].method != c->method)
		i++;
	if (acts[i].takes != 0 && json_scan(&c->opal->doc, body, len, &e) != KG_OK)
		refuse_json(c, &e);
	else if (acts[i].takes != 0 && json_kind(&c->opal->doc, 0) != acts[i].takes)
		opal_refuse(c, 400,
			    acts[i].takes == JK_ARRAY ? "the body must be an array" : "the body must be an object");
	else
		acts[i].run(c);
}
