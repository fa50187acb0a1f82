/* What of the configuration each role is told. */
#include "common/config.h"

#include <stdlib.h>
#include <string.h>

/* What the broker decides with. Where a server is and how it is started is not its business. */
static int put_rules(json_t *to, const struct config_server *s, const json_t *from)
{
	static const char *const members[] = {"tiers", "timeout_seconds", "max_calls"};

	for (size_t i = 0; i < sizeof(members) / sizeof(*members); i++) {
		json_t *value = json_object_get(from, members[i]);

		if (value != NULL && json_object_set(to, members[i], value) != 0)
			return KG_E_NOMEM;
	}
	return json_object_set_new(to, "is_http", json_boolean(s->is_http)) == 0 ? 0 : KG_E_NOMEM;
}

static int put_server(json_t *servers, const struct config *c, const struct config_server *s, const char *wanted)
{
	json_t *from = json_object_get(json_object_get(c->root, "mcpServers"), s->name), *to;

	if (wanted != NULL && wanted[0] != '\0')
		return strcmp(wanted, s->name) != 0 || json_object_set(servers, s->name, from) == 0 ? 0 : KG_E_NOMEM;
	to = json_object();
	if (to == NULL || json_object_set_new(servers, s->name, to) != 0)
		return KG_E_NOMEM;
	return wanted == NULL ? put_rules(to, s, from) : 0;
}

char *config_slice(const struct config *c, const char *server)
{
	json_t *root = json_copy(c->root), *servers = json_object();
	char *text = NULL;
	int r = root == NULL || servers == NULL ? KG_E_NOMEM : 0;

	for (size_t i = 0; r == 0 && i < c->nservers; i++)
		r = put_server(servers, c, &c->servers[i], server);
	if (r == 0 && json_object_set(root, "mcpServers", servers) == 0 &&
	    json_object_set_new(root, "slice", json_true()) == 0)
		text = json_dumps(root, JSON_COMPACT);
	json_decref(servers);
	json_decref(root);
	return text;
}
