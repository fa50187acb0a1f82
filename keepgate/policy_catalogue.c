#include "keepgate/policy_catalogue.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "common/json_canonical.h"
#include "keepgate/ask.h"

#define DEFINITION_MAX 262144

static int wrong(char *error, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static int wrong(char *error, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(error, CATALOGUE_ERROR_MAX, fmt, ap);
	va_end(ap);
	return KG_E_INVALID;
}

static int take_server(struct policy_server *out, const json_t *from, size_t i, const char *fallback, char *error)
{
	const char *environment = ask_text(from, "environment");
	json_int_t trust = json_integer_value(json_object_get(from, "min_trust"));

	*out = (struct policy_server){
		.name = ask_text(from, "name"),
		.environment = environment[0] == '\0' ? fallback : environment,
		.min_trust = (uint32_t)trust,
		.quarantined = json_is_true(json_object_get(from, "quarantined")),
	};
	if (out->name[0] == '\0')
		return wrong(error, "servers[%zu] has no name", i);
	if (trust < 0 || trust > 3)
		return wrong(error, "servers[%zu].min_trust is not between 0 and 3", i);
	return 0;
}

/* A definition that was written as an object becomes the text that is hashed. */
static int make_text(json_t *from, char *error)
{
	const json_t *definition = json_object_get(from, "definition");
	char *text;

	if (!json_is_object(definition))
		return 0;
	text = json_dumps(definition, JSON_COMPACT);
	if (text == NULL || json_object_set_new(from, "definition", json_string(text)) != 0) {
		free(text);
		return wrong(error, "out of memory");
	}
	free(text);
	return 0;
}

static int make_canonical(json_t *from, size_t i, char *error)
{
	const char *text = ask_text(from, "definition");
	struct json_doc doc;
	struct buf out;
	int r;

	json_init(&doc);
	buf_init(&out, DEFINITION_MAX);
	r = json_scan(&doc, text, strlen(text), NULL);
	if (r == 0)
		r = json_put_canonical(&out, &doc, 0);
	if (r == 0 && buf_text(&out) != NULL)
		r = json_object_set_new(from, "definition", json_string(buf_text(&out)));
	json_free(&doc);
	buf_free(&out);
	return r == 0 ? 0 : wrong(error, "tools[%zu].definition is no JSON object, or too long", i);
}

static int take_pin(uint8_t pin[HASH_LEN], const json_t *from, size_t i, char *error)
{
	const char *hex = ask_text(from, "sha256"), *definition = ask_text(from, "definition");
	size_t n = 0;

	if (hex[0] == '\0')
		sha256(definition, strlen(definition), pin);
	else if (sodium_hex2bin(pin, HASH_LEN, hex, strlen(hex), NULL, &n, NULL) != 0 || n != HASH_LEN)
		return wrong(error, "tools[%zu].sha256 is no SHA-256 in hexadecimal", i);
	return 0;
}

static int take_tool(struct policy_tool *out, uint8_t pin[HASH_LEN], json_t *from, size_t i, char *error)
{
	uint8_t tier;
	int r;

	if (ask_text(from, "server")[0] == '\0' || ask_text(from, "name")[0] == '\0')
		return wrong(error, "tools[%zu] has no server or no name", i);
	if (tier_parse(ask_text(from, "tier"), &tier) != 0)
		return wrong(error, "tools[%zu].tier is not read, write or destructive", i);
	r = make_text(from, error);
	if (r == 0)
		r = make_canonical(from, i, error);
	if (r == 0)
		r = take_pin(pin, from, i, error);
	if (r != 0)
		return r;
	*out = (struct policy_tool){
		.server = ask_text(from, "server"),
		.name = ask_text(from, "name"),
		.tier = tier,
		.sha256 = pin,
		.definition = ask_text(from, "definition"),
		.len = strlen(ask_text(from, "definition")),
		.quarantined = json_is_true(json_object_get(from, "quarantined")),
	};
	return 0;
}

/* The list of this name, which is made when there is none. */
static int take_list(json_t *root, const char *name, json_t **list, char *error)
{
	if (json_is_null(json_object_get(root, name)) || json_object_get(root, name) == NULL)
		json_object_set_new(root, name, json_array());
	*list = json_object_get(root, name);
	return json_is_array(*list) ? 0 : wrong(error, "%s is no list", name);
}

static bool has_server(const json_t *servers, const char *name)
{
	json_t *server;
	size_t i;

	json_array_foreach(servers, i, server)
	{
		if (strcmp(ask_text(server, "name"), name) == 0)
			return true;
	}
	return false;
}

/* A tool's server must be known; one that the list leaves out has no quarantine and asks for no trust. */
static void name_servers(json_t *servers, const json_t *tools)
{
	json_t *tool;
	size_t i;

	json_array_foreach(tools, i, tool)
	{
		const char *name = ask_text(tool, "server");

		if (name[0] != '\0' && !has_server(servers, name))
			json_array_append_new(servers, json_pack("{s:s}", "name", name));
	}
}

static int take_lists(struct policy_catalogue *c, const json_t *servers, const json_t *tools, const char *environment,
		      char *error)
{
	int r = 0;

	c->servers = calloc(json_array_size(servers) + 1, sizeof(*c->servers));
	c->tools = calloc(json_array_size(tools) + 1, sizeof(*c->tools));
	c->pins = calloc(json_array_size(tools) + 1, sizeof(*c->pins));
	if (c->servers == NULL || c->tools == NULL || c->pins == NULL)
		return wrong(error, "out of memory");
	for (size_t i = 0; r == 0 && i < json_array_size(servers); i++, c->nservers++)
		r = take_server(&c->servers[i], json_array_get(servers, i), i, environment, error);
	for (size_t i = 0; r == 0 && i < json_array_size(tools); i++, c->ntools++)
		r = take_tool(&c->tools[i], c->pins[i], json_array_get(tools, i), i, error);
	return r;
}

int policy_catalogue_take(struct policy_catalogue *c, json_t *root, const char *environment,
			  char error[CATALOGUE_ERROR_MAX])
{
	json_t *servers = NULL, *tools = NULL, *data = NULL;
	int r;

	*c = (struct policy_catalogue){.root = root};
	r = json_is_object(root) ? 0 : wrong(error, "is no JSON object");
	if (r == 0)
		r = take_list(root, "servers", &servers, error);
	if (r == 0)
		r = take_list(root, "tools", &tools, error);
	if (r == 0)
		r = take_list(root, "data", &data, error);
	if (r != 0)
		return r;
	if (json_array_size(data) > 0)
		c->data = json_dumps(data, JSON_COMPACT);
	name_servers(servers, tools);
	return take_lists(c, servers, tools, environment, error);
}

void policy_catalogue_free(struct policy_catalogue *c)
{
	json_decref(c->root);
	free(c->servers);
	free(c->tools);
	free(c->pins);
	free(c->data);
	*c = (struct policy_catalogue){0};
}

const struct policy_tool *policy_catalogue_find(const struct policy_catalogue *c, const char *server, const char *tool)
{
	for (size_t i = 0; i < c->ntools; i++)
		if (strcmp(c->tools[i].server, server) == 0 && strcmp(c->tools[i].name, tool) == 0)
			return &c->tools[i];
	return NULL;
}
