/* JSON that vaultd or the broker wrote, in the canonical form of a leaf: members of acts, facts of decisions. */
#include "guardiand/recorder/leaf.h"

#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "common/json.h"

#define CANONICAL_DEPTH_MAX 80          /* facts hold arguments, which may be JSON_DEPTH_MAX deep */
#define SAFE_INTEGER 9007199254740991ll /* RFC 8785 numbers are doubles: beyond it readers disagree */

static int put_json(struct buf *out, const json_t *v, unsigned depth);

static int by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/*
 * Ascending by bytes, which is the canonical order by UTF-16 units as long as no name leaves
 * the basic plane; names of acts and of facts do not, but for an argument's name that a policy speaks of.
 */
static const char **sorted_names(json_t *object)
{
	const char **names = calloc(json_object_size(object) + 1, sizeof(*names));
	const char *name;
	json_t *value;
	size_t n = 0;

	if (names == NULL)
		return NULL;
	json_object_foreach(object, name, value) names[n++] = name;
	qsort(names, n, sizeof(*names), by_name);
	return names;
}

static int put_object(struct buf *out, const json_t *v, unsigned depth)
{
	json_t *object = (json_t *)(uintptr_t)v; /* jansson's iterator is not const; nothing is changed */
	const char **names = sorted_names(object);
	int r = names == NULL ? KG_E_NOMEM : buf_puts(out, "{");

	for (size_t i = 0; r == 0 && names[i] != NULL; i++) {
		if (i > 0)
			r = buf_puts(out, ",");
		if (r == 0)
			r = json_put_string(out, names[i], strlen(names[i]));
		if (r == 0)
			r = buf_puts(out, ":");
		if (r == 0)
			r = put_json(out, json_object_get(object, names[i]), depth);
	}
	free(names);
	return r == 0 ? buf_puts(out, "}") : r;
}

static int put_array(struct buf *out, const json_t *v, unsigned depth)
{
	int r = buf_puts(out, "[");

	for (size_t i = 0; r == 0 && i < json_array_size(v); i++) {
		if (i > 0)
			r = buf_puts(out, ",");
		if (r == 0)
			r = put_json(out, json_array_get(v, i), depth);
	}
	return r == 0 ? buf_puts(out, "]") : r;
}

static int put_integer(struct buf *out, json_int_t v)
{
	if (v > SAFE_INTEGER || v < -SAFE_INTEGER)
		return KG_E_PROTO;
	return buf_printf(out, "%" JSON_INTEGER_FORMAT, v);
}

static int put_json(struct buf *out, const json_t *v, unsigned depth)
{
	if (depth == CANONICAL_DEPTH_MAX)
		return KG_E_PROTO;
	switch (json_typeof(v)) {
	case JSON_OBJECT:
		return put_object(out, v, depth + 1);
	case JSON_ARRAY:
		return put_array(out, v, depth + 1);
	case JSON_STRING:
		return json_put_string(out, json_string_value(v), json_string_length(v));
	case JSON_INTEGER:
		return put_integer(out, json_integer_value(v));
	case JSON_REAL:
		return KG_E_PROTO;
	case JSON_TRUE:
		return buf_puts(out, "true");
	case JSON_FALSE:
		return buf_puts(out, "false");
	default:
		return buf_puts(out, "null");
	}
}

int leaf_canonical(const void *json, size_t len, struct buf *out)
{
	json_t *v = json_loadb(json, len, JSON_REJECT_DUPLICATES, NULL);
	int r;

	if (v == NULL)
		return KG_E_PROTO;
	r = json_is_object(v) ? put_object(out, v, 0) : KG_E_PROTO;
	json_decref(v);
	return r;
}
