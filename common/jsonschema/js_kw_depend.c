/* What a member that is there asks of the others. */
#include "common/jsonschema/js_kw.h"

struct dependency {
	struct js_node *node; /* or NULL: names */
	struct js_names names;
};

struct js_dependencies {
	struct js_names names;
	struct dependency *of; /* of each name */
};

enum kinds { NAMES = 1, SCHEMAS = 2 };

static int compile_one(const struct js_at *at, uint32_t t, enum kinds kinds, struct dependency *out)
{
	bool names = kinds == NAMES || ((kinds & NAMES) != 0 && json_kind(at->op->doc, t) == JK_ARRAY);

	return names ? js_names_read(at, t, &out->names) : js_child(at, t, &out->node);
}

static int compile(const struct js_at *at, enum kinds kinds)
{
	const struct json_doc *d = at->op->doc;
	struct js_dependencies *all = NULL;
	uint32_t place;
	int r;

	if (json_kind(d, at->value) != JK_OBJECT)
		return js_wrong(at, at->value, "must be an object");
	r = js_alloc(at->b->s, sizeof(*all), &all);
	if (r == 0)
		r = js_names_init(at->b->s, &all->names, d->tok[at->value].count);
	if (r == 0)
		r = js_alloc_n(at->b->s, d->tok[at->value].count, sizeof(*all->of), &all->of);
	for (uint32_t m = json_first(d, at->value); m != JSON_NONE && r == 0; m = json_after(d, at->value, m + 1)) {
		r = js_names_add(at->b->s, &all->names, d, m, &place);
		if (r == 0)
			r = compile_one(at, m + 1, kinds, &all->of[place]);
	}
	at->op->dependencies = all;
	return r;
}

int js_compile_dependent_required(const struct js_at *at)
{
	return compile(at, NAMES);
}

int js_compile_dependent_schemas(const struct js_at *at)
{
	return compile(at, SCHEMAS);
}

int js_compile_dependencies(const struct js_at *at)
{
	return compile(at, NAMES | SCHEMAS);
}

int js_check_dependencies(struct js_check *c, const struct js_op *op, uint32_t t, struct js_seen *seen)
{
	const struct js_dependencies *all = op->dependencies;

	if (json_kind(c->doc, t) != JK_OBJECT)
		return 0;
	for (uint32_t m = json_first(c->doc, t); m != JSON_NONE; m = json_after(c->doc, t, m + 1)) {
		const char *text;
		uint32_t place;
		size_t len;
		int r = js_string(c, m, &text, &len);

		if (r != 0)
			return r;
		place = js_names_find(c->s, &all->names, text, len);
		if (place == JS_NO_NAME)
			continue;
		r = all->of[place].node != NULL ? js_apply(c, all->of[place].node, t, seen)
						: js_has_all(c, t, &all->of[place].names);
		if (r != 0)
			return r;
	}
	return 0;
}
