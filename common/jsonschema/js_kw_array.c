/* Elements of arrays. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/jsonschema/js_kw.h"

struct js_items {
	struct js_nodes prefix;
	struct js_node *rest; /* or NULL */
};

struct js_contains {
	struct js_node *node;
	uint64_t least, most;
};

static bool is_array(const struct js_check *c, uint32_t t)
{
	return json_kind(c->doc, t) == JK_ARRAY;
}

int js_check_max_items(struct js_check *c, const struct js_op *op, uint32_t t, struct js_seen *seen)
{
	(void)seen;
	if (!is_array(c, t) || c->doc->tok[t].count <= op->count)
		return 0;
	return js_fail(c, t, "must have at most %" PRIu64 " elements", op->count);
}

int js_check_min_items(struct js_check *c, const struct js_op *op, uint32_t t, struct js_seen *seen)
{
	(void)seen;
	if (!is_array(c, t) || c->doc->tok[t].count >= op->count)
		return 0;
	return js_fail(c, t, "must have at least %" PRIu64 " elements", op->count);
}

/* Draft 7 has a list in items where 2020-12 has prefixItems, and what follows in additionalItems. */
static int compile_rest(const struct js_at *at, struct js_items *items)
{
	uint32_t value = at->beside[JS_KW_ITEMS];
	int r;

	if (value == JSON_NONE)
		return 0;
	if (at->node->resource->dialect != JS_D7 || json_kind(at->op->doc, value) != JK_ARRAY)
		return js_child(at, value, &items->rest);
	if (at->op->doc->tok[value].count > 0) {
		r = js_children(at, value, &items->prefix);
		if (r != 0)
			return r;
	}
	value = at->beside[JS_KW_ADDITIONAL_ITEMS];
	return value == JSON_NONE ? 0 : js_child(at, value, &items->rest);
}

int js_compile_items(const struct js_at *at)
{
	struct js_items *items = NULL;
	uint32_t prefix = at->beside[JS_KW_PREFIX_ITEMS];
	int r;

	/* Done with prefixItems, which comes first. */
	if (prefix != JSON_NONE && at->value != prefix) {
		at->op->keyword = NULL;
		return 0;
	}
	r = js_alloc(at->b->s, sizeof(*items), &items);
	if (r == 0 && prefix != JSON_NONE)
		r = js_children(at, prefix, &items->prefix);
	if (r == 0)
		r = compile_rest(at, items);
	at->op->items = items;
	return r;
}

int js_check_items(struct js_check *c, const struct js_op *op, uint32_t t, struct js_seen *seen)
{
	const struct js_items *items = op->items;
	uint32_t i = 0;

	if (!is_array(c, t))
		return 0;
	for (uint32_t e = json_first(c->doc, t); e != JSON_NONE; e = json_after(c->doc, t, e), i++) {
		const struct js_node *n = i < items->prefix.n ? items->prefix.at[i] : items->rest;
		int r = js_spend(&c->meter, 1);

		if (n == NULL)
			return r;
		if (r == 0)
			r = js_apply(c, n, e, NULL);
		if (r != 0)
			return r;
		if (seen != NULL)
			js_seen_set(seen, i);
	}
	return 0;
}

int js_compile_unique_items(const struct js_at *at)
{
	enum json_kind kind = json_kind(at->op->doc, at->value);

	if (kind != JK_TRUE && kind != JK_FALSE)
		return js_wrong(at, at->value, "must be true or false");
	if (kind == JK_FALSE)
		at->op->keyword = NULL;
	return 0;
}

/* At least twice as many empty slots as elements. A slot is the hash's upper half and the token. */
static int make_slots(struct jsonschema *s, uint32_t elements, uint64_t *mask)
{
	size_t n = 16;

	while (n < (size_t)elements * 2)
		n *= 2;
	if (n > s->slots_cap) {
		uint64_t *slots = realloc(s->slots, n * sizeof(*slots));

		if (slots == NULL)
			return KG_E_NOMEM;
		s->slots = slots;
		s->slots_cap = n;
	}
	memset(s->slots, 0, n * sizeof(*s->slots));
	*mask = n - 1;
	return 0;
}

/* Puts an element into its slot; KG_E_EXISTS when an equal one is there. */
static int put_element(struct js_check *c, uint32_t e, uint64_t mask)
{
	uint64_t hash, *slot = NULL;
	int r = js_hash(c->s, &c->meter, c->doc, e, &hash);

	if (r != 0)
		return r;
	for (uint64_t i = hash & mask;; i = (i + 1) & mask) {
		slot = &c->s->slots[i];
		if (*slot == 0)
			break;
		if (*slot >> 32 != hash >> 32)
			continue;
		r = js_equal(&c->meter, c->doc, (uint32_t)*slot, c->doc, e);
		if (r != KG_E_INVALID)
			return r == 0 ? KG_E_EXISTS : r;
	}
	*slot = (hash >> 32 << 32) | e;
	return 0;
}

int js_check_unique_items(struct js_check *c, const struct js_op *op, uint32_t t, struct js_seen *seen)
{
	uint64_t mask = 0;
	int r;

	(void)op;
	(void)seen;
	if (!is_array(c, t) || c->doc->tok[t].count < 2)
		return 0;
	r = make_slots(c->s, c->doc->tok[t].count, &mask);
	for (uint32_t e = json_first(c->doc, t); e != JSON_NONE && r == 0; e = json_after(c->doc, t, e)) {
		r = put_element(c, e, mask);
		if (r == KG_E_EXISTS)
			return js_fail(c, e, "must not be in the array twice");
	}
	return r;
}

int js_compile_contains(const struct js_at *at)
{
	uint32_t least = at->beside[JS_KW_MIN_CONTAINS], most = at->beside[JS_KW_MAX_CONTAINS];
	struct js_contains *contains = NULL;
	int r = js_alloc(at->b->s, sizeof(*contains), &contains);

	if (r != 0)
		return r;
	at->op->contains = contains;
	contains->least = 1;
	contains->most = UINT64_MAX;
	r = js_child(at, at->value, &contains->node);
	if (r == 0 && least != JSON_NONE)
		r = js_count_read(at, least, &contains->least);
	if (r == 0 && most != JSON_NONE)
		r = js_count_read(at, most, &contains->most);
	return r;
}

int js_check_contains(struct js_check *c, const struct js_op *op, uint32_t t, struct js_seen *seen)
{
	const struct js_contains *contains = op->contains;
	uint64_t found = 0;
	uint32_t i = 0;

	if (!is_array(c, t))
		return 0;
	for (uint32_t e = json_first(c->doc, t); e != JSON_NONE; e = json_after(c->doc, t, e), i++) {
		int r = js_spend(&c->meter, 1);

		if (r == 0)
			r = js_try(c, contains->node, e, NULL);
		if (r != 0 && r != KG_E_INVALID)
			return r;
		if (r == KG_E_INVALID)
			continue;
		found++;
		if (seen != NULL)
			js_seen_set(seen, i);
	}
	if (found < contains->least)
		return js_fail(c, t, "must contain at least %" PRIu64 " elements of the form that is asked for",
			       contains->least);
	if (found > contains->most)
		return js_fail(c, t, "must contain at most %" PRIu64 " elements of the form that is asked for",
			       contains->most);
	return 0;
}

int js_check_unevaluated_items(struct js_check *c, const struct js_op *op, uint32_t t, struct js_seen *seen)
{
	uint32_t i = 0;

	if (!is_array(c, t))
		return 0;
	for (uint32_t e = json_first(c->doc, t); e != JSON_NONE; e = json_after(c->doc, t, e), i++) {
		int r = js_spend(&c->meter, 1);

		if (r == 0 && !js_seen_is(seen, i))
			r = js_apply(c, op->node, e, NULL);
		if (r != 0)
			return r;
	}
	js_seen_all(seen);
	return 0;
}
