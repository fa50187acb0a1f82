/* Schemas put together: allOf, anyOf, oneOf, not, if. */
#include "common/jsonschema/js_kw.h"

struct js_if {
	struct js_node *condition, *then, *otherwise; /* the last two or NULL */
};

int js_compile_schema(const struct js_at *at)
{
	return js_child(at, at->value, &at->op->node);
}

int js_compile_schemas(const struct js_at *at)
{
	return js_children(at, at->value, &at->op->nodes);
}

int js_check_all_of(struct js_check *c, const struct js_op *op, uint32_t t, struct js_seen *seen)
{
	int r = 0;

	for (uint32_t i = 0; i < op->nodes.n && r == 0; i++)
		r = js_apply(c, op->nodes.at[i], t, seen);
	return r;
}

/* The types that the alternatives begin with, when each begins with some: what is of none can be told so. */
static uint32_t types_of(const struct js_nodes *nodes)
{
	uint32_t types = 0;

	for (uint32_t i = 0; i < nodes->n; i++) {
		const struct js_node *n = nodes->at[i];

		if (n->nops == 0 || n->op[0].keyword != js_keyword(JS_KW_TYPE))
			return 0;
		types |= n->op[0].types;
	}
	return types;
}

static int fail_alternatives(struct js_check *c, const struct js_op *op, uint32_t t)
{
	char words[128];
	uint32_t types;

	if (c->quiet > 0)
		return KG_E_INVALID;
	types = types_of(&op->nodes);
	if (types == 0 || js_type_is(c, types, t) == 0)
		return js_fail(c, t, "must have one of the %u forms that are allowed here", op->nodes.n);
	js_type_words(types, words, sizeof(words));
	return js_fail(c, t, "must be %s", words);
}

/* How many of the schemas hold, of at most `most`. */
static int count(struct js_check *c, const struct js_op *op, uint32_t t, struct js_seen *seen, uint32_t most,
		 uint32_t *held)
{
	*held = 0;
	for (uint32_t i = 0; i < op->nodes.n && *held < most; i++) {
		int r = js_spend(&c->meter, 1);

		if (r == 0)
			r = js_try(c, op->nodes.at[i], t, seen);
		if (r != 0 && r != KG_E_INVALID)
			return r;
		*held += r == 0;
	}
	return 0;
}

/* When it is asked what has been evaluated, all that hold have a say. */
int js_check_any_of(struct js_check *c, const struct js_op *op, uint32_t t, struct js_seen *seen)
{
	uint32_t held;
	int r = count(c, op, t, seen, seen == NULL ? 1 : UINT32_MAX, &held);

	return r != 0 || held > 0 ? r : fail_alternatives(c, op, t);
}

int js_check_one_of(struct js_check *c, const struct js_op *op, uint32_t t, struct js_seen *seen)
{
	uint32_t held;
	int r = count(c, op, t, seen, 2, &held);

	if (r != 0 || held == 1)
		return r;
	if (held == 0)
		return fail_alternatives(c, op, t);
	return js_fail(c, t, "must have only one of the %u forms that are allowed here", op->nodes.n);
}

int js_check_not(struct js_check *c, const struct js_op *op, uint32_t t, struct js_seen *seen)
{
	int r = js_try(c, op->node, t, NULL);

	(void)seen;
	if (r == 0)
		return js_fail(c, t, "must not have a form that is excluded here");
	return r == KG_E_INVALID ? 0 : r;
}

int js_compile_if(const struct js_at *at)
{
	uint32_t then = at->beside[JS_KW_THEN], otherwise = at->beside[JS_KW_ELSE];
	struct js_if *branches = NULL;
	int r = js_alloc(at->b->s, sizeof(*branches), &branches);

	if (r != 0)
		return r;
	at->op->branches = branches;
	r = js_child(at, at->value, &branches->condition);
	if (r == 0 && then != JSON_NONE)
		r = js_child(at, then, &branches->then);
	if (r == 0 && otherwise != JSON_NONE)
		r = js_child(at, otherwise, &branches->otherwise);
	return r;
}

int js_check_if(struct js_check *c, const struct js_op *op, uint32_t t, struct js_seen *seen)
{
	const struct js_node *branch;
	int r = js_try(c, op->branches->condition, t, seen);

	if (r != 0 && r != KG_E_INVALID)
		return r;
	branch = r == 0 ? op->branches->then : op->branches->otherwise;
	return branch == NULL ? 0 : js_apply(c, branch, t, seen);
}
