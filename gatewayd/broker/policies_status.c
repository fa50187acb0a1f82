/* What operators are shown of the policies. */
#include "gatewayd/broker/policies_in.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "gatewayd/broker/broker.h"

static json_t *text_or_null(const char *text)
{
	return text == NULL || text[0] == '\0' ? json_null() : json_string(text);
}

static json_t *hash_or_null(const uint8_t *hash)
{
	char hex[POLICY_HEX_SIZE];

	if (hash == NULL)
		return json_null();
	policies_hex(hex, hash);
	return json_string(hex);
}

/* buf_text() writes the end of the text, which it does not count. */
static const char *text_of(const struct buf *b)
{
	return buf_len(b) == 0 ? NULL : buf_text((struct buf *)b);
}

static json_t *shadow_status(const struct policies *p)
{
	if (p->shadow_folder.path == NULL)
		return json_null();
	return json_pack("{s:s, s:o, s:I, s:o}", "source", p->shadow_folder.path, "sha256",
			 hash_or_null(p->now.shadow == NULL ? NULL : policy_set_hash(p->now.shadow)), "differences",
			 (json_int_t)p->shadow.differences, "error", text_or_null(text_of(&p->shadow.error)));
}

/* That nothing decides is worse than that a change was refused. */
static const char *error_of(const struct policies *p)
{
	const char *expired = policies_expired(p);

	if (expired != NULL)
		return expired;
	return buf_len(&p->errors) > 0 ? text_of(&p->errors) : p->why;
}

json_t *policies_status(const struct policies *p)
{
	const struct policy_set *set = p->now.set;
	uint8_t data[HASH_LEN];

	if (p->data != NULL)
		sha256(p->data, p->data_len, data);
	return json_pack("{s:o, s:I, s:I, s:I, s:s, s:o, s:o, s:I, s:o, s:o, s:o}", "sha256",
			 hash_or_null(set == NULL ? NULL : policy_set_hash(set)), "policies",
			 (json_int_t)(set == NULL ? 0 : policy_set_count(set)), "revision",
			 (json_int_t)p->folder.dir.revision, "loaded_at", (json_int_t)p->loaded_unix, "source",
			 p->folder.path == NULL ? "built-in" : p->folder.path, "error", text_or_null(error_of(p)),
			 "shadow", shadow_status(p), "tools", (json_int_t)p->now.ntools, "data_sha256",
			 hash_or_null(p->data == NULL ? NULL : data), "expires", policies_expiry_at(p), "expires_in",
			 policies_expiry_left(p));
}

json_t *policies_entities(const struct policies *p)
{
	json_t *list = p->data == NULL ? json_array() : json_loadb(p->data, p->data_len, 0, NULL);

	return list == NULL ? NULL : json_pack("{s:o}", "entities", list);
}

json_t *policies_schema(const struct policies *p)
{
	const char *text;
	size_t len;

	if (p->now.set == NULL)
		return NULL;
	text = policy_set_schema(p->now.set, &len);
	return json_pack("{s:s%}", "schema", text, len);
}

static json_t *servers_of(const struct broker *b)
{
	json_t *list = json_array();

	for (size_t i = 0; i < b->config->nservers; i++) {
		const struct config_server *s = &b->config->servers[i];

		(void)json_array_append_new(list, json_pack("{s:s, s:s, s:i, s:b}", "name", s->name, "environment",
							    s->environment, "min_trust", (int)s->min_trust,
							    "quarantined", 0));
	}
	return list;
}

static json_t *tool_of(const struct broker *b, const struct pin *pin)
{
	uint8_t tier = policies_tool_tier(b, pin);
	char hex[POLICY_HEX_SIZE];

	if (tier == 0 || pin->definition == NULL)
		return NULL;
	policies_hex(hex, pin->accepted);
	return json_pack("{s:s, s:s, s:s, s:s, s:s%, s:b}", "server", pin->server, "name", pin->name, "tier",
			 tier_name(tier), "sha256", hex, "definition", pin->definition, pin->len, "quarantined",
			 pin->state != PIN_ACCEPTED);
}

json_t *policies_catalogue(const struct policies *p)
{
	json_t *tools = json_array(), *entities = policies_entities(p), *data = json_object_get(entities, "entities");
	json_t *out;

	for (size_t i = 0; i < pins_count(p->b->pins); i++) {
		json_t *tool = tool_of(p->b, pins_at(p->b->pins, i));

		if (tool != NULL)
			(void)json_array_append_new(tools, tool);
	}
	out = json_pack("{s:o, s:o, s:O?}", "servers", servers_of(p->b), "tools", tools, "data", data);
	json_decref(entities);
	return out;
}

static bool is_other(const struct folder *f, const char *seen)
{
	struct stat st;
	char mine[64];

	if (f->path == NULL || seen == NULL || fstat(f->fd, &st) != 0)
		return false;
	snprintf(mine, sizeof(mine), "%ju:%ju", (uintmax_t)st.st_dev, (uintmax_t)st.st_ino);
	return strcmp(mine, seen) != 0;
}

const char *policies_moved(const struct policies *p, const json_t *seen)
{
	if (is_other(&p->folder, json_string_value(json_object_get(seen, "folder"))))
		return "policy.dir leads to another folder than at the start (it was replaced, or a link was set "
		       "anew), and the locked broker can open no other: write the files into the folder that it has, "
		       "or restart gatewayd";
	if (is_other(&p->shadow_folder, json_string_value(json_object_get(seen, "shadow"))))
		return "policy.shadow_dir leads to another folder than at the start, and the locked broker can open no "
		       "other: write the files into the folder that it has, or restart gatewayd";
	return NULL;
}
