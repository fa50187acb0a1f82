/* The endpoint where other programs ask the policies, and who they are. */
#include "common/config_build.h"

#include <stdlib.h>
#include <string.h>

#include <sodium.h>

/* The slice of the broker has no tokens: there all are zero. */
static void check_token(struct config_part_build *b, const struct config_caller *caller, const char *path)
{
	uint8_t none[HASH_LEN];

	sha256("", 0, none);
	if (sodium_memcmp(caller->token_sha256, none, HASH_LEN) == 0)
		config_mistake(b->e, path,
			       "its token_sha256 is the hash of an empty token; make one: openssl rand -hex 32");
	for (const struct config_caller *other = b->c->authzen.callers; other < caller; other++) {
		if (strcmp(other->name, caller->name) == 0)
			config_mistake(b->e, path, "there is a second caller \"%s\"; keep one of them", caller->name);
		if (sodium_memcmp(other->token_sha256, caller->token_sha256, HASH_LEN) == 0)
			config_mistake(b->e, path, "has the token of \"%s\"; each caller needs its own", other->name);
	}
}

static int build_caller(struct config_part_build *b, json_t *from, const char *path)
{
	struct config_authzen *a = &b->c->authzen;
	struct config_caller *to = &a->callers[a->ncallers];
	const char *hash = config_text(from, "token_sha256", NULL);
	size_t len = 0;
	int r;

	to->name = config_text(from, "name", NULL);
	to->trusted = config_flag(from, "trusted", false);
	to->search = config_flag(from, "search", false);
	if (to->name == NULL || (hash == NULL && !b->is_slice))
		return 0; /* the schema has said so */
	if (hash != NULL &&
	    (sodium_hex2bin(to->token_sha256, HASH_LEN, hash, strlen(hash), NULL, &len, NULL) != 0 || len != HASH_LEN))
		return 0;
	a->ncallers++;
	if (!b->is_slice)
		check_token(b, to, path);
	r = config_strings(json_object_get(from, "subject_types"), &to->subject_types, &to->nsubject_types);
	if (r == 0)
		r = config_strings(json_object_get(from, "actions"), &to->actions, &to->nactions);
	if (r == 0)
		r = config_strings(json_object_get(from, "resource_types"), &to->resource_types, &to->nresource_types);
	return r;
}

static int build_callers(struct config_part_build *b, const json_t *list)
{
	size_t i;
	json_t *item;

	b->c->authzen.callers = calloc(json_array_size(list) + 1, sizeof(*b->c->authzen.callers));
	if (b->c->authzen.callers == NULL)
		return KG_E_NOMEM;
	json_array_foreach(list, i, item)
	{
		char path[SCHEMA_PATH_MAX] = "authzen.callers";

		schema_path_element(path, i);
		if (build_caller(b, item, path) != 0)
			return KG_E_NOMEM;
	}
	return 0;
}

int config_authzen_build(struct config_part_build *b)
{
	struct config_authzen *a = &b->c->authzen;
	const json_t *from = json_object_get(b->c->root, "authzen"), *listen = json_object_get(from, "listen");

	a->address = config_text(listen, "address", "127.0.0.1");
	a->port = (uint16_t)config_number(listen, "port", 0);
	a->namespace = config_text(from, "namespace", NULL);
	if (!b->is_slice && a->port != 0 && a->port == b->c->listen_port &&
	    strcmp(a->address, b->c->listen_address) == 0)
		config_mistake(b->e, "authzen.listen.port",
			       "is the port where agents connect (listen.port); choose another");
	if (config_base_url(b, "authzen.base_url", config_text(from, "base_url", NULL), &a->base_url) != 0)
		return KG_E_NOMEM;
	return build_callers(b, json_object_get(from, "callers"));
}

void config_authzen_free(struct config_authzen *a)
{
	for (size_t i = 0; i < a->ncallers; i++) {
		free(a->callers[i].subject_types);
		free(a->callers[i].actions);
		free(a->callers[i].resource_types);
	}
	free(a->callers);
}
