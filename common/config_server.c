#include "common/config_build.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TIMEOUT_DEFAULT_S 60
#define CALLS_DEFAULT 512

/* The path as a new string, starting at the configuration's directory when it is relative; NULL when out of memory. */
static json_t *absolute(const char *base, const char *path)
{
	if (path[0] == '/')
		return json_string(path);
	return json_sprintf("%s%s%s", base, strcmp(base, "/") == 0 ? "" : "/",
			    strncmp(path, "./", 2) == 0 ? path + 2 : path);
}

int config_resolve(json_t *object, const char *name, const char *base)
{
	const char *path = config_text(object, name, NULL);
	json_t *full;

	if (path == NULL || path[0] == '/')
		return 0;
	full = absolute(base, path);
	return json_object_set_new(object, name, full) == 0 ? 0 : KG_E_NOMEM;
}

static int resolve_list(struct config_build *b, json_t *list)
{
	size_t i;
	json_t *item;

	json_array_foreach(list, i, item)
	{
		if (json_is_string(item) &&
		    json_array_set_new(list, i, absolute(b->base, json_string_value(item))) != 0)
			return KG_E_NOMEM;
	}
	return 0;
}

/* After this no path depends on where the configuration lies: slices are read in other processes. */
static int resolve_paths(struct config_build *b)
{
	json_t *sandbox = json_object_get(b->from, "sandbox");
	const char *command = config_text(b->from, "command", NULL);
	int r = 0;

	if (command != NULL && strchr(command, '/') != NULL)
		r = config_resolve(b->from, "command", b->base);
	if (r == 0 && command != NULL && config_text(b->from, "cwd", NULL) == NULL)
		r = json_object_set_new(b->from, "cwd", json_string(b->base)) == 0 ? 0 : KG_E_NOMEM;
	if (r == 0)
		r = config_resolve(b->from, "cwd", b->base);
	if (r == 0)
		r = config_resolve(json_object_get(b->from, "tls"), "ca", b->base);
	if (r == 0)
		r = resolve_list(b, json_object_get(sandbox, "read"));
	return r == 0 ? resolve_list(b, json_object_get(sandbox, "write")) : r;
}

static int build_tiers(struct config_build *b)
{
	json_t *tiers = json_object_get(b->from, "tiers"), *tier;
	size_t n = json_object_size(tiers);
	const char *pattern;

	if (n == 0)
		return 0;
	b->s->tiers = calloc(n, sizeof(*b->s->tiers));
	if (b->s->tiers == NULL)
		return KG_E_NOMEM;
	json_object_foreach(tiers, pattern, tier)
	{
		struct config_tier_rule *rule = &b->s->tiers[b->s->ntiers];

		if (!json_is_string(tier) || tier_parse(json_string_value(tier), &rule->tier) != 0)
			continue;
		rule->pattern = pattern;
		b->s->ntiers++;
	}
	return 0;
}

static bool range_is_right(const char *text)
{
	char address[INET6_ADDRSTRLEN];
	uint8_t binary[16];
	const char *slash = strchr(text, '/');
	size_t len = slash == NULL ? strlen(text) : (size_t)(slash - text);
	long bits = slash == NULL ? 0 : strtol(slash + 1, NULL, 10);

	if (len >= sizeof(address))
		return false;
	memcpy(address, text, len);
	address[len] = '\0';
	if (inet_pton(AF_INET, address, binary) == 1)
		return bits <= 32;
	return inet_pton(AF_INET6, address, binary) == 1 && bits <= 128;
}

int config_addresses_build(struct config_build *b)
{
	size_t len = strlen(b->path);
	int r = config_strings(json_object_get(b->from, "allow_addresses"), &b->s->allow_addresses,
			       &b->s->nallow_addresses);

	for (size_t i = 0; r == 0 && i < b->s->nallow_addresses; i++) {
		if (range_is_right(b->s->allow_addresses[i]))
			continue;
		schema_path_member(b->path, "allow_addresses");
		schema_path_element(b->path, i);
		config_mistake(b->e, b->path, "\"%s\" is neither an address nor a range such as 10.1.2.0/24",
			       b->s->allow_addresses[i]);
		b->path[len] = '\0';
	}
	return r;
}

static int build_http(struct config_build *b)
{
	int r;

	b->s->is_http = true;
	b->s->url = config_text(b->from, "url", NULL);
	b->s->tls_ca = config_text(json_object_get(b->from, "tls"), "ca", NULL);
	b->s->destination = "";
	config_url_build(b);
	r = config_addresses_build(b);
	return r == 0 ? config_pairs_build(b, "headers", &b->s->headers, &b->s->nheaders) : r;
}

static int build_stdio(struct config_build *b)
{
	const json_t *sandbox = json_object_get(b->from, "sandbox");
	struct config_server *s = b->s;
	int r;

	s->destination = "stdio";
	s->command = config_text(b->from, "command", NULL);
	s->cwd = config_text(b->from, "cwd", NULL);
	s->sandbox_network = json_is_true(json_object_get(sandbox, "network"));
	r = config_strings(json_object_get(b->from, "args"), &s->args, &s->nargs);
	if (r == 0)
		r = config_strings(json_object_get(sandbox, "read"), &s->sandbox_read, &s->nsandbox_read);
	if (r == 0)
		r = config_strings(json_object_get(sandbox, "write"), &s->sandbox_write, &s->nsandbox_write);
	if (r == 0 && !b->is_slice)
		config_args_check(b);
	return r == 0 ? config_pairs_build(b, "env", &s->env, &s->nenv) : r;
}

/* "type" decides nothing, but one that contradicts means that the operator expects something else. */
static void check_type(struct config_build *b)
{
	const char *type = config_text(b->from, "type", NULL);

	if (type != NULL && b->s->is_http == (strcmp(type, "stdio") == 0))
		config_mistake(b->e, b->path, "its \"type\" is %s, but it has \"%s\"; correct or remove the type", type,
			       b->s->is_http ? "url" : "command");
}

/* Whether an entry of a broker's or front's slice was a server at an address, whose url it does not know. */
static bool is_http_server(const struct config_build *b)
{
	return config_text(b->from, "url", NULL) != NULL || json_is_true(json_object_get(b->from, "is_http"));
}

int config_server_build(struct config_build *b)
{
	size_t room = json_object_size(json_object_get(b->from, "headers")) +
		      json_object_size(json_object_get(b->from, "env")) +
		      json_array_size(json_object_get(b->from, "credentials"));
	int r = b->is_slice ? 0 : resolve_paths(b);

	b->s->timeout_ms = config_number(b->from, "timeout_seconds", TIMEOUT_DEFAULT_S) * 1000;
	b->s->max_calls = config_number(b->from, "max_calls", CALLS_DEFAULT);
	b->s->review_tools = strcmp(config_text(b->from, "first_sight", ""), "review") == 0;
	b->s->environment = config_text(b->from, "environment", "prod");
	b->s->min_trust = config_number(b->from, "min_trust", 0);
	b->s->credentials = calloc(room + 1, sizeof(*b->s->credentials));
	if (r != 0 || b->s->credentials == NULL)
		return KG_E_NOMEM;
	r = build_tiers(b);
	if (r == 0)
		r = config_labels_build(b);
	if (r == 0)
		r = is_http_server(b) ? build_http(b) : build_stdio(b);
	if (r == 0)
		r = config_credentials_build(b);
	if (r == 0 && !b->is_slice)
		check_type(b);
	return r;
}

void config_server_free(struct config_server *s)
{
	free(s->allow_addresses);
	free(s->headers);
	free(s->args);
	free(s->env);
	free(s->sandbox_read);
	free(s->sandbox_write);
	free(s->credentials);
	free(s->tiers);
	config_labels_free(s);
}
