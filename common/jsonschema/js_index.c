/* Finding the schemas inside a document that have a name: $id, $anchor, $dynamicAnchor. Depth is the scanner's. */
#include <stdio.h>
#include <string.h>

#include "common/jsonschema/js_build.h"
#include "common/jsonschema/js_uri.h"

#define ANCHOR_MAX 256

static int add_known(struct js_build *b, const char *uri, struct js_resource *r, uint32_t t)
{
	struct js_known *k = NULL;
	struct js_resource *other = NULL;
	int e = js_resource_find(b, uri, &other);

	if (e != 0 || other == r)
		return e;
	if (other != NULL)
		return js_refuse(b, r->doc, t, "names a schema that is there twice");
	e = js_alloc(b->s, sizeof(*k), &k);
	if (e != 0)
		return e;
	*k = (struct js_known){uri, r, b->known};
	b->known = k;
	b->nknown++;
	return 0;
}

static int add_resource(struct js_build *b, struct js_doc *doc, uint32_t t, const char *uri, struct js_resource **out)
{
	struct js_resource *r = NULL;
	int e = js_alloc(b->s, sizeof(*r), &r);

	if (e != 0)
		return e;
	*r = (struct js_resource){.doc = doc, .root = t, .id = b->s->nresources++, .next = b->s->resources};
	b->s->resources = r;
	*out = r;
	return js_copy(b->s, uri, strlen(uri), &r->uri);
}

static bool is_anchor(const char *name)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_";

	return name[0] != '\0' && strchr(letters, name[0]) != NULL &&
	       name[1 + strspn(name + 1, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_0123456789-.")] == '\0';
}

static int add_anchor(struct js_build *b, struct js_resource *r, const char *name, uint32_t t, uint32_t value,
		      bool dynamic)
{
	const struct js_anchor *other = NULL;
	struct js_anchor *a = NULL;
	int e = js_anchor_find(b, r, name, &other);

	if (e != 0)
		return e;
	/* The same schema may have one name as both kinds of anchor. */
	if (other != NULL && other->tok != t)
		return js_refuse(b, r->doc, value, "is an anchor that is there twice");
	e = js_alloc(b->s, sizeof(*a), &a);
	if (e == 0)
		e = js_copy(b->s, name, strlen(name), &a->name);
	if (e != 0)
		return e;
	a->resource = r;
	a->tok = t;
	a->dynamic = dynamic || (other != NULL && other->dynamic);
	a->next = b->anchors;
	b->anchors = a;
	b->nanchors++;
	return 0;
}

static int index_anchor(struct js_build *b, struct js_resource *r, uint32_t t, const char *keyword, bool dynamic)
{
	uint32_t value = json_get(&r->doc->json, t, keyword);
	char name[ANCHOR_MAX];
	int e;

	if (value == JSON_NONE)
		return 0;
	e = js_text_of(b, r->doc, value, name, sizeof(name));
	if (e != 0)
		return e;
	if (!is_anchor(name))
		return js_refuse(b, r->doc, value, "must be a name: a letter or _, then letters, digits, and -._");
	return add_anchor(b, r, name, t, value, dynamic);
}

/* A resource that begins at t. base is what its $id is relative to. */
static int begin_resource(struct js_build *b, struct js_doc *doc, uint32_t t, const char *uri, uint8_t dialect,
			  uint8_t vocabularies, struct js_resource **out)
{
	uint32_t schema = json_get(&doc->json, t, "$schema");
	struct js_resource *r = NULL;
	int e = add_resource(b, doc, t, uri, &r);

	if (e != 0)
		return e;
	doc->resource_of[t] = r;
	if (schema != JSON_NONE) {
		e = js_dialect_choose(b, r, schema);
	} else {
		r->dialect = dialect;
		r->vocabularies = vocabularies;
	}
	*out = r;
	return e;
}

/* Draft 7 has a fragment in $id where 2020-12 has $anchor, and hides an $id beside $ref. */
static int index_id(struct js_build *b, struct js_doc *doc, uint32_t t, struct js_resource **r)
{
	char text[JS_URI_MAX], uri[JS_URI_MAX], fragment[JS_URI_MAX];
	uint32_t id = json_get(&doc->json, t, "$id");
	uint8_t dialect = (*r)->dialect;
	int e;

	if (id == JSON_NONE || (dialect == JS_D7 && json_get(&doc->json, t, "$ref") != JSON_NONE))
		return 0;
	e = js_text_of(b, doc, id, text, sizeof(text));
	if (e != 0)
		return e;
	if (js_uri_resolve((*r)->uri, text, uri, fragment) != 0)
		return js_refuse(b, doc, id, "must be the reference of a URI");
	if (text[0] != '#' && (*r)->root == t && (*r)->doc == doc) {
		/* The root of a document: its own name beside the one it came under. */
		e = js_copy(b->s, uri, strlen(uri), &(*r)->uri);
		if (e == 0)
			e = add_known(b, (*r)->uri, *r, id);
	} else if (text[0] != '#') {
		e = begin_resource(b, doc, t, uri, dialect, (*r)->vocabularies, r);
		if (e == 0)
			e = add_known(b, (*r)->uri, *r, id);
	}
	if (e != 0 || fragment[0] == '\0')
		return e;
	if ((*r)->dialect != JS_D7)
		return js_refuse(b, doc, id, "must not have a fragment");
	return add_anchor(b, *r, fragment, t, id, false);
}

static int index_list(struct js_build *b, struct js_doc *doc, uint32_t list, struct js_resource *r)
{
	int e = 0;

	if (json_kind(&doc->json, list) != JK_ARRAY)
		return 0;
	for (uint32_t t = json_first(&doc->json, list); t != JSON_NONE && e == 0; t = json_after(&doc->json, list, t))
		e = js_index(b, doc, t, r);
	return e;
}

static int index_map(struct js_build *b, struct js_doc *doc, uint32_t map, struct js_resource *r)
{
	int e = 0;

	if (json_kind(&doc->json, map) != JK_OBJECT)
		return 0;
	for (uint32_t m = json_first(&doc->json, map); m != JSON_NONE && e == 0;
	     m = json_after(&doc->json, map, m + 1)) {
		if (json_kind(&doc->json, m + 1) != JK_ARRAY)
			e = js_index(b, doc, m + 1, r);
	}
	return e;
}

static int index_member(struct js_build *b, struct js_doc *doc, uint32_t name, struct js_resource *r)
{
	enum js_keyword_id id = js_keyword_find(&doc->json, name, r->dialect, JS_ALL_VOCABULARIES);
	enum js_holds holds = id == JS_KW_COUNT ? JS_NOTHING : js_keyword(id)->holds;

	if (holds == JS_SCHEMA_OR_LIST)
		holds = json_kind(&doc->json, name + 1) == JK_ARRAY ? JS_SCHEMA_LIST : JS_SCHEMA;
	switch (holds) {
	case JS_SCHEMA:
		return js_index(b, doc, name + 1, r);
	case JS_SCHEMA_LIST:
		return index_list(b, doc, name + 1, r);
	case JS_SCHEMA_MAP:
		return index_map(b, doc, name + 1, r);
	default:
		return 0;
	}
}

static int index_members(struct js_build *b, struct js_doc *doc, uint32_t t, struct js_resource *r)
{
	int e = js_spend(&b->meter, 8 + (uint64_t)doc->json.tok[t].count * 4);

	if (e == 0 && r->dialect == JS_D2020)
		e = index_anchor(b, r, t, "$anchor", false);
	if (e == 0 && r->dialect == JS_D2020)
		e = index_anchor(b, r, t, "$dynamicAnchor", true);
	for (uint32_t m = json_first(&doc->json, t); m != JSON_NONE && e == 0; m = json_after(&doc->json, t, m + 1))
		e = index_member(b, doc, m, r);
	return e;
}

int js_index(struct js_build *b, struct js_doc *doc, uint32_t t, struct js_resource *around)
{
	int e;

	if (doc->resource_of[t] != NULL)
		return 0;
	doc->resource_of[t] = around;
	if (json_kind(&doc->json, t) != JK_OBJECT)
		return 0;
	e = index_id(b, doc, t, &around);
	return e != 0 ? e : index_members(b, doc, t, around);
}

int js_index_document(struct js_build *b, struct js_doc *doc)
{
	struct js_resource *r = NULL;
	int e = begin_resource(b, doc, 0, doc->uri, b->dialect == JSONSCHEMA_DRAFT7 ? JS_D7 : JS_D2020,
			       JS_ALL_VOCABULARIES, &r);

	if (e == 0)
		e = add_known(b, r->uri, r, 0);
	if (e != 0 || json_kind(&doc->json, 0) != JK_OBJECT)
		return e;
	e = index_id(b, doc, 0, &r);
	return e != 0 ? e : index_members(b, doc, 0, r);
}
