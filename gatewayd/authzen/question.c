#include "gatewayd/authzen/question.h"

#include <stddef.h>

struct question_parts question_parts(const struct json_doc *d, uint32_t object, const struct question_parts *defaults)
{
	struct question_parts p = {json_get(d, object, "subject"), json_get(d, object, "action"),
				   json_get(d, object, "resource"), json_get(d, object, "context")};

	if (defaults == NULL)
		return p;
	/* Whole objects only: their members are not merged. */
	p.subject = p.subject == JSON_NONE ? defaults->subject : p.subject;
	p.action = p.action == JSON_NONE ? defaults->action : p.action;
	p.resource = p.resource == JSON_NONE ? defaults->resource : p.resource;
	p.context = p.context == JSON_NONE ? defaults->context : p.context;
	return p;
}

/* What can be wrong with an entity, in its own words. */
struct wording {
	const char *object, *name, *name_long, *id, *id_long, *properties;
};

#define WORDING(what, name)                                                                                            \
	{                                                                                                              \
		what " must be an object", what "." name " must be a string",                                          \
			what "." name " is longer than 256 bytes", what ".id must be a string",                        \
			what ".id is longer than 1024 bytes", what ".properties must be an object"                     \
	}

static const struct wording subject_words = WORDING("subject", "type"), action_words = WORDING("action", "name"),
			    resource_words = WORDING("resource", "type");

static const char *take_string(const struct json_doc *d, uint32_t t, char *out, size_t size, const char *wrong,
			       const char *too_long)
{
	int r = json_unescape(d, t, out, size);

	if (r == KG_E_LIMIT)
		return too_long;
	return r == KG_OK ? NULL : wrong;
}

/* id NULL: not looked at. */
static const char *take_entity(const struct json_doc *d, uint32_t t, const char *member, const struct wording *w,
			       char name[QUESTION_TYPE_MAX + 1], char *id)
{
	uint32_t properties = json_get(d, t, "properties");
	const char *wrong;

	if (json_kind(d, t) != JK_OBJECT)
		return w->object;
	wrong = take_string(d, json_get(d, t, member), name, QUESTION_TYPE_MAX + 1, w->name, w->name_long);
	if (wrong == NULL && id != NULL)
		wrong = take_string(d, json_get(d, t, "id"), id, QUESTION_ID_MAX + 1, w->id, w->id_long);
	if (wrong == NULL && properties != JSON_NONE && json_kind(d, properties) != JK_OBJECT)
		wrong = w->properties;
	return wrong;
}

static const char *check_context(const struct json_doc *d, uint32_t t)
{
	return t == JSON_NONE || json_kind(d, t) == JK_OBJECT ? NULL : "context must be an object";
}

const char *question_take(const struct json_doc *d, const struct question_parts *parts, uint8_t kind,
			  struct question *q)
{
	const char *wrong;

	q->parts = *parts;
	q->action[0] = q->subject_id[0] = q->resource_id[0] = '\0';
	wrong = take_entity(d, parts->subject, "type", &subject_words, q->subject_type,
			    kind == AUTHZ_SUBJECTS ? NULL : q->subject_id);
	if (wrong == NULL && kind != AUTHZ_ACTIONS)
		wrong = take_entity(d, parts->action, "name", &action_words, q->action, NULL);
	if (wrong == NULL)
		wrong = take_entity(d, parts->resource, "type", &resource_words, q->resource_type,
				    kind == AUTHZ_RESOURCES ? NULL : q->resource_id);
	if (kind == AUTHZ_ACTIONS)
		q->parts.action = JSON_NONE;
	return wrong != NULL ? wrong : check_context(d, parts->context);
}

const char *question_check_defaults(const struct json_doc *d, const struct question_parts *parts)
{
	static struct question q; /* room only */
	const char *wrong = NULL;

	if (parts->subject != JSON_NONE)
		wrong = take_entity(d, parts->subject, "type", &subject_words, q.subject_type, q.subject_id);
	if (wrong == NULL && parts->action != JSON_NONE)
		wrong = take_entity(d, parts->action, "name", &action_words, q.action, NULL);
	if (wrong == NULL && parts->resource != JSON_NONE)
		wrong = take_entity(d, parts->resource, "type", &resource_words, q.resource_type, q.resource_id);
	return wrong != NULL ? wrong : check_context(d, parts->context);
}

int question_put_properties(const struct json_doc *d, const struct question *q, struct buf *out)
{
	const struct {
		const char *name;
		uint32_t value;
	} members[] = {
		{"subject", json_get(d, q->parts.subject, "properties")},
		{"action", json_get(d, q->parts.action, "properties")},
		{"resource", json_get(d, q->parts.resource, "properties")},
		{"context", q->parts.context},
	};
	size_t start = buf_len(out);
	const char *before = "{";

	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
		if (members[i].value == JSON_NONE)
			continue;
		if (buf_printf(out, "%s\"%s\":", before, members[i].name) != KG_OK ||
		    json_put_compact(out, d, members[i].value) != KG_OK)
			return KG_E_LIMIT;
		before = ",";
	}
	if (buf_puts(out, *before == '{' ? "{}" : "}") != KG_OK)
		return KG_E_LIMIT;
	return buf_len(out) - start > QUESTION_PROPERTIES_MAX ? KG_E_LIMIT : KG_OK;
}
