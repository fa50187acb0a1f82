/* jsonschema_compile(): a list of schemas that are still to be compiled, beginning with the root. No recursion. */
#include <stdlib.h>
#include <string.h>

#include "common/jsonschema/js_build.h"
#include "common/jsonschema/js_error.h"
#include "common/jsonschema/js_regex.h"

#define ROOT_URI "keepgate:///"

int js_refuse(struct js_build *b, const struct js_doc *doc, uint32_t t, const char *what)
{
	struct js_words w = {.out = b->error->what, .size = sizeof(b->error->what)};

	js_pointer(&doc->json, t, b->error->path, sizeof(b->error->path));
	js_words_puts(&w, what);
	if (doc != b->s->docs) {
		js_words_puts(&w, " (in ");
		js_words_puts(&w, doc->uri);
		js_words_puts(&w, ")");
	}
	return KG_E_INVALID;
}

int js_wrong(const struct js_at *at, uint32_t t, const char *what)
{
	return js_refuse(at->b, at->node->doc, t, what);
}

int js_node_at(struct js_build *b, struct js_doc *doc, uint32_t t, struct js_resource *r, struct js_node **out)
{
	enum json_kind kind = json_kind(&doc->json, t);
	struct js_node *n = doc->node_of[t];
	int e;

	if (n != NULL) {
		*out = n;
		return 0;
	}
	if (kind != JK_OBJECT && kind != JK_TRUE && kind != JK_FALSE)
		return js_refuse(b, doc, t, "must be a schema: an object, true or false");
	e = js_alloc(b->s, sizeof(*n), &n);
	if (e != 0)
		return e;
	*n = (struct js_node){.doc = doc, .tok = t, .resource = doc->resource_of[t] != NULL ? doc->resource_of[t] : r};
	n->kind = kind == JK_OBJECT ? JS_KEYWORDS : kind == JK_TRUE ? JS_ALWAYS : JS_NEVER;
	if (kind == JK_OBJECT) {
		n->todo = b->todo;
		b->todo = n;
	}
	doc->node_of[t] = n;
	*out = n;
	return 0;
}

int js_child(const struct js_at *at, uint32_t t, struct js_node **out)
{
	return js_node_at(at->b, at->node->doc, t, at->node->resource, out);
}

int js_children(const struct js_at *at, uint32_t t, struct js_nodes *out)
{
	const struct json_doc *d = &at->node->doc->json;
	int r;

	if (json_kind(d, t) != JK_ARRAY || d->tok[t].count == 0)
		return js_wrong(at, t, "must be an array of schemas, and not empty");
	*out = (struct js_nodes){0};
	r = js_alloc_n(at->b->s, d->tok[t].count, sizeof(struct js_node *), &out->at);
	for (uint32_t e = json_first(d, t); e != JSON_NONE && r == 0; e = json_after(d, t, e))
		r = js_child(at, e, &out->at[out->n++]);
	return r;
}

/* The values of the keywords that hold in a schema object. */
static void gather(const struct js_node *n, uint32_t *value)
{
	const struct json_doc *d = &n->doc->json;
	const struct js_resource *r = n->resource;

	for (size_t i = 0; i < JS_KW_COUNT; i++)
		value[i] = JSON_NONE;
	for (uint32_t m = json_first(d, n->tok); m != JSON_NONE; m = json_after(d, n->tok, m + 1)) {
		enum js_keyword_id id = js_keyword_find(d, m, r->dialect, r->vocabularies);

		if (id != JS_KW_COUNT)
			value[id] = m + 1;
	}
	/* Draft 7, core section 8.3: all beside $ref is ignored. */
	if (r->dialect == JS_D7 && value[JS_KW_REF] != JSON_NONE) {
		for (size_t i = 0; i < JS_KW_COUNT; i++)
			value[i] = i == JS_KW_REF ? value[i] : JSON_NONE;
	}
}

static int compile_node(struct js_build *b, struct js_node *n)
{
	uint32_t value[JS_KW_COUNT];
	struct js_op ops[JS_KW_COUNT];
	int r = js_spend(&b->meter, 1 + (uint64_t)n->doc->json.tok[n->tok].count);

	if (r != 0)
		return r;
	gather(n, value);
	for (size_t i = 0; i < JS_KW_COUNT; i++) {
		const struct js_keyword *k = js_keyword((enum js_keyword_id)i);
		struct js_op *op = &ops[n->nops];
		struct js_at at = {.b = b, .node = n, .value = value[i], .beside = value, .op = op};

		if (value[i] == JSON_NONE || k->compile == NULL)
			continue;
		*op = (struct js_op){.keyword = k, .doc = &n->doc->json, .value = value[i]};
		r = k->compile(&at);
		if (r != 0)
			return r;
		if (op->keyword != NULL)
			n->nops++;
		if (i == JS_KW_UNEVALUATED_ITEMS || i == JS_KW_UNEVALUATED_PROPERTIES)
			n->unevaluated = true;
	}
	if (n->nops == 0) {
		n->kind = JS_ALWAYS;
		return 0;
	}
	r = js_alloc_n(b->s, n->nops, sizeof(*ops), &n->op);
	if (r == 0)
		memcpy(n->op, ops, n->nops * sizeof(*ops));
	return r;
}

static int compile_all(struct js_build *b)
{
	do {
		int r;

		while (b->todo != NULL) {
			struct js_node *n = b->todo;

			b->todo = n->todo;
			r = compile_node(b, n);
			if (r != 0)
				return r;
		}
		r = js_dynamics_complete(b);
		if (r != 0)
			return r;
	} while (b->todo != NULL);
	return 0;
}

static int build(struct js_build *b, const char *text, size_t len)
{
	struct js_doc *doc = NULL;
	int r;

	crypto_shorthash_keygen(b->s->key);
	r = js_regexes_new(&b->s->regexes);
	if (r == 0)
		r = js_document_add(b, ROOT_URI, text, len, &doc);
	if (r == 0)
		r = js_node_at(b, doc, 0, doc->resource_of[0], &b->s->root);
	return r != 0 ? r : compile_all(b);
}

int jsonschema_compile(const char *text, size_t len, enum jsonschema_dialect dialect,
		       const struct jsonschema_remote *remotes, size_t nremotes, struct jsonschema **out,
		       struct jsonschema_error *error)
{
	struct jsonschema_error own = {0};
	struct js_build b = {
		.dialect = dialect,
		.remotes = remotes,
		.nremotes = nremotes,
		.error = error == NULL ? &own : error,
		.meter = {JS_BUILD_STEPS_MAX},
	};
	int r = KG_E_LIMIT;

	*b.error = (struct jsonschema_error){0};
	b.s = calloc(1, sizeof(*b.s));
	if (b.s == NULL)
		return KG_E_NOMEM;
	if (len <= JSONSCHEMA_BYTES_MAX)
		r = build(&b, text, len);
	if (r == 0) {
		*out = b.s;
		return 0;
	}
	if (b.error->what[0] == '\0') {
		struct js_words w = {.out = b.error->what, .size = sizeof(b.error->what)};

		js_words_puts(&w, r == KG_E_LIMIT ? "is larger or more costly than a schema may be" : kg_strerror(r));
	}
	jsonschema_free(b.s);
	return r;
}

size_t jsonschema_size(const struct jsonschema *s)
{
	size_t size = sizeof(*s) + s->arena_bytes + js_regexes_size(s->regexes);

	for (const struct js_doc *d = s->docs; d != NULL; d = d->next)
		size += d->json.cap * sizeof(*d->json.tok) + d->json.nslots * sizeof(*d->json.slots);
	return size;
}

void jsonschema_free(struct jsonschema *s)
{
	if (s == NULL)
		return;
	for (struct js_doc *d = s->docs; d != NULL; d = d->next)
		json_free(&d->json);
	js_regexes_free(s->regexes);
	free(s->text);
	free(s->slots);
	js_arena_free(s);
	free(s);
}
