/* The keywords about members and elements. */
#include "common/schema_check.h"

#include <string.h>

#include "common/nearest.h"

/* Runs a schema on a member or element, one step deeper in the path. */
static void check_under(struct schema_check *c, const json_t *schema, const json_t *value, const char *name,
			size_t index)
{
	size_t len = strlen(c->path);

	if (name != NULL)
		schema_path_member(c->path, name);
	else
		schema_path_element(c->path, index);
	schema_value(c, schema, value);
	c->path[len] = '\0';
}

void check_properties(struct schema_check *c, const json_t *schema, const json_t *operand, const json_t *value)
{
	const char *name;
	json_t *member;

	(void)schema;
	json_object_foreach((json_t *)value, name, member)
	{
		const json_t *sub = json_object_get(operand, name);

		if (sub != NULL)
			check_under(c, sub, member, name, 0);
	}
}

static void unknown_name(struct schema_check *c, const json_t *properties, const char *name)
{
	size_t len = strlen(c->path), i = 0;
	struct nearest near;
	struct buf list;
	const char *known;
	json_t *sub;

	nearest_begin(&near, name);
	buf_init(&list, SCHEMA_WHAT_MAX);
	json_object_foreach((json_t *)properties, known, sub)
	{
		nearest_offer(&near, known);
		schema_list_name(&list, known, i++);
	}
	schema_path_member(c->path, name);
	if (nearest_end(&near) != NULL)
		schema_mistake(c, "there is no such setting; did you mean \"%s\"?", nearest_end(&near));
	else
		schema_mistake(c, "there is no such setting; here may stand: %s", buf_text(&list));
	c->path[len] = '\0';
	buf_free(&list);
}

void check_additional(struct schema_check *c, const json_t *schema, const json_t *operand, const json_t *value)
{
	const json_t *properties = schema_keyword(schema, "properties");
	const char *name;
	json_t *member;

	json_object_foreach((json_t *)value, name, member)
	{
		if (json_object_get(properties, name) != NULL)
			continue;
		if (json_is_false(operand))
			unknown_name(c, properties, name);
		else
			check_under(c, operand, member, name, 0);
	}
}

void check_names(struct schema_check *c, const json_t *schema, const json_t *operand, const json_t *value)
{
	const char *name;
	json_t *member;

	(void)schema;
	json_object_foreach((json_t *)value, name, member)
	{
		json_t *text = json_string(name);

		if (text != NULL)
			check_under(c, operand, text, name, 0);
		json_decref(text);
	}
}

void check_max_properties(struct schema_check *c, const json_t *schema, const json_t *operand, const json_t *value)
{
	(void)schema;
	if ((json_int_t)json_object_size(value) > json_integer_value(operand))
		schema_mistake(c, "must have at most %lld members", (long long)json_integer_value(operand));
}

void check_required(struct schema_check *c, const json_t *schema, const json_t *operand, const json_t *value)
{
	size_t i;
	json_t *name;

	(void)schema;
	if (!json_is_object(value))
		return;
	json_array_foreach(operand, i, name)
	{
		if (json_object_get(value, json_string_value(name)) == NULL)
			schema_mistake(c, "\"%s\" is missing", json_string_value(name));
	}
}

void check_dependent(struct schema_check *c, const json_t *schema, const json_t *operand, const json_t *value)
{
	const char *name;
	json_t *needs, *need;
	size_t i;

	(void)schema;
	json_object_foreach((json_t *)operand, name, needs)
	{
		if (json_object_get(value, name) == NULL)
			continue;
		json_array_foreach(needs, i, need)
		{
			if (json_object_get(value, json_string_value(need)) == NULL)
				schema_mistake(c, "\"%s\" goes only with \"%s\"", name, json_string_value(need));
		}
	}
}

void check_items(struct schema_check *c, const json_t *schema, const json_t *operand, const json_t *value)
{
	size_t i;
	json_t *item;

	(void)schema;
	json_array_foreach(value, i, item) check_under(c, operand, item, NULL, i);
}

void check_min_items(struct schema_check *c, const json_t *schema, const json_t *operand, const json_t *value)
{
	(void)schema;
	if (json_is_array(value) && (json_int_t)json_array_size(value) < json_integer_value(operand))
		schema_mistake(c, "must have at least %lld element(s)", (long long)json_integer_value(operand));
}

void check_max_items(struct schema_check *c, const json_t *schema, const json_t *operand, const json_t *value)
{
	(void)schema;
	if ((json_int_t)json_array_size(value) > json_integer_value(operand))
		schema_mistake(c, "must have at most %lld elements", (long long)json_integer_value(operand));
}

void check_unique(struct schema_check *c, const json_t *schema, const json_t *operand, const json_t *value)
{
	(void)schema;
	for (size_t i = 1; json_is_true(operand) && i < json_array_size(value); i++) {
		for (size_t j = 0; j < i; j++) {
			if (json_equal(json_array_get(value, i), json_array_get(value, j)))
				schema_mistake(c, "elements %zu and %zu are the same", j, i);
		}
	}
}

void check_one_of(struct schema_check *c, const json_t *schema, const json_t *operand, const json_t *value)
{
	unsigned matches = 0;
	struct buf list;
	json_t *branch;
	size_t i;

	(void)schema;
	buf_init(&list, SCHEMA_WHAT_MAX);
	json_array_foreach(operand, i, branch)
	{
		struct schema_check quiet = {.root = c->root};

		schema_value(&quiet, branch, value);
		matches += quiet.mistakes == 0;
		if (buf_printf(&list, "%s%s", i == 0 ? "" : ", or ", schema_text(branch, "title", "?")) != 0)
			buf_reset(&list);
	}
	if (matches != 1)
		schema_mistake(c, "must have exactly one of: %s", buf_text(&list));
	buf_free(&list);
}

void check_ref(struct schema_check *c, const json_t *schema, const json_t *operand, const json_t *value)
{
	const char *name = strrchr(json_string_value(operand), '/') + 1;

	(void)schema;
	schema_value(c, json_object_get(json_object_get(c->root, "$defs"), name), value);
}
