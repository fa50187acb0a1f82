/* The texts that references may lead to: the schema itself, the caller's remotes and the compiled-in meta-schemas. */
#include <string.h>

#include "common/jsonschema/js_build.h"
#include "common/jsonschema/js_meta.h"
#include "common/jsonschema/js_uri.h"

static int scan(struct js_build *b, struct js_doc *doc, const char *text, size_t len)
{
	struct json_error why;
	int r = json_scan(&doc->json, text, len, &why);

	if (r == 0)
		return 0;
	(void)js_refuse(b, doc, JSON_NONE, why.why);
	return r == KG_E_PROTO ? KG_E_INVALID : r;
}

int js_document_add(struct js_build *b, const char *uri, const char *text, size_t len, struct js_doc **out)
{
	struct jsonschema *s = b->s;
	struct js_doc *doc = NULL, **end = &s->docs;
	const char *copy = NULL;
	int r = js_alloc(s, sizeof(*doc), &doc);

	if (r == 0)
		r = js_copy(s, uri, strlen(uri), &doc->uri);
	if (r == 0)
		r = js_copy(s, text, len, &copy);
	if (r != 0)
		return r;
	json_init(&doc->json);
	while (*end != NULL)
		end = &(*end)->next;
	*end = doc;
	r = scan(b, doc, copy, len);
	if (r == 0)
		r = js_alloc_n(s, doc->json.ntok, sizeof(*doc->resource_of), &doc->resource_of);
	if (r == 0)
		r = js_alloc_n(s, doc->json.ntok, sizeof(struct js_node *), &doc->node_of);
	if (r == 0)
		r = js_index_document(b, doc);
	if (r == 0)
		*out = doc;
	return r;
}

/* A remote's URI may be written with an empty fragment. */
static bool same_uri(const char *a, const char *b)
{
	size_t n = strcspn(a, "#");

	return strncmp(a, b, n) == 0 && b[n] == '\0';
}

int js_document(struct js_build *b, const char *uri, struct js_doc **out)
{
	const char *text;
	size_t len;

	for (struct js_doc *d = b->s->docs; d != NULL; d = d->next) {
		if (strcmp(d->uri, uri) == 0) {
			*out = d;
			return 0;
		}
	}
	for (size_t i = 0; i < b->nremotes; i++) {
		const struct jsonschema_remote *remote = &b->remotes[i];

		if (same_uri(remote->uri, uri))
			return remote->len > JSONSCHEMA_BYTES_MAX
				       ? KG_E_LIMIT
				       : js_document_add(b, uri, remote->text, remote->len, out);
	}
	text = js_meta_find(uri, &len);
	return text == NULL ? KG_E_NOTFOUND : js_document_add(b, uri, text, len, out);
}
