/* What of the configuration each role is told. */
#include "common/config.h"

#include <stdlib.h>
#include <string.h>

#define READER(r) (1u << (r))
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

#define ALL (READER(CONFIG_READERS) - 1)

/* Who is told which part. One without a row goes to nobody: operators are for vaultd, which reads the file. */
static const struct {
	const char *part;
	unsigned readers;
} parts[] = {
	{"listen", ALL},
	{"limits", ALL},
	{"min_landlock_abi", ALL},
	{"users", ALL},
	{"origin", ALL},
	{"policy", READER(CONFIG_BROKER) | READER(CONFIG_PDP) | READER(CONFIG_RECORDER) | READER(CONFIG_OPAL)},
	{"approvals", READER(CONFIG_BROKER) | READER(CONFIG_FRONT)},
	{"authzen", READER(CONFIG_BROKER) | READER(CONFIG_AUTHZEN)},
	{"guardian", READER(CONFIG_BROKER) | READER(CONFIG_RECORDER) | READER(CONFIG_PAGER)},
};

/* Puts a member of `from` that is there into `to`. */
static int put_member(json_t *to, const json_t *from, const char *name)
{
	json_t *value = json_object_get(from, name);

	return value == NULL || json_object_set(to, name, value) == 0 ? 0 : KG_E_NOMEM;
}

/* What the broker decides with. Where a server is and how it is started is not its business. */
static int put_rules(json_t *to, const struct config_server *s, const json_t *from)
{
	static const char *const members[] = {"tiers", "timeout_seconds", "max_calls", "environment", "min_trust"};

	for (size_t i = 0; i < COUNT(members); i++) {
		if (put_member(to, from, members[i]) != 0)
			return KG_E_NOMEM;
	}
	return json_object_set_new(to, "is_http", json_boolean(s->is_http)) == 0 ? 0 : KG_E_NOMEM;
}

static int put_server(json_t *servers, const struct config *c, const struct config_server *s, enum config_reader reader,
		      const char *wanted)
{
	json_t *from = json_object_get(json_object_get(c->root, "mcpServers"), s->name), *to;

	if (reader == CONFIG_AUTHZEN || reader == CONFIG_PDP || reader == CONFIG_PAGER || reader == CONFIG_OPAL)
		return 0;
	if (reader == CONFIG_UPSTREAM)
		return strcmp(wanted, s->name) != 0 || json_object_set(servers, s->name, from) == 0 ? 0 : KG_E_NOMEM;
	to = json_object();
	if (to == NULL || json_object_set_new(servers, s->name, to) != 0)
		return KG_E_NOMEM;
	return reader == CONFIG_FRONT ? 0 : put_rules(to, s, from);
}

static int put_servers(json_t *root, const struct config *c, enum config_reader reader, const char *wanted)
{
	json_t *servers = json_object();
	int r = servers == NULL ? KG_E_NOMEM : 0;

	for (size_t i = 0; r == 0 && i < c->nservers; i++)
		r = put_server(servers, c, &c->servers[i], reader, wanted);
	if (r == 0 && json_object_set(root, "mcpServers", servers) != 0)
		r = KG_E_NOMEM;
	json_decref(servers);
	return r;
}

/* The broker is told that a set is pushed; by whom, the endpoint alone. */
static int cut_pushers(json_t *policy, const json_t *from)
{
	json_t *opal = from == NULL ? NULL : json_object();

	if (from == NULL)
		return 0;
	return json_object_set_new(policy, "opal", opal) == 0 ? put_member(opal, from, "listen") : KG_E_NOMEM;
}

/* The broker is told that there is another decision point and how long to wait; only the role beside it, where it is.
 */
static int cut_policy(json_t *root, const json_t *from, enum config_reader reader)
{
	const json_t *external = json_object_get(from, "external");
	json_t *policy = reader == CONFIG_BROKER ? json_copy((json_t *)from) : json_object(), *known;
	int r = policy == NULL || json_object_set_new(root, "policy", policy) != 0 ? KG_E_NOMEM : 0;

	if (r == 0 && reader == CONFIG_RECORDER) /* hours of the day are of this zone */
		return put_member(policy, from, "time_zone");
	if (r == 0 && reader == CONFIG_OPAL)
		return put_member(policy, from, "opal");
	if (r == 0 && reader == CONFIG_BROKER)
		r = cut_pushers(policy, json_object_get(from, "opal"));
	if (r != 0 || external == NULL)
		return r;
	if (reader == CONFIG_PDP)
		return put_member(policy, from, "external");
	known = json_object();
	r = json_object_set_new(policy, "external", known) == 0 ? 0 : KG_E_NOMEM;
	if (r == 0)
		r = put_member(known, external, "kind");
	if (r == 0)
		r = put_member(known, external, "timeout_ms");
	/* That there is one, not where: lists of tools are asked otherwise then. */
	if (r == 0 && json_object_get(external, "batch_url") != NULL)
		r = json_object_set_new(known, "batch_url", json_string("")) == 0 ? 0 : KG_E_NOMEM;
	return r;
}

/* The broker knows what a caller may ask, its endpoint who it is. */
static int cut_tokens(json_t *root, const json_t *from)
{
	json_t *authzen = json_deep_copy(from), *caller;
	size_t i;

	if (authzen == NULL || json_object_set_new(root, "authzen", authzen) != 0)
		return KG_E_NOMEM;
	json_array_foreach(json_object_get(authzen, "callers"), i, caller) json_object_del(caller, "token_sha256");
	return 0;
}

/* Who is paged is the recorder's matter, where they are the pager's. */
static json_t *channels_without_addresses(const json_t *from)
{
	json_t *channels = json_object(), *channel;
	const char *name;

	json_object_foreach((json_t *)from, name, channel)
	{
		json_t *known = json_pack("{s:b}", "elsewhere", 1);

		if (json_object_set_new(channels, name, known) != 0 || put_member(known, channel, "kind") != 0 ||
		    put_member(known, channel, "per_minute") != 0) {
			json_decref(channels);
			return NULL;
		}
	}
	return channels;
}

static int cut_guardian(json_t *root, const json_t *from, enum config_reader reader)
{
	static const struct {
		const char *name;
		unsigned readers;
	} members[] = {
		{"rules", READER(CONFIG_RECORDER)},
		{"inspect", READER(CONFIG_BROKER)},
		{"canaries", READER(CONFIG_BROKER)},
		{"channels", READER(CONFIG_PAGER)},
		{"routes", READER(CONFIG_RECORDER)},
		{"quiet_hours", READER(CONFIG_RECORDER)},
		{"blast_radius", READER(CONFIG_RECORDER)},
		{"keep_days", READER(CONFIG_RECORDER)},
		{"console_url", READER(CONFIG_RECORDER) | READER(CONFIG_PAGER)},
		{"test_page", READER(CONFIG_RECORDER)},
	};
	json_t *to = json_object();
	int r = to == NULL || json_object_set_new(root, "guardian", to) != 0 ? KG_E_NOMEM : 0;

	for (size_t i = 0; i < COUNT(members) && r == 0; i++)
		if ((members[i].readers & READER(reader)) != 0)
			r = put_member(to, from, members[i].name);
	if (r == 0 && reader == CONFIG_RECORDER && json_object_get(from, "channels") != NULL)
		r = json_object_set_new(to, "channels",
					channels_without_addresses(json_object_get(from, "channels"))) == 0
			    ? 0
			    : KG_E_NOMEM;
	return r;
}

static int put_parts(json_t *root, const struct config *c, enum config_reader reader)
{
	const json_t *policy = json_object_get(c->root, "policy"), *authzen = json_object_get(c->root, "authzen");
	const json_t *guardian = json_object_get(c->root, "guardian");
	int r = 0;

	for (size_t i = 0; r == 0 && i < COUNT(parts); i++) {
		if ((parts[i].readers & READER(reader)) != 0)
			r = put_member(root, c->root, parts[i].part);
	}
	if (r == 0 && policy != NULL && json_object_get(root, "policy") != NULL)
		r = cut_policy(root, policy, reader);
	if (r == 0 && authzen != NULL && reader == CONFIG_BROKER)
		r = cut_tokens(root, authzen);
	if (r == 0 && guardian != NULL && json_object_get(root, "guardian") != NULL)
		r = cut_guardian(root, guardian, reader);
	return r;
}

char *config_slice(const struct config *c, enum config_reader reader, const char *server)
{
	json_t *root = json_object();
	char *text = NULL;
	int r = root == NULL ? KG_E_NOMEM : put_servers(root, c, reader, server);

	if (r == 0)
		r = put_parts(root, c, reader);
	if (r == 0 && json_object_set_new(root, "slice", json_true()) == 0)
		text = json_dumps(root, JSON_COMPACT);
	json_decref(root);
	return text;
}
