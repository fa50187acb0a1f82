/* type, enum, const. */
#include <stdio.h>
#include <string.h>

#include "common/jsonschema/js_error.h"
#include "common/jsonschema/js_kw.h"
#include "common/jsonschema/js_number.h"

/* The values of enum or const, with their hashes. */
struct js_values {
	uint32_t n;
	struct {
		uint64_t hash;
		uint32_t tok;
	} at[];
};

static const struct {
	const char *name, *words;
	uint32_t bits;
} types[] = {
	{"string", "a string", 1u << JK_STRING},  {"integer", "an integer", 1u << JS_INTEGER},
	{"number", "a number", 1u << JK_NUMBER},  {"boolean", "true or false", 1u << JK_TRUE | 1u << JK_FALSE},
	{"object", "an object", 1u << JK_OBJECT}, {"array", "an array", 1u << JK_ARRAY},
	{"null", "null", 1u << JK_NULL},
};

#define NTYPES (sizeof(types) / sizeof(*types))

static int add_type(const struct js_at *at, uint32_t t)
{
	for (size_t i = 0; i < NTYPES; i++) {
		if (json_is(&at->node->doc->json, t, types[i].name)) {
			at->op->types |= types[i].bits;
			return 0;
		}
	}
	return js_wrong(at, t, "must be a type: string, integer, number, boolean, object, array or null");
}

int js_compile_type(const struct js_at *at)
{
	const struct json_doc *d = &at->node->doc->json;
	int r = 0;

	if (json_kind(d, at->value) == JK_STRING)
		return add_type(at, at->value);
	if (json_kind(d, at->value) != JK_ARRAY || d->tok[at->value].count == 0)
		return js_wrong(at, at->value, "must be a type or an array of types");
	for (uint32_t t = json_first(d, at->value); t != JSON_NONE && r == 0; t = json_after(d, at->value, t))
		r = add_type(at, t);
	return r;
}

void js_type_words(uint32_t set, char *out, size_t size)
{
	struct js_words w = {.out = out, .size = size};

	out[0] = '\0';
	for (size_t i = 0; i < NTYPES; i++) {
		if ((set & types[i].bits) != types[i].bits)
			continue;
		if (w.len > 0)
			js_words_puts(&w, " or ");
		js_words_puts(&w, types[i].words);
	}
}

int js_type_is(struct js_check *c, uint32_t set, uint32_t t)
{
	enum json_kind kind = json_kind(c->doc, t);
	struct js_num n;
	int r;

	if ((set >> kind & 1) != 0)
		return 0;
	if (kind != JK_NUMBER || (set >> JS_INTEGER & 1) == 0)
		return KG_E_INVALID;
	r = js_spend(&c->meter, (c->doc->tok[t].end - c->doc->tok[t].start) / 64);
	if (r == 0)
		r = js_num_read(c->doc, t, &n);
	if (r != 0)
		return r;
	return js_num_is_integer(&n) ? 0 : KG_E_INVALID;
}

int js_check_type(struct js_check *c, const struct js_op *op, uint32_t t, struct js_seen *seen)
{
	int r = js_type_is(c, op->types, t);
	char words[128];

	(void)seen;
	if (r != KG_E_INVALID || c->quiet > 0)
		return r;
	js_type_words(op->types, words, sizeof(words));
	return js_fail(c, t, "must be %s", words);
}

static int new_values(const struct js_at *at, uint32_t n, struct js_values **out)
{
	int r = js_alloc(at->b->s, sizeof(**out) + n * sizeof((*out)->at[0]), out);

	if (r != 0)
		return r;
	at->op->values = *out;
	return 0;
}

static int add_value(const struct js_at *at, struct js_values *v, uint32_t t)
{
	uint64_t hash;
	int r = js_hash(at->b->s, &at->b->meter, at->op->doc, t, &hash);

	if (r != 0)
		return r;
	v->at[v->n].hash = hash;
	v->at[v->n++].tok = t;
	return 0;
}

int js_compile_enum(const struct js_at *at)
{
	const struct json_doc *d = &at->node->doc->json;
	struct js_values *v = NULL;
	int r;

	if (json_kind(d, at->value) != JK_ARRAY)
		return js_wrong(at, at->value, "must be an array");
	r = new_values(at, d->tok[at->value].count, &v);
	for (uint32_t t = json_first(d, at->value); t != JSON_NONE && r == 0; t = json_after(d, at->value, t))
		r = add_value(at, v, t);
	return r;
}

int js_compile_const(const struct js_at *at)
{
	struct js_values *v = NULL;
	int r = new_values(at, 1, &v);

	return r != 0 ? r : add_value(at, v, at->value);
}

/* Whether the value is one of those. */
static int is_among(struct js_check *c, const struct js_op *op, uint32_t t)
{
	const struct js_values *v = op->values;
	uint64_t hash;
	int r = js_hash(c->s, &c->meter, c->doc, t, &hash);

	if (r == 0)
		r = js_spend(&c->meter, v->n / 16);
	if (r != 0)
		return r;
	for (uint32_t i = 0; i < v->n; i++) {
		if (v->at[i].hash != hash)
			continue;
		r = js_equal(&c->meter, op->doc, v->at[i].tok, c->doc, t);
		if (r != KG_E_INVALID)
			return r;
	}
	return KG_E_INVALID;
}

int js_check_enum(struct js_check *c, const struct js_op *op, uint32_t t, struct js_seen *seen)
{
	int r = is_among(c, op, t);

	(void)seen;
	return r == KG_E_INVALID ? js_fail_value(c, t, "must be one of ", op) : r;
}

int js_check_const(struct js_check *c, const struct js_op *op, uint32_t t, struct js_seen *seen)
{
	int r = is_among(c, op, t);

	(void)seen;
	return r == KG_E_INVALID ? js_fail_value(c, t, "must be ", op) : r;
}
