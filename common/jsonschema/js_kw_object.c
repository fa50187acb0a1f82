/* Members of objects. */
#include <inttypes.h>

#include "common/jsonschema/js_kw.h"

struct pattern {
	const struct js_regex *regex;
	struct js_node *node;
};

/* properties, patternProperties and additionalProperties at once: each member is looked at once. */
struct js_members {
	struct js_names names;
	struct js_node **node; /* of each name */
	struct pattern *pattern;
	uint32_t npatterns;
	struct js_node *additional; /* or NULL */
};

static bool is_object(const struct js_check *c, uint32_t t)
{
	return json_kind(c->doc, t) == JK_OBJECT;
}

int js_check_max_properties(struct js_check *c, const struct js_op *op, uint32_t t, struct js_seen *seen)
{
	(void)seen;
	if (!is_object(c, t) || c->doc->tok[t].count <= op->count)
		return 0;
	return js_fail(c, t, "must have at most %" PRIu64 " members", op->count);
}

int js_check_min_properties(struct js_check *c, const struct js_op *op, uint32_t t, struct js_seen *seen)
{
	(void)seen;
	if (!is_object(c, t) || c->doc->tok[t].count >= op->count)
		return 0;
	return js_fail(c, t, "must have at least %" PRIu64 " members", op->count);
}

int js_names_read(const struct js_at *at, uint32_t t, struct js_names *out)
{
	const struct json_doc *d = at->op->doc;
	uint32_t place;
	int r;

	if (json_kind(d, t) != JK_ARRAY)
		return js_wrong(at, t, "must be an array of names");
	r = js_names_init(at->b->s, out, d->tok[t].count);
	for (uint32_t e = json_first(d, t); e != JSON_NONE && r == 0; e = json_after(d, t, e)) {
		if (json_kind(d, e) != JK_STRING)
			return js_wrong(at, e, "must be a string");
		r = js_names_add(at->b->s, out, d, e, &place);
	}
	return r;
}

int js_compile_required(const struct js_at *at)
{
	struct js_names *names = NULL;
	int r = js_alloc(at->b->s, sizeof(*names), &names);

	if (r == 0)
		r = js_names_read(at, at->value, names);
	at->op->names = names;
	if (r == 0 && names->n == 0)
		at->op->keyword = NULL;
	return r;
}

/* Marks the names that members have, in *found when it is asked for, and counts them: none is there twice. */
static int count_found(struct js_check *c, uint32_t t, const struct js_names *names, struct js_seen *found, uint32_t *n)
{
	*n = 0;
	for (uint32_t m = json_first(c->doc, t); m != JSON_NONE; m = json_after(c->doc, t, m + 1)) {
		const char *text;
		uint32_t place;
		size_t len;
		int r = js_string(c, m, &text, &len);

		if (r != 0)
			return r;
		place = js_names_find(c->s, names, text, len);
		if (place == JS_NO_NAME)
			continue;
		++*n;
		if (found != NULL)
			js_seen_set(found, place);
	}
	return 0;
}

/* The first name that no member has. */
static int say_missing(struct js_check *c, uint32_t t, const struct js_names *names)
{
	struct js_seen found;
	uint32_t i = 0, n;
	int r = js_seen_init(&found, names->n);

	if (r != 0)
		return r;
	r = count_found(c, t, names, &found, &n);
	while (r == 0 && i < names->n && js_seen_is(&found, i))
		i++;
	js_seen_free(&found);
	return r != 0 ? r : js_fail_missing(c, t, names->at[i].text, names->at[i].len);
}

int js_has_all(struct js_check *c, uint32_t t, const struct js_names *names)
{
	uint32_t n;
	int r = count_found(c, t, names, NULL, &n);

	if (r != 0 || n == names->n)
		return r;
	return c->quiet > 0 ? KG_E_INVALID : say_missing(c, t, names);
}

int js_check_required(struct js_check *c, const struct js_op *op, uint32_t t, struct js_seen *seen)
{
	(void)seen;
	return is_object(c, t) ? js_has_all(c, t, op->names) : 0;
}

int js_check_property_names(struct js_check *c, const struct js_op *op, uint32_t t, struct js_seen *seen)
{
	(void)seen;
	if (!is_object(c, t))
		return 0;
	for (uint32_t m = json_first(c->doc, t); m != JSON_NONE; m = json_after(c->doc, t, m + 1)) {
		int r = js_spend(&c->meter, 1);

		if (r == 0)
			r = js_try(c, op->node, m, NULL);
		if (r == KG_E_INVALID)
			return js_fail(c, m, "has a name that is not allowed here");
		if (r != 0)
			return r;
	}
	return 0;
}

static int compile_names(const struct js_at *at, uint32_t map, struct js_members *members)
{
	const struct json_doc *d = at->op->doc;
	uint32_t place;
	int r;

	if (json_kind(d, map) != JK_OBJECT)
		return js_wrong(at, map, "must be an object of schemas");
	r = js_names_init(at->b->s, &members->names, d->tok[map].count);
	if (r == 0)
		r = js_alloc_n(at->b->s, d->tok[map].count, sizeof(struct js_node *), &members->node);
	for (uint32_t m = json_first(d, map); m != JSON_NONE && r == 0; m = json_after(d, map, m + 1)) {
		r = js_names_add(at->b->s, &members->names, d, m, &place);
		if (r == 0)
			r = js_child(at, m + 1, &members->node[place]);
	}
	return r;
}

static int compile_patterns(const struct js_at *at, uint32_t map, struct js_members *members)
{
	const struct json_doc *d = at->op->doc;
	int r;

	if (json_kind(d, map) != JK_OBJECT)
		return js_wrong(at, map, "must be an object of schemas");
	r = js_alloc_n(at->b->s, d->tok[map].count, sizeof(*members->pattern), &members->pattern);
	for (uint32_t m = json_first(d, map); m != JSON_NONE && r == 0; m = json_after(d, map, m + 1)) {
		struct pattern *p = &members->pattern[members->npatterns++];

		r = js_regex_read(at, m, &p->regex);
		if (r == 0)
			r = js_child(at, m + 1, &p->node);
	}
	return r;
}

int js_compile_members(const struct js_at *at)
{
	uint32_t names = at->beside[JS_KW_PROPERTIES], patterns = at->beside[JS_KW_PATTERN_PROPERTIES];
	uint32_t additional = at->beside[JS_KW_ADDITIONAL_PROPERTIES];
	uint32_t first = names != JSON_NONE ? names : patterns != JSON_NONE ? patterns : additional;
	struct js_members *members = NULL;
	int r;

	if (at->value != first) {
		at->op->keyword = NULL;
		return 0;
	}
	r = js_alloc(at->b->s, sizeof(*members), &members);
	at->op->members = members;
	if (r == 0 && names != JSON_NONE)
		r = compile_names(at, names, members);
	if (r == 0 && patterns != JSON_NONE)
		r = compile_patterns(at, patterns, members);
	if (r == 0 && additional != JSON_NONE)
		r = js_child(at, additional, &members->additional);
	return r;
}

/* One member. *known becomes whether any of the three keywords spoke of it. */
static int check_member(struct js_check *c, const struct js_members *members, uint32_t m, bool *known)
{
	const char *text;
	uint32_t place;
	size_t len;
	int r = js_string(c, m, &text, &len);

	if (r != 0)
		return r;
	place = js_names_find(c->s, &members->names, text, len);
	*known = place != JS_NO_NAME;
	if (*known)
		r = js_apply(c, members->node[place], m + 1, NULL);
	for (uint32_t i = 0; i < members->npatterns && r == 0; i++) {
		r = js_matches(c, members->pattern[i].regex, m);
		if (r == KG_E_INVALID) {
			r = 0;
			continue;
		}
		*known = true;
		if (r == 0)
			r = js_apply(c, members->pattern[i].node, m + 1, NULL);
	}
	if (r != 0 || *known || members->additional == NULL)
		return r;
	*known = true;
	return js_apply(c, members->additional, m + 1, NULL);
}

int js_check_members(struct js_check *c, const struct js_op *op, uint32_t t, struct js_seen *seen)
{
	uint32_t i = 0;

	if (!is_object(c, t))
		return 0;
	for (uint32_t m = json_first(c->doc, t); m != JSON_NONE; m = json_after(c->doc, t, m + 1), i++) {
		bool known = false;
		int r = check_member(c, op->members, m, &known);

		if (r != 0)
			return r;
		if (known && seen != NULL)
			js_seen_set(seen, i);
	}
	return 0;
}

int js_check_unevaluated_properties(struct js_check *c, const struct js_op *op, uint32_t t, struct js_seen *seen)
{
	uint32_t i = 0;

	if (!is_object(c, t))
		return 0;
	for (uint32_t m = json_first(c->doc, t); m != JSON_NONE; m = json_after(c->doc, t, m + 1), i++) {
		int r = js_spend(&c->meter, 1);

		if (r == 0 && !js_seen_is(seen, i))
			r = js_apply(c, op->node, m + 1, NULL);
		if (r != 0)
			return r;
	}
	js_seen_all(seen);
	return 0;
}
