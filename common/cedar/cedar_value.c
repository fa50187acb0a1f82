#include "common/cedar/cedar_value.h"

#include "common/cedar/cedar_error.h"
#include "common/cedar/cedar_limits.h"
#include "common/cedar/cedar_map.h"
#include "common/cedar/cedar_sort.h"

#define LINEAR_MAX 8u

void cedar_uid_init(struct cedar_uid *uid, struct cedar_str type, struct cedar_str id)
{
	*uid = (struct cedar_uid){type, id, cedar_map_hash(type, id)};
}

struct cedar_uid *cedar_uid_new(struct cedar_arena *arena, struct cedar_str type, struct cedar_str id)
{
	struct cedar_uid *uid = cedar_arena_alloc(arena, sizeof(*uid));

	if (uid != NULL)
		cedar_uid_init(uid, type, id);
	return uid;
}

bool cedar_uid_equal(const struct cedar_uid *a, const struct cedar_uid *b)
{
	return a == b || (a->hash == b->hash && cedar_str_equal(a->id, b->id) && cedar_str_equal(a->type, b->type));
}

int cedar_uid_order(const struct cedar_uid *a, const struct cedar_uid *b)
{
	int order;

	if (a == b)
		return 0;
	if (a->hash != b->hash)
		return a->hash < b->hash ? -1 : 1;
	order = cedar_str_order(a->id, b->id);
	return order != 0 ? order : cedar_str_order(a->type, b->type);
}

struct cedar_value cedar_bool(bool b)
{
	return (struct cedar_value){.kind = CEDAR_BOOL, .u.b = b};
}

struct cedar_value cedar_long(int64_t i)
{
	return (struct cedar_value){.kind = CEDAR_LONG, .u.i = i};
}

struct cedar_value cedar_scaled(enum cedar_kind kind, int64_t i)
{
	return (struct cedar_value){.kind = (uint8_t)kind, .u.i = i};
}

struct cedar_value cedar_string(struct cedar_str s)
{
	return (struct cedar_value){.kind = CEDAR_STRING, .count = (uint32_t)s.n, .u.s = s.p};
}

struct cedar_value cedar_entity(const struct cedar_uid *uid)
{
	return (struct cedar_value){.kind = CEDAR_ENTITY, .u.uid = uid};
}

struct cedar_str cedar_string_of(struct cedar_value v)
{
	return (struct cedar_str){v.u.s, v.count};
}

static int order_values(const void *a, const void *b)
{
	return cedar_value_order(a, b);
}

static int order_fields(const void *a, const void *b)
{
	return cedar_str_order(((const struct cedar_field *)a)->key, ((const struct cedar_field *)b)->key);
}

int cedar_set_make(struct cedar_value *items, size_t count, struct cedar_value *set)
{
	size_t i, kept = 0;
	uint16_t depth = 0;

	if (count > UINT32_MAX)
		return -CEDAR_E_LIMIT;
	cedar_sort(items, count, sizeof(*items), order_values);
	for (i = 0; i < count; i++) {
		if (items[i].depth > depth)
			depth = items[i].depth;
		if (kept == 0 || cedar_value_order(&items[kept - 1], &items[i]) != 0)
			items[kept++] = items[i];
	}
	if (depth >= CEDAR_MAX_VALUE_DEPTH)
		return -CEDAR_E_LIMIT;
	*set = (struct cedar_value){
		.kind = CEDAR_SET, .depth = (uint16_t)(depth + 1), .count = (uint32_t)kept, .u.items = items};
	return 0;
}

int cedar_record_make(struct cedar_field *fields, size_t count, struct cedar_value *record)
{
	uint16_t depth = 0;
	size_t i;

	if (count > UINT32_MAX)
		return -CEDAR_E_LIMIT;
	cedar_sort(fields, count, sizeof(*fields), order_fields);
	for (i = 0; i < count; i++) {
		if (i > 0 && cedar_str_equal(fields[i - 1].key, fields[i].key))
			return -CEDAR_E_DUPLICATE;
		if (fields[i].value.depth > depth)
			depth = fields[i].value.depth;
	}
	if (depth >= CEDAR_MAX_VALUE_DEPTH)
		return -CEDAR_E_LIMIT;
	*record = (struct cedar_value){
		.kind = CEDAR_RECORD, .depth = (uint16_t)(depth + 1), .count = (uint32_t)count, .u.fields = fields};
	return 0;
}

const struct cedar_value *cedar_record_get(const struct cedar_value *record, struct cedar_str key)
{
	size_t low = 0, high = record->count, middle;
	const struct cedar_field *field;
	int order;

	/* Few fields: one after the other, where the length mostly tells. */
	for (; high <= LINEAR_MAX && low < high; low++) {
		field = &record->u.fields[low];
		if (field->key.n == key.n &&
		    (key.n == 0 || (field->key.p[0] == key.p[0] && memcmp(field->key.p, key.p, key.n) == 0)))
			return &field->value;
	}
	while (low < high) {
		middle = low + (high - low) / 2;
		order = cedar_str_order(key, record->u.fields[middle].key);
		if (order == 0)
			return &record->u.fields[middle].value;
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

static int order_ips(const struct cedar_ip *a, const struct cedar_ip *b)
{
	if (a->v6 != b->v6)
		return a->v6 < b->v6 ? -1 : 1;
	if (a->prefix != b->prefix)
		return a->prefix < b->prefix ? -1 : 1;
	return memcmp(a->bytes, b->bytes, sizeof(a->bytes));
}

/* Recursion is bounded by CEDAR_MAX_VALUE_DEPTH. */
static int order_elements(const struct cedar_value *a, const struct cedar_value *b)
{
	uint32_t i;
	int order = 0;

	if (a->count != b->count)
		return a->count < b->count ? -1 : 1;
	if (a->u.items == b->u.items)
		return 0;
	for (i = 0; i < a->count && order == 0; i++) {
		if (a->kind == CEDAR_SET) {
			order = cedar_value_order(&a->u.items[i], &b->u.items[i]);
			continue;
		}
		order = cedar_str_order(a->u.fields[i].key, b->u.fields[i].key);
		if (order == 0)
			order = cedar_value_order(&a->u.fields[i].value, &b->u.fields[i].value);
	}
	return order;
}

int cedar_value_order(const struct cedar_value *a, const struct cedar_value *b)
{
	if (a->kind != b->kind)
		return a->kind < b->kind ? -1 : 1;
	switch (a->kind) {
	case CEDAR_BOOL:
		return (int)a->u.b - (int)b->u.b;
	case CEDAR_STRING:
		return cedar_str_order(cedar_string_of(*a), cedar_string_of(*b));
	case CEDAR_ENTITY:
		return cedar_uid_order(a->u.uid, b->u.uid);
	case CEDAR_SET:
	case CEDAR_RECORD:
		return order_elements(a, b);
	case CEDAR_IP:
		return order_ips(a->u.ip, b->u.ip);
	default:
		return (a->u.i > b->u.i) - (a->u.i < b->u.i);
	}
}

bool cedar_set_has(const struct cedar_value *set, const struct cedar_value *item)
{
	size_t low = 0, high = set->count, middle;
	int order;

	while (low < high) {
		middle = low + (high - low) / 2;
		order = cedar_value_order(item, &set->u.items[middle]);
		if (order == 0)
			return true;
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return false;
}

const char *cedar_kind_name(unsigned int kind)
{
	static const char *const names[] = {
		"a Bool",   "a Long",    "a String",   "an entity",  "a set",
		"a record", "a decimal", "a datetime", "a duration", "an ipaddr",
	};

	return kind < sizeof(names) / sizeof(names[0]) ? names[kind] : "?";
}
