#include "vaultd/listing.h"

#include <string.h>

#include "vaultd/admin.h"

json_t *tools_json(const char *tools)
{
	json_t *list = json_array();

	while (*tools != '\0') {
		size_t n = strcspn(tools, "\n");

		json_array_append_new(list, json_stringn(tools, n));
		tools += n + (tools[n] == '\n');
	}
	return list;
}

static const char *consent_state(const struct store_consent *c, uint64_t now)
{
	if (c->revoked)
		return "revoked";
	return c->expires <= now ? "expired" : "active";
}

/* What both have; o is taken and given back. */
static json_t *add_consent(json_t *o, const struct store_consent *c)
{
	json_object_set_new(o, "human", json_string(c->human));
	json_object_set_new(o, "agent", json_string(c->agent));
	json_object_set_new(o, "tools", tools_json(c->tools));
	json_object_set_new(o, "tier", json_string(tier_name(c->tier)));
	json_object_set_new(o, "why", json_string(c->why));
	json_object_set_new(o, "expires", json_integer((json_int_t)c->expires));
	return o;
}

json_t *consent_json(const struct store_consent *c, uint64_t now)
{
	char id[ID_HEX_LEN + 1];

	id_hex(c->id, id);
	return add_consent(json_pack("{s:s, s:s, s:I, s:o}", "id", id, "state", consent_state(c, now), "created",
				     (json_int_t)c->created, "by", actor_json(&c->by)),
			   c);
}

json_t *session_json(const struct store_session *x, uint64_t now)
{
	char id[ID_HEX_LEN + 1], consent[ID_HEX_LEN + 1];
	const char *state = session_state_name(x->state);

	if (x->state != SESSION_REVOKED && x->consent.expires <= now)
		state = "expired";
	id_hex(x->id, id);
	id_hex(x->consent.id, consent);
	return add_consent(json_pack("{s:s, s:s, s:s, s:I, s:I, s:o}", "id", id, "consent", consent, "state", state,
				     "created", (json_int_t)x->created, "changed", (json_int_t)x->changed, "labels",
				     tools_json(x->labels)),
			   &x->consent);
}
