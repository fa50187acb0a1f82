#include "common/cedar/cedar_check.h"

static bool same_cap(const struct cedar_cap *a, const struct cedar_cap *b)
{
	if ((a->tag == NULL) != (b->tag == NULL))
		return false;
	return (a->tag == NULL ? cedar_str_equal(a->attr, b->attr) : cedar_expr_same(a->tag, b->tag)) &&
	       cedar_expr_same(a->base, b->base);
}

bool cedar_caps_have(struct cedar_caps caps, const struct cedar_cap *cap)
{
	size_t i;

	for (i = 0; i < caps.count; i++)
		if (same_cap(&caps.items[i], cap))
			return true;
	return false;
}

static int no_memory(struct cedar_checker *checker)
{
	cedar_fail(checker->error, CEDAR_E_MEMORY, 0, "out of memory");
	return -1;
}

int cedar_caps_join(struct cedar_checker *checker, struct cedar_caps a, struct cedar_caps b, struct cedar_caps *out)
{
	struct cedar_cap *items;
	size_t i, count = a.count;

	if (a.count == 0 || b.count == 0) {
		*out = a.count == 0 ? b : a;
		return 0;
	}
	items = cedar_arena_array(checker->arena, a.count + b.count, sizeof(*items));
	if (items == NULL)
		return no_memory(checker);
	memcpy(items, a.items, a.count * sizeof(*items));
	for (i = 0; i < b.count; i++)
		if (!cedar_caps_have(a, &b.items[i]))
			items[count++] = b.items[i];
	*out = (struct cedar_caps){items, count};
	return 0;
}

int cedar_caps_meet(struct cedar_checker *checker, struct cedar_caps a, struct cedar_caps b, struct cedar_caps *out)
{
	struct cedar_cap *items = cedar_arena_array(checker->arena, a.count, sizeof(*items));
	size_t i, count = 0;

	if (items == NULL)
		return no_memory(checker);
	for (i = 0; i < a.count; i++)
		if (cedar_caps_have(b, &a.items[i]))
			items[count++] = a.items[i];
	*out = (struct cedar_caps){items, count};
	return 0;
}
