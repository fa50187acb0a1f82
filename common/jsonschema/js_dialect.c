/* $schema and $vocabulary: which keywords hold in a resource (2020-12 core, section 8.1). */
#include <stdio.h>
#include <string.h>

#include "common/jsonschema/js_build.h"
#include "common/jsonschema/js_uri.h"

static const struct {
	const char *uri;
	uint8_t dialect;
} dialects[] = {
	{"https://json-schema.org/draft/2020-12/schema", JS_D2020},
	{"http://json-schema.org/draft-07/schema", JS_D7},
	/* As they are often miswritten: there is no other dialect that they could mean. */
	{"http://json-schema.org/draft/2020-12/schema", JS_D2020},
	{"https://json-schema.org/draft-07/schema", JS_D7},
};

#define VOCAB "https://json-schema.org/draft/2020-12/vocab/"

static const struct {
	const char *uri;
	uint8_t bit; /* 0: annotations only */
} vocabularies[] = {
	{VOCAB "core", JS_CORE},
	{VOCAB "applicator", JS_APPLICATOR},
	{VOCAB "validation", JS_VALIDATION},
	{VOCAB "unevaluated", JS_UNEVALUATED},
	{VOCAB "meta-data", 0},
	{VOCAB "format-annotation", 0},
	{VOCAB "content", 0},
};

static uint8_t dialect_of(const char *uri)
{
	for (size_t i = 0; i < sizeof(dialects) / sizeof(*dialects); i++) {
		if (strcmp(dialects[i].uri, uri) == 0)
			return dialects[i].dialect;
	}
	return 0;
}

/* One member of $vocabulary: what we do not know may be there, but must not be required. */
static int add_vocabulary(struct js_build *b, const struct js_doc *meta, uint32_t name, uint8_t *bits)
{
	for (size_t i = 0; i < sizeof(vocabularies) / sizeof(*vocabularies); i++) {
		if (json_is(&meta->json, name, vocabularies[i].uri)) {
			*bits |= vocabularies[i].bit;
			return 0;
		}
	}
	if (json_kind(&meta->json, name + 1) == JK_TRUE)
		return js_refuse(b, meta, name + 1, "requires a vocabulary that is not known");
	return 0;
}

/* A meta-schema of somebody else's: it is of the dialect of its own $schema. */
static int dialect_of_meta(struct js_build *b, const struct js_doc *meta, struct js_resource *r)
{
	uint32_t list = json_get(&meta->json, 0, "$vocabulary");
	struct js_resource *own = meta->resource_of[0];
	uint8_t bits = JS_CORE;

	r->dialect = own->dialect;
	r->vocabularies = JS_ALL_VOCABULARIES;
	if (r->dialect != JS_D2020 || json_kind(&meta->json, list) != JK_OBJECT)
		return 0;
	for (uint32_t m = json_first(&meta->json, list); m != JSON_NONE; m = json_after(&meta->json, list, m + 1)) {
		int e = add_vocabulary(b, meta, m, &bits);

		if (e != 0)
			return e;
	}
	r->vocabularies = bits;
	return 0;
}

int js_dialect_choose(struct js_build *b, struct js_resource *r, uint32_t schema_value)
{
	char text[JS_URI_MAX], uri[JS_URI_MAX], fragment[JS_URI_MAX];
	struct js_doc *meta = NULL;
	int e = js_text_of(b, r->doc, schema_value, text, sizeof(text));

	if (e != 0)
		return e;
	if (js_uri_resolve(r->uri, text, uri, fragment) != 0 || fragment[0] != '\0')
		return js_refuse(b, r->doc, schema_value, "names no known dialect");
	r->dialect = dialect_of(uri);
	r->vocabularies = JS_ALL_VOCABULARIES;
	if (r->dialect != 0)
		return 0;
	if (strcmp(uri, r->uri) == 0)
		return js_refuse(b, r->doc, schema_value, "names no known dialect");
	e = js_document(b, uri, &meta);
	if (e == KG_E_NOTFOUND)
		return js_refuse(b, r->doc, schema_value,
				 "names no known dialect (known are draft 2020-12 and draft 7)");
	if (e != 0)
		return e;
	/* Two meta-schemas that name each other end here: the first is not done yet. */
	if (meta->resource_of[0] == NULL || meta->resource_of[0]->dialect == 0)
		return js_refuse(b, r->doc, schema_value, "names no known dialect");
	return dialect_of_meta(b, meta, r);
}
