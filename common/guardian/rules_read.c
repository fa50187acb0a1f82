#include "common/guardian/rules_read.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/guardian/state.h"

#define SUPPRESS_US 600000000ull /* ten minutes, where a rule says nothing */
#define WINDOW_US 600000000ull

/* "90s", "15m", "8h", "30d" in microseconds; the schema has seen to the form. */
static uint64_t duration(const json_t *object, const char *name, uint64_t fallback)
{
	const char *text = json_string_value(json_object_get(object, name));
	static const struct {
		char unit;
		uint64_t us;
	} units[] = {{'s', 1000000}, {'m', 60000000}, {'h', 3600000000ull}, {'d', 86400000000ull}};
	char *end;
	uint64_t n;

	if (text == NULL)
		return fallback;
	n = strtoull(text, &end, 10);
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (*end == units[i].unit)
			return n * units[i].us;
	return fallback;
}

/* The place of a word in a list of names; n when it is not there. */
static size_t place(const char *word, size_t n, const char *(*name)(size_t))
{
	size_t i = 0;

	while (i < n && (word == NULL || strcmp(word, name(i)) != 0))
		i++;
	return i;
}

static const char *field_name(size_t i)
{
	return guard_field_name((enum guard_field)i);
}

static const char *score_name(size_t i)
{
	return guard_score_name((enum guard_score)i);
}

static const char *detector_name(size_t i)
{
	return detectors[i].name;
}

static const char *severity_name(size_t i)
{
	return guard_severity_name((enum guard_severity)i);
}

static const char *class_name(size_t i)
{
	return guard_class_name((enum guard_class)i);
}

static const char *act_name(size_t i)
{
	return guard_act_name((enum guard_act)i);
}

static enum guard_field read_field(const char *name, size_t len)
{
	char word[32];

	snprintf(word, sizeof(word), "%.*s", (int)len, name);
	return (enum guard_field)place(word, GUARD_FIELDS, field_name);
}

static void read_selection(const json_t *object, struct selection *s)
{
	const char *name;
	json_t *values;

	json_object_foreach((json_t *)object, name, values)
	{
		struct condition *c = &s->condition[s->nconditions++];
		const char *bar = strchr(name, '|');
		size_t i;
		json_t *v;

		c->not = bar != NULL;
		c->field = read_field(name, bar == NULL ? strlen(name) : (size_t)(bar - name));
		json_array_foreach(values, i, v)
		{
			c->value[c->nvalues++] = json_string_value(v);
		}
	}
}

static void read_responses(const json_t *list, struct guard_rule_info *info)
{
	size_t i;
	json_t *item;

	json_array_foreach(list, i, item)
	{
		struct guard_response *r = &info->response[info->nresponses++];
		const char *tier = json_string_value(json_object_get(item, "tier"));

		r->act = (enum guard_act)place(json_string_value(json_object_get(item, "act")), GUARD_ACT_RATE + 1,
					       act_name);
		r->seconds = duration(item, "for", 0) / 1000000;
		r->tier = tier == NULL || strcmp(tier, "write") == 0 ? 2 : tier[0] == 'r' ? 1 : 3;
		r->rate = (uint32_t)json_integer_value(json_object_get(item, "rate"));
	}
}

void rule_read_info(const json_t *doc, struct guard_rule_info *info)
{
	const json_t *page = json_object_get(doc, "page");

	info->id = json_string_value(json_object_get(doc, "id"));
	info->title = json_string_value(json_object_get(doc, "title"));
	info->description = json_string_value(json_object_get(doc, "description"));
	info->suggest = json_string_value(json_object_get(doc, "suggest"));
	info->class = (enum guard_class)place(json_string_value(json_object_get(doc, "class")), GUARD_SCORING + 1,
					      class_name);
	info->severity = (enum guard_severity)place(json_string_value(json_object_get(doc, "severity")),
						    GUARD_CRITICAL + 1, severity_name);
	info->strong = json_is_true(json_object_get(doc, "strong"));
	info->page = page == NULL ? info->severity >= GUARD_HIGH : json_is_true(page);
	info->suppress_us = duration(doc, "suppress", SUPPRESS_US);
	read_responses(json_object_get(doc, "response"), info);
}

/* "HH:MM", whose form the schema has seen to, in minutes. */
static uint32_t minutes(const char *t)
{
	return (uint32_t)(t[0] - '0') * 600 + (uint32_t)(t[1] - '0') * 60 + (uint32_t)(t[3] - '0') * 10 +
	       (uint32_t)(t[4] - '0');
}

static uint8_t day_bit(const char *name)
{
	static const char *const names[] = {"mon", "tue", "wed", "thu", "fri", "sat", "sun"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(name, names[i]) == 0)
			return (uint8_t)(1u << i);
	return 0;
}

static void read_hours(const json_t *d, struct rule *r)
{
	const char *hours = json_string_value(json_object_get(d, "hours"));
	const json_t *days = json_object_get(d, "days");

	r->from_min = hours == NULL ? 0 : minutes(hours);
	r->to_min = hours == NULL ? 1440 : minutes(hours + 6);
	for (size_t i = 0; i < json_array_size(days); i++)
		r->days |= day_bit(json_string_value(json_array_get(days, i)));
	if (r->days == 0)
		r->days = 0x1f;
}

void rule_read_detector(const json_t *doc, struct rule *r)
{
	const json_t *d = json_object_get(doc, "detector"), *detection = json_object_get(doc, "detection");
	static const char *const seconds[] = {"failure", "writes", "sends"};
	size_t i;
	json_t *field;

	read_selection(json_object_get(detection, "selection"), &r->select);
	for (i = 0; i < 3; i++)
		if (r->failure.nconditions == 0)
			read_selection(json_object_get(detection, seconds[i]), &r->failure);
	r->kind = (enum detector_kind)place(json_string_value(json_object_get(d, "type")), DETECTORS, detector_name);
	json_array_foreach(json_object_get(d, "by"), i, field)
	{
		r->key[r->nkey++] = read_field(json_string_value(field), json_string_length(field));
	}
	field = json_object_get(d, "value");
	r->value = field == NULL ? GUARD_TOOL : read_field(json_string_value(field), json_string_length(field));
	r->window_us = duration(d, "window", WINDOW_US);
	r->learn_us = duration(d, "learn", 0);
	r->threshold = json_number_value(json_object_get(d, "threshold"));
	r->p0 = json_number_value(json_object_get(d, "usual"));
	r->p1 = json_number_value(json_object_get(d, "spike"));
	r->repeat = json_object_get(d, "repeat") == NULL ? 1 : json_number_value(json_object_get(d, "repeat"));
	r->minimum = (uint32_t)json_integer_value(json_object_get(d, "minimum"));
	r->read_bytes = (uint64_t)json_integer_value(json_object_get(d, "read"));
	r->write_bytes = (uint64_t)json_integer_value(json_object_get(d, "written"));
	r->score = (enum guard_score)place(json_string_value(json_object_get(d, "score")), GUARD_SCORES, score_name);
	read_hours(d, r);
	if (r->p0 > 0 && r->p1 > r->p0) {
		r->up = log(r->p1 / r->p0);
		r->down = log((1 - r->p0) / (1 - r->p1));
	}
}
