#include "common/cedar/cedar_type.h"

#include "common/cedar/cedar_limits.h"
#include "common/cedar/cedar_sort.h"

#define FIRST_BUCKETS 64u

static uint64_t type_hash(const struct cedar_type *type)
{
	uint64_t hash = cedar_hash_mix((uint64_t)type->kind + 1, type->extension);
	size_t i;

	hash = cedar_str_hash(type->name, hash);
	if (type->element != NULL)
		hash = cedar_hash_mix(hash, type->element->hash);
	for (i = 0; i < type->count; i++) {
		hash = cedar_str_hash(type->attrs[i].name, hash);
		hash = cedar_hash_mix(hash, type->attrs[i].type->hash);
		hash = cedar_hash_mix(hash, type->attrs[i].required);
	}
	return hash;
}

/* Children are interned already: their pointers tell whether they are equal. */
static bool same_type(const struct cedar_type *a, const struct cedar_type *b)
{
	size_t i;

	if (a->kind != b->kind || a->extension != b->extension || a->element != b->element || a->count != b->count ||
	    !cedar_str_equal(a->name, b->name))
		return false;
	for (i = 0; i < a->count; i++)
		if (a->attrs[i].type != b->attrs[i].type || a->attrs[i].required != b->attrs[i].required ||
		    !cedar_str_equal(a->attrs[i].name, b->attrs[i].name))
			return false;
	return true;
}

static struct cedar_type *find_type(const struct cedar_types *types, const struct cedar_type *wanted)
{
	struct cedar_type *type;

	if (types == NULL || types->bucket_count == 0)
		return NULL;
	type = types->buckets[wanted->hash & (types->bucket_count - 1)];
	while (type != NULL && (type->hash != wanted->hash || !same_type(type, wanted)))
		type = type->next;
	return type;
}

static int grow(struct cedar_types *types)
{
	size_t count = types->bucket_count == 0 ? FIRST_BUCKETS : types->bucket_count * 2, i;
	struct cedar_type **buckets, *type, *next;

	buckets = cedar_arena_array(types->arena, count, sizeof(*buckets));
	if (buckets == NULL)
		return -1;
	for (i = 0; i < types->bucket_count; i++) {
		for (type = types->buckets[i]; type != NULL; type = next) {
			next = type->next;
			type->next = buckets[type->hash & (count - 1)];
			buckets[type->hash & (count - 1)] = type;
		}
	}
	types->buckets = buckets;
	types->bucket_count = count;
	return 0;
}

static uint16_t depth_of(const struct cedar_type *type)
{
	uint16_t depth = type->element != NULL ? type->element->depth : 0;
	size_t i;

	for (i = 0; i < type->count; i++)
		if (type->attrs[i].type->depth > depth)
			depth = type->attrs[i].type->depth;
	return (uint16_t)(depth + 1);
}

const struct cedar_type *cedar_type_intern(struct cedar_types *types, const struct cedar_type *wanted)
{
	struct cedar_type key = *wanted, *type;
	struct cedar_attr *attrs;

	key.hash = type_hash(wanted);
	type = find_type(types->base, &key);
	if (type == NULL)
		type = find_type(types, &key);
	if (type != NULL)
		return type;
	key.depth = depth_of(wanted);
	if (key.depth > CEDAR_MAX_TYPE_DEPTH || types->count >= CEDAR_MAX_TYPES)
		return NULL;
	if (types->count >= types->bucket_count && grow(types) != 0)
		return NULL;
	type = cedar_arena_alloc(types->arena, sizeof(*type));
	attrs = cedar_arena_array(types->arena, key.count, sizeof(*attrs));
	if (type == NULL || attrs == NULL)
		return NULL;
	if (key.count > 0)
		memcpy(attrs, key.attrs, key.count * sizeof(*attrs));
	*type = key;
	type->attrs = attrs;
	type->next = types->buckets[key.hash & (types->bucket_count - 1)];
	types->buckets[key.hash & (types->bucket_count - 1)] = type;
	types->count++;
	return type;
}

const struct cedar_type *cedar_type_simple(struct cedar_types *types, enum cedar_type_kind kind)
{
	struct cedar_type wanted = {.kind = kind};

	return cedar_type_intern(types, &wanted);
}

const struct cedar_type *cedar_type_entity(struct cedar_types *types, struct cedar_str name)
{
	struct cedar_type wanted = {.kind = CEDAR_TY_ENTITY, .name = name};

	return cedar_type_intern(types, &wanted);
}

const struct cedar_type *cedar_type_extension(struct cedar_types *types, enum cedar_kind extension)
{
	struct cedar_type wanted = {.kind = CEDAR_TY_EXTENSION, .extension = (uint8_t)extension};

	return cedar_type_intern(types, &wanted);
}

const struct cedar_type *cedar_type_set(struct cedar_types *types, const struct cedar_type *element)
{
	struct cedar_type wanted = {.kind = CEDAR_TY_SET, .element = element};

	return cedar_type_intern(types, &wanted);
}

static int order_attrs(const void *a, const void *b)
{
	return cedar_str_order(((const struct cedar_attr *)a)->name, ((const struct cedar_attr *)b)->name);
}

const struct cedar_type *cedar_type_record(struct cedar_types *types, struct cedar_attr *attrs, size_t count)
{
	struct cedar_type wanted = {.kind = CEDAR_TY_RECORD, .attrs = attrs, .count = count};
	size_t i;

	cedar_sort(attrs, count, sizeof(*attrs), order_attrs);
	for (i = 1; i < count; i++)
		if (cedar_str_equal(attrs[i - 1].name, attrs[i].name))
			return NULL;
	return cedar_type_intern(types, &wanted);
}

const struct cedar_attr *cedar_type_attr(const struct cedar_type *record, struct cedar_str name)
{
	size_t low = 0, high = record->count, middle;
	int order;

	while (low < high) {
		middle = low + (high - low) / 2;
		order = cedar_str_order(name, record->attrs[middle].name);
		if (order == 0)
			return &record->attrs[middle];
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

static const struct cedar_type *lub_records(struct cedar_types *types, const struct cedar_type *a,
					    const struct cedar_type *b)
{
	struct cedar_type wanted = *a;
	struct cedar_attr *attrs;
	size_t i;

	if (a->count != b->count)
		return NULL;
	attrs = cedar_arena_array(types->arena, a->count, sizeof(*attrs));
	for (i = 0; attrs != NULL && i < a->count; i++) {
		attrs[i] = a->attrs[i];
		if (attrs[i].required != b->attrs[i].required || !cedar_str_equal(attrs[i].name, b->attrs[i].name))
			return NULL;
		attrs[i].type = cedar_type_lub(types, attrs[i].type, b->attrs[i].type);
		if (attrs[i].type == NULL)
			return NULL;
	}
	wanted.attrs = attrs;
	return attrs == NULL ? NULL : cedar_type_intern(types, &wanted);
}

/* Recursion is bounded by CEDAR_MAX_TYPE_DEPTH. */
const struct cedar_type *cedar_type_lub(struct cedar_types *types, const struct cedar_type *a,
					const struct cedar_type *b)
{
	const struct cedar_type *element;

	if (a == b)
		return a;
	if (a->kind <= CEDAR_TY_BOOL && b->kind <= CEDAR_TY_BOOL)
		return cedar_type_simple(types, CEDAR_TY_BOOL);
	if (a->kind != b->kind)
		return NULL;
	if (a->kind == CEDAR_TY_RECORD)
		return lub_records(types, a, b);
	if (a->kind != CEDAR_TY_SET)
		return NULL;
	element = cedar_type_lub(types, a->element, b->element);
	return element == NULL ? NULL : cedar_type_set(types, element);
}

const char *cedar_type_kind_name(const struct cedar_type *type)
{
	static const char *const names[] = {"a Bool", "a Bool",   "a Bool",
					    "a Long", "a String", "an entity",
					    "a Set",  "a record", "an extension value"};

	if (type->kind == CEDAR_TY_EXTENSION)
		return cedar_kind_name(type->extension);
	return names[type->kind];
}
