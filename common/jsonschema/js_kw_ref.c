/* $ref and $dynamicRef. */
#include <string.h>

#include "common/jsonschema/js_kw.h"

struct target {
	const struct js_resource *resource;
	struct js_node *node;
};

/* All the schemas of one $dynamicAnchor name, by resource. */
struct js_dynamic {
	const char *name;
	struct target *target;
	uint32_t n;
	uint32_t anchors; /* how many there were when the list was made */
	struct js_dynamic *next;
};

struct js_dynamic_ref {
	struct js_node *node;             /* where it leads when no resource has such an anchor */
	const struct js_dynamic *dynamic; /* NULL: it is a plain reference */
};

static int resolve(const struct js_at *at, struct js_place *place, struct js_node **out)
{
	int r = js_resolve(at->b, at->node->doc, at->node->resource, at->value, place);

	return r != 0 ? r : js_node_at(at->b, place->doc, place->tok, place->resource, out);
}

int js_compile_ref(const struct js_at *at)
{
	struct js_place place;

	return resolve(at, &place, &at->op->node);
}

int js_check_ref(struct js_check *c, const struct js_op *op, uint32_t t, struct js_seen *seen)
{
	return js_apply(c, op->node, t, seen);
}

static int find_dynamic(struct js_build *b, const char *name, struct js_dynamic **out)
{
	struct js_dynamic *d = b->dynamics;
	int r;

	while (d != NULL && strcmp(d->name, name) != 0)
		d = d->next;
	*out = d;
	if (d != NULL)
		return 0;
	r = js_alloc(b->s, sizeof(*d), &d);
	if (r != 0)
		return r;
	d->name = name;
	d->next = b->dynamics;
	b->dynamics = d;
	*out = d;
	return 0;
}

/* Dynamic only when it leads to a $dynamicAnchor by that name: 2020-12 core, section 8.2.3.2. */
int js_compile_dynamic_ref(const struct js_at *at)
{
	struct js_dynamic_ref *ref = NULL;
	struct js_dynamic *dynamic = NULL;
	struct js_place place = {0};
	int r = js_alloc(at->b->s, sizeof(*ref), &ref);

	if (r == 0)
		r = resolve(at, &place, &ref->node);
	if (r == 0 && place.anchor != NULL && place.anchor->dynamic)
		r = find_dynamic(at->b, place.anchor->name, &dynamic);
	if (r != 0)
		return r;
	ref->dynamic = dynamic;
	at->op->dynamic = ref;
	return 0;
}

static int list_targets(struct js_build *b, struct js_dynamic *d)
{
	int r = js_alloc_n(b->s, b->nanchors, sizeof(*d->target), &d->target);

	d->n = 0;
	d->anchors = b->nanchors;
	for (const struct js_anchor *a = b->anchors; a != NULL && r == 0; a = a->next) {
		struct js_resource *resource = a->resource;

		if (!a->dynamic || strcmp(a->name, d->name) != 0)
			continue;
		r = js_node_at(b, resource->doc, a->tok, resource, &d->target[d->n].node);
		d->target[d->n++].resource = resource;
	}
	return r;
}

int js_dynamics_complete(struct js_build *b)
{
	int r = 0;

	for (struct js_dynamic *d = b->dynamics; d != NULL && r == 0; d = d->next) {
		r = js_spend(&b->meter, b->nanchors);
		if (r == 0 && d->anchors != b->nanchors)
			r = list_targets(b, d);
	}
	return r;
}

/* The outermost resource that has such an anchor has the say. */
static const struct js_node *target(struct js_check *c, const struct js_dynamic *d)
{
	for (uint32_t i = 0; i < c->nscopes; i++) {
		for (uint32_t j = 0; j < d->n; j++) {
			if (d->target[j].resource == c->scope[i])
				return d->target[j].node;
		}
	}
	return NULL;
}

int js_check_dynamic_ref(struct js_check *c, const struct js_op *op, uint32_t t, struct js_seen *seen)
{
	const struct js_dynamic *d = op->dynamic->dynamic;
	const struct js_node *n = NULL;

	if (d != NULL) {
		int r = js_spend(&c->meter, (uint64_t)c->nscopes * d->n / 16);

		if (r != 0)
			return r;
		n = target(c, d);
	}
	return js_apply(c, n == NULL ? op->dynamic->node : n, t, seen);
}
