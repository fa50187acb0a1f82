#include "common/guardian/yaml.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <yaml.h>

#include "common/guardian/yaml_places.h"
#include "common/schema.h"

struct reader {
	yaml_parser_t parser;
	struct yaml_places *places;
	size_t document;
	char path[SCHEMA_PATH_MAX]; /* of what is read, as the schema's check will call it */
	char *why;
};

/* Where the current path stands; false when there is no memory for it. */
static bool keep_place(struct reader *r, const yaml_mark_t *at)
{
	struct yaml_place place = {at->line + 1, at->column + 1};

	return yaml_places_add(r->places, r->document, r->path, place) == KG_OK;
}

static void fail(struct reader *r, const yaml_mark_t *at, const char *what)
{
	if (r->why[0] == '\0')
		snprintf(r->why, YAML_WHY_MAX, "%zu:%zu: %s", at->line + 1, at->column + 1, what);
}

static bool next(struct reader *r, yaml_event_t *ev)
{
	if (yaml_parser_parse(&r->parser, ev) == 1)
		return true;
	fail(r, &r->parser.problem_mark, r->parser.problem == NULL ? "is no YAML" : r->parser.problem);
	return false;
}

/* A plain scalar may be a number, true, false or null; a quoted one is text. */
static json_t *scalar(const yaml_event_t *ev)
{
	const char *text = (const char *)ev->data.scalar.value;
	size_t n = ev->data.scalar.length;
	char *end;

	if (ev->data.scalar.style != YAML_PLAIN_SCALAR_STYLE)
		return json_stringn(text, n);
	if (strcmp(text, "true") == 0 || strcmp(text, "false") == 0)
		return json_boolean(text[0] == 't');
	if (n == 0 || strcmp(text, "null") == 0 || strcmp(text, "~") == 0)
		return json_null();
	if (strspn(text, "0123456789.-+eE") == n && strchr("0123456789-", text[0]) != NULL) {
		errno = 0;
		if (strpbrk(text, ".eE") == NULL) {
			long long i = strtoll(text, &end, 10);

			if (*end == '\0' && errno == 0)
				return json_integer(i);
		} else {
			double d = strtod(text, &end);

			if (*end == '\0' && errno == 0)
				return json_real(d);
		}
	}
	return json_stringn(text, n);
}

static json_t *value(struct reader *r, const yaml_event_t *ev, int depth);

static json_t *sequence(struct reader *r, int depth)
{
	json_t *list = json_array();
	size_t len = strlen(r->path);
	yaml_event_t ev;

	while (next(r, &ev)) {
		json_t *item = NULL;

		if (ev.type == YAML_SEQUENCE_END_EVENT) {
			yaml_event_delete(&ev);
			return list;
		}
		schema_path_element(r->path, json_array_size(list));
		if (keep_place(r, &ev.start_mark))
			item = value(r, &ev, depth);
		r->path[len] = '\0';
		yaml_event_delete(&ev);
		if (item == NULL || json_array_append_new(list, item) != 0)
			break;
	}
	json_decref(list);
	return NULL;
}

static bool member(struct reader *r, json_t *object, const yaml_event_t *key, int depth)
{
	size_t len = strlen(r->path);
	yaml_event_t ev;
	json_t *v = NULL;

	if (key->type != YAML_SCALAR_EVENT) {
		fail(r, &key->start_mark, "a name is expected");
		return false;
	}
	if (json_object_get(object, (const char *)key->data.scalar.value) != NULL) {
		fail(r, &key->start_mark, "this name stands here twice");
		return false;
	}
	if (!next(r, &ev))
		return false;
	schema_path_member(r->path, (const char *)key->data.scalar.value);
	if (keep_place(r, &key->start_mark))
		v = value(r, &ev, depth);
	r->path[len] = '\0';
	yaml_event_delete(&ev);
	return v != NULL && json_object_set_new(object, (const char *)key->data.scalar.value, v) == 0;
}

static json_t *mapping(struct reader *r, int depth)
{
	json_t *object = json_object();
	yaml_event_t ev;
	bool ok = true;

	while (ok && next(r, &ev)) {
		bool end = ev.type == YAML_MAPPING_END_EVENT;

		ok = end || member(r, object, &ev, depth);
		yaml_event_delete(&ev);
		if (end)
			return object;
	}
	json_decref(object);
	return NULL;
}

static json_t *value(struct reader *r, const yaml_event_t *ev, int depth)
{
	const yaml_char_t *anchor = ev->type == YAML_SCALAR_EVENT           ? ev->data.scalar.anchor
				    : ev->type == YAML_SEQUENCE_START_EVENT ? ev->data.sequence_start.anchor
				    : ev->type == YAML_MAPPING_START_EVENT  ? ev->data.mapping_start.anchor
									    : NULL;
	const yaml_char_t *tag = ev->type == YAML_SCALAR_EVENT           ? ev->data.scalar.tag
				 : ev->type == YAML_SEQUENCE_START_EVENT ? ev->data.sequence_start.tag
				 : ev->type == YAML_MAPPING_START_EVENT  ? ev->data.mapping_start.tag
									 : NULL;

	if (ev->type == YAML_ALIAS_EVENT || anchor != NULL || tag != NULL)
		fail(r, &ev->start_mark, "anchors, aliases and tags are not taken");
	else if (depth == YAML_DEPTH_MAX)
		fail(r, &ev->start_mark, "is nested too deeply");
	else if (ev->type == YAML_SCALAR_EVENT)
		return scalar(ev);
	else if (ev->type == YAML_SEQUENCE_START_EVENT)
		return sequence(r, depth + 1);
	else if (ev->type == YAML_MAPPING_START_EVENT)
		return mapping(r, depth + 1);
	else
		fail(r, &ev->start_mark, "a value is expected");
	return NULL;
}

/* All events of the stream; false when it ends before its end. */
static bool read_all(struct reader *r, json_t *docs)
{
	bool ok = true, end = false;
	yaml_event_t ev;

	while (ok && !end && (ok = next(r, &ev))) {
		end = ev.type == YAML_STREAM_END_EVENT;
		if (ev.type == YAML_SCALAR_EVENT || ev.type == YAML_SEQUENCE_START_EVENT ||
		    ev.type == YAML_MAPPING_START_EVENT || ev.type == YAML_ALIAS_EVENT) {
			json_t *doc = NULL;

			r->document = json_array_size(docs);
			if (keep_place(r, &ev.start_mark))
				doc = value(r, &ev, 0);
			ok = doc != NULL && json_array_append_new(docs, doc) == 0;
		}
		yaml_event_delete(&ev);
	}
	return ok;
}

json_t *yaml_documents(const char *text, size_t len, struct yaml_places **places, char why[YAML_WHY_MAX])
{
	struct reader r = {.why = why};
	json_t *docs = json_array();
	bool ok = false;

	why[0] = '\0';
	r.places = *places = yaml_places_new();
	if (r.places != NULL && yaml_parser_initialize(&r.parser) == 1) {
		yaml_parser_set_input_string(&r.parser, (const unsigned char *)text, len);
		ok = read_all(&r, docs);
		yaml_parser_delete(&r.parser);
	}
	if (ok)
		return docs;
	json_decref(docs);
	yaml_places_free(r.places);
	*places = NULL;
	if (why[0] == '\0')
		snprintf(why, YAML_WHY_MAX, "1:1: out of memory");
	return NULL;
}
