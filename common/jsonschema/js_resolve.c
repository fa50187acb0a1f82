/* Following references while compiling: URI, then fragment (an anchor or a JSON pointer, RFC 6901). */
#include <stdio.h>
#include <string.h>

#include "common/jsonschema/js_build.h"
#include "common/jsonschema/js_uri.h"

int js_text_of(struct js_build *b, const struct js_doc *doc, uint32_t t, char *out, size_t size)
{
	int r = json_unescape(&doc->json, t, out, size);

	if (r == KG_E_LIMIT) {
		(void)js_refuse(b, doc, t, "is too long");
		return KG_E_LIMIT;
	}
	return r == 0 ? 0 : js_refuse(b, doc, t, "must be a string");
}

int js_resource_find(struct js_build *b, const char *uri, struct js_resource **out)
{
	*out = NULL;
	for (const struct js_known *k = b->known; k != NULL; k = k->next) {
		if (strcmp(k->uri, uri) == 0) {
			*out = k->resource;
			break;
		}
	}
	return js_spend(&b->meter, b->nknown);
}

int js_anchor_find(struct js_build *b, const struct js_resource *r, const char *name, const struct js_anchor **out)
{
	*out = NULL;
	for (const struct js_anchor *a = b->anchors; a != NULL; a = a->next) {
		if (a->resource == r && strcmp(a->name, name) == 0) {
			*out = a;
			break;
		}
	}
	return js_spend(&b->meter, b->nanchors);
}

/* The next step of a pointer, unescaped in place; NULL when there is none, or behind a bad ~. */
static const char *next_step(char **pointer)
{
	char *p = *pointer, *to, *step;

	if (*p != '/')
		return NULL;
	step = to = ++p;
	for (; *p != '\0' && *p != '/'; p++) {
		if (*p != '~') {
			*to++ = *p;
			continue;
		}
		p++;
		if (*p != '0' && *p != '1')
			return NULL;
		*to++ = *p == '0' ? '~' : '/';
	}
	*pointer = p;
	/* What ends the step is overwritten only behind what was read; a slash is put back by the caller. */
	if (to < p)
		*to = '\0';
	return step;
}

static uint32_t element(const struct json_doc *d, uint32_t array, const char *step)
{
	uint32_t t = json_first(d, array);
	size_t len = strlen(step);
	uint32_t index = 0;

	if (len == 0 || len > 7 || strspn(step, "0123456789") != len || (step[0] == '0' && len > 1))
		return JSON_NONE;
	for (const char *p = step; *p != '\0'; p++)
		index = index * 10 + (uint32_t)(*p - '0');
	while (t != JSON_NONE && index-- > 0)
		t = json_after(d, array, t);
	return t;
}

/* One step from place; false when it leads nowhere. An $id on the way changes the resource. */
static bool walk(struct js_place *place, const char *step)
{
	const struct json_doc *d = &place->doc->json;
	uint32_t t =
		json_kind(d, place->tok) == JK_ARRAY ? element(d, place->tok, step) : json_get(d, place->tok, step);

	if (t == JSON_NONE)
		return false;
	place->tok = t;
	if (place->doc->resource_of[t] != NULL)
		place->resource = place->doc->resource_of[t];
	return true;
}

static int follow_pointer(struct js_build *b, char *pointer, struct js_place *place)
{
	while (*pointer != '\0') {
		const char *step = next_step(&pointer);
		char end;
		int r;

		if (step == NULL)
			return KG_E_NOTFOUND;
		r = js_spend(&b->meter, 1 + (uint64_t)place->doc->json.tok[place->tok].count);
		if (r != 0)
			return r;
		end = *pointer;
		*pointer = '\0';
		if (!walk(place, step))
			return KG_E_NOTFOUND;
		*pointer = end;
	}
	return 0;
}

static int follow_anchor(struct js_build *b, const char *name, struct js_place *place)
{
	const struct js_anchor *a = NULL;
	int r = js_anchor_find(b, place->resource, name, &a);

	if (r != 0)
		return r;
	if (a == NULL)
		return KG_E_NOTFOUND;
	place->tok = a->tok;
	place->anchor = a;
	place->resource = place->doc->resource_of[a->tok];
	return 0;
}

static int find_resource(struct js_build *b, const char *uri, struct js_resource **out)
{
	struct js_doc *doc = NULL;
	int r = js_resource_find(b, uri, out);

	if (r != 0 || *out != NULL)
		return r;
	r = js_document(b, uri, &doc);
	if (r == 0)
		*out = doc->resource_of[0];
	return r;
}

static int follow(struct js_build *b, const char *uri, char *fragment, struct js_place *out)
{
	struct js_resource *resource = NULL;
	int r = find_resource(b, uri, &resource);

	if (r != 0)
		return r;
	*out = (struct js_place){.doc = resource->doc, .tok = resource->root, .resource = resource};
	if (fragment[0] == '\0')
		return 0;
	r = fragment[0] == '/' ? follow_pointer(b, fragment, out) : follow_anchor(b, fragment, out);
	/* A pointer may lead to a place where no schema was expected: what is in it was not looked for yet. */
	return r != 0 ? r : js_index(b, out->doc, out->tok, out->resource);
}

int js_resolve(struct js_build *b, const struct js_doc *doc, struct js_resource *from, uint32_t t, struct js_place *out)
{
	char text[JS_URI_MAX], uri[JS_URI_MAX], fragment[JS_URI_MAX];
	int r = js_text_of(b, doc, t, text, sizeof(text));

	if (r != 0)
		return r;
	r = js_uri_resolve(from->uri, text, uri, fragment);
	if (r == KG_E_INVALID)
		return js_refuse(b, doc, t, "must be the reference of a URI");
	if (r == 0)
		r = follow(b, uri, fragment, out);
	if (r == KG_E_NOTFOUND)
		return js_refuse(b, doc, t, "refers to a schema that is not there");
	if (r == 0)
		out->resource = out->doc->resource_of[out->tok];
	return r;
}
