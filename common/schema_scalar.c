/* The keywords about texts and numbers. */
#include "common/schema_check.h"

#include <regex.h>
#include <stdbool.h>
#include <string.h>

#include "common/nearest.h"

void check_enum(struct schema_check *c, const json_t *schema, const json_t *operand, const json_t *value)
{
	char shown[SCHEMA_SHOWN_MAX];
	struct nearest near;
	struct buf list;
	json_t *item;
	size_t i;

	nearest_begin(&near, json_is_string(value) ? json_string_value(value) : "");
	buf_init(&list, SCHEMA_WHAT_MAX);
	json_array_foreach(operand, i, item)
	{
		if (json_equal(item, value))
			break;
		if (json_is_string(item)) {
			schema_list_name(&list, json_string_value(item), i);
			nearest_offer(&near, json_string_value(item));
		}
	}
	if (i == json_array_size(operand)) {
		const char *best = nearest_end(&near);

		schema_mistake(c, "%s is not one of %s%s%s%s", schema_show(schema, value, shown), buf_text(&list),
			       best == NULL ? "" : "; did you mean \"", best == NULL ? "" : best,
			       best == NULL ? "" : "\"?");
	}
	buf_free(&list);
}

/* Both ends of a range in one report. */
void check_range(struct schema_check *c, const json_t *schema, const json_t *operand, const json_t *value)
{
	const json_t *min = schema_keyword(schema, "minimum"), *max = schema_keyword(schema, "maximum");
	char shown[SCHEMA_SHOWN_MAX];
	double v = json_number_value(value);
	bool low = min != NULL && v < json_number_value(min), high = max != NULL && v > json_number_value(max);

	if (!json_is_number(value) || (!low && !high) || operand != (min != NULL ? min : max))
		return;
	if (min != NULL && max != NULL)
		schema_mistake(c, "%s is not between %.0f and %.0f", schema_show(schema, value, shown),
			       json_number_value(min), json_number_value(max));
	else
		schema_mistake(c, "%s is %s %.0f", schema_show(schema, value, shown), low ? "below" : "above",
			       json_number_value(operand));
}

static size_t characters(const json_t *string)
{
	const char *p = json_string_value(string);
	size_t n = 0;

	for (; *p != '\0'; p++)
		n += (*p & 0xc0) != 0x80;
	return n;
}

void check_min_length(struct schema_check *c, const json_t *schema, const json_t *operand, const json_t *value)
{
	(void)schema;
	if (json_is_string(value) && (json_int_t)characters(value) < json_integer_value(operand))
		schema_mistake(c, "must have at least %lld character(s)", (long long)json_integer_value(operand));
}

void check_max_length(struct schema_check *c, const json_t *schema, const json_t *operand, const json_t *value)
{
	(void)schema;
	if (json_is_string(value) && (json_int_t)characters(value) > json_integer_value(operand))
		schema_mistake(c, "must have at most %lld characters", (long long)json_integer_value(operand));
}

void check_pattern(struct schema_check *c, const json_t *schema, const json_t *operand, const json_t *value)
{
	char shown[SCHEMA_SHOWN_MAX];
	regex_t re;
	bool matches;

	if (!json_is_string(value) || regcomp(&re, json_string_value(operand), REG_EXTENDED | REG_NOSUB) != 0)
		return;
	matches = regexec(&re, json_string_value(value), 0, NULL, 0) == 0;
	regfree(&re);
	if (!matches)
		schema_mistake(c, "%s is not right: must be %s", schema_show(schema, value, shown),
			       schema_text(schema, "description", json_string_value(operand)));
}
