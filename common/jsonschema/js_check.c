/* Applying schemas to values. Recursion is bounded by JSONSCHEMA_NESTING_MAX, work by JSONSCHEMA_STEPS_MAX. */
#include "common/jsonschema/js_check.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/jsonschema/js_error.h"

#define SCRATCH_KEPT 65536u

int js_fail(struct js_check *c, uint32_t t, const char *fmt, ...)
{
	char text[JSONSCHEMA_WHAT_MAX];
	struct js_words w = {.out = c->error->what, .size = sizeof(c->error->what)};
	va_list args;

	if (c->quiet > 0)
		return KG_E_INVALID;
	va_start(args, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	js_words_puts(&w, text);
	js_pointer(c->doc, t, c->error->path, sizeof(c->error->path));
	return KG_E_INVALID;
}

int js_fail_value(struct js_check *c, uint32_t t, const char *words, const struct js_op *op)
{
	struct js_words w = {.out = c->error->what, .size = sizeof(c->error->what)};
	size_t len;
	const char *raw = json_raw(op->doc, op->value, &len);

	if (c->quiet > 0)
		return KG_E_INVALID;
	js_words_puts(&w, words);
	js_words_add(&w, raw, len);
	js_pointer(c->doc, t, c->error->path, sizeof(c->error->path));
	return KG_E_INVALID;
}

int js_fail_missing(struct js_check *c, uint32_t t, const char *name, size_t len)
{
	struct js_words w = {.out = c->error->path, .size = sizeof(c->error->path)};

	if (c->quiet > 0)
		return KG_E_INVALID;
	(void)js_fail(c, t, "is missing");
	w.len = strlen(c->error->path);
	js_words_puts(&w, "/");
	for (size_t i = 0; i < len;) {
		size_t plain = i;

		while (plain < len && name[plain] != '~' && name[plain] != '/')
			plain++;
		js_words_add(&w, name + i, plain - i);
		if (plain < len)
			js_words_puts(&w, name[plain] == '~' ? "~0" : "~1");
		i = plain + 1;
	}
	return KG_E_INVALID;
}

static int run(struct js_check *c, const struct js_node *n, uint32_t t, struct js_seen *seen)
{
	for (uint16_t i = 0; i < n->nops; i++) {
		const struct js_op *op = &n->op[i];
		int r = js_spend(&c->meter, 1);

		if (r == 0)
			r = op->keyword->check(c, op, t, seen);
		if (r != 0)
			return r;
	}
	return 0;
}

/* A schema with unevaluated* sees what its own keywords have evaluated, not what those beside it in the parent have. */
static int run_apart(struct js_check *c, const struct js_node *n, uint32_t t, struct js_seen *seen)
{
	struct js_seen own;
	int r = js_spend(&c->meter, c->doc->tok[t].count / 64);

	if (r == 0)
		r = js_seen_init(&own, c->doc->tok[t].count);
	if (r != 0)
		return r;
	r = run(c, n, t, &own);
	if (r == 0 && seen != NULL)
		js_seen_add(seen, &own);
	js_seen_free(&own);
	return r;
}

int js_apply(struct js_check *c, const struct js_node *n, uint32_t t, struct js_seen *seen)
{
	uint32_t scopes = c->nscopes;
	int r;

	if (n->kind == JS_ALWAYS)
		return 0;
	if (n->kind == JS_NEVER)
		return js_fail(c, t, "is not allowed here");
	if (c->nesting == JSONSCHEMA_NESTING_MAX)
		return KG_E_LIMIT;
	c->nesting++;
	if (scopes == 0 || c->scope[scopes - 1] != n->resource)
		c->scope[c->nscopes++] = n->resource;
	r = n->unevaluated ? run_apart(c, n, t, seen) : run(c, n, t, seen);
	c->nscopes = scopes;
	c->nesting--;
	return r;
}

int js_try(struct js_check *c, const struct js_node *n, uint32_t t, struct js_seen *seen)
{
	struct js_seen own;
	int r;

	c->quiet++;
	if (seen == NULL) {
		r = js_apply(c, n, t, NULL);
		c->quiet--;
		return r;
	}
	r = js_spend(&c->meter, c->doc->tok[t].count / 64);
	if (r == 0)
		r = js_seen_init(&own, c->doc->tok[t].count);
	if (r == 0) {
		r = js_apply(c, n, t, &own);
		if (r == 0)
			js_seen_add(seen, &own);
		js_seen_free(&own);
	}
	c->quiet--;
	return r;
}

/* What one large value needed is not kept for all the small ones. */
static void trim(struct jsonschema *s)
{
	if (s->text_cap > SCRATCH_KEPT) {
		free(s->text);
		s->text = NULL;
		s->text_cap = 0;
	}
	if (s->slots_cap > SCRATCH_KEPT / sizeof(*s->slots)) {
		free(s->slots);
		s->slots = NULL;
		s->slots_cap = 0;
	}
}

int jsonschema_check(struct jsonschema *s, const struct json_doc *doc, uint32_t t, struct jsonschema_error *error)
{
	struct jsonschema_error own;
	struct js_check c;
	int r;

	own.path[0] = own.what[0] = '\0';
	if (t >= doc->ntok)
		return KG_E_INVALID;
	c.s = s;
	c.doc = doc;
	c.meter.left = JSONSCHEMA_STEPS_MAX;
	c.error = error == NULL ? &own : error;
	c.quiet = c.nesting = c.nscopes = 0;
	c.error->path[0] = c.error->what[0] = '\0';
	r = js_apply(&c, s->root, t, NULL);
	if (r != 0 && r != KG_E_INVALID)
		(void)js_fail(&c, t,
			      r == KG_E_LIMIT ? "is larger or more costly than can be checked"
					      : "cannot be checked now");
	trim(s);
	return r;
}
