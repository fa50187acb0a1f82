/* The members of a record in their two orders, and one by its name. */
#include "common/cedar/cedar_sort.h"
#include "common/policy/policy_set.h"

static int order_plans(const void *a, const void *b)
{
	return cedar_str_order((*(const struct plan *const *)a)->name, (*(const struct plan *const *)b)->name);
}

/* UTF-8 sorts as code points do; in UTF-16 those over U+FFFF (0xf0 and more) come before U+E000 to U+FFFF (0xee, 0xef).
 */
static int order_units(const void *a, const void *b)
{
	struct cedar_str x = (*(const struct plan *const *)a)->name, y = (*(const struct plan *const *)b)->name;
	size_t i = 0;

	while (i < x.n && i < y.n && x.p[i] == y.p[i])
		i++;
	if (i == x.n || i == y.n)
		return (x.n > i) - (y.n > i);
	if (((uint8_t)x.p[i] >= 0xee && (uint8_t)y.p[i] >= 0xee) &&
	    ((uint8_t)x.p[i] >= 0xf0) != ((uint8_t)y.p[i] >= 0xf0))
		return (uint8_t)x.p[i] >= 0xf0 ? -1 : 1;
	return (uint8_t)x.p[i] < (uint8_t)y.p[i] ? -1 : 1;
}

/* cedar_sort() moves small elements: sort pointers, then copy. */
int plan_sort(struct cedar_arena *arena, struct plan *record)
{
	struct plan **order = cedar_arena_array(arena, record->count, sizeof(*order));
	struct plan *sorted = cedar_arena_array(arena, record->count, sizeof(*sorted));
	uint32_t i;

	record->listed = cedar_arena_array(arena, record->count, sizeof(*record->listed));
	if (order == NULL || sorted == NULL || record->listed == NULL)
		return KG_E_NOMEM;
	for (i = 0; i < record->count; i++)
		order[i] = &record->members[i];
	cedar_sort(order, record->count, sizeof(*order), order_plans);
	for (i = 0; i < record->count; i++) {
		sorted[i] = *order[i];
		order[i] = &sorted[i];
	}
	cedar_sort(order, record->count, sizeof(*order), order_units);
	for (i = 0; i < record->count; i++)
		record->listed[i] = (uint32_t)(order[i] - sorted);
	record->members = sorted;
	return 0;
}

struct plan *plan_member(const struct plan *record, struct cedar_str name)
{
	uint32_t low = 0, high = record->count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		int order = cedar_str_order(name, record->members[middle].name);

		if (order == 0)
			return &record->members[middle];
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}
