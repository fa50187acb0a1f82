/* The endpoint where policies are pushed, and who may. */
#include "common/config_build.h"

#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#define SETTLE_MS 1000

static void check_caller(struct config_part_build *b, const struct config_caller *caller, const char *path)
{
	uint8_t none[HASH_LEN];

	sha256("", 0, none);
	if (sodium_memcmp(caller->token_sha256, none, HASH_LEN) == 0)
		config_mistake(b->e, path,
			       "its token_sha256 is the hash of an empty token; make one: keepgate authzen token NAME");
	for (const struct config_caller *other = b->c->policy.opal.callers; other < caller; other++) {
		if (strcmp(other->name, caller->name) == 0)
			config_mistake(b->e, path, "there is a second caller \"%s\"; keep one of them", caller->name);
		if (sodium_memcmp(other->token_sha256, caller->token_sha256, HASH_LEN) == 0)
			config_mistake(b->e, path, "has the token of \"%s\"; each caller needs its own", other->name);
	}
}

static void build_caller(struct config_part_build *b, const json_t *from, const char *path)
{
	struct config_opal *o = &b->c->policy.opal;
	struct config_caller *to = &o->callers[o->ncallers];
	const char *hash = config_text(from, "token_sha256", NULL);
	size_t len = 0;

	to->name = config_text(from, "name", NULL);
	if (to->name == NULL || hash == NULL ||
	    sodium_hex2bin(to->token_sha256, HASH_LEN, hash, strlen(hash), NULL, &len, NULL) != 0 || len != HASH_LEN)
		return; /* the schema has said so */
	o->ncallers++;
	if (!b->is_slice)
		check_caller(b, to, path);
}

/* The set has one source, and what is pushed has no signature: nobody may believe that two rules hold where one does.
 */
static void check_source(struct config_part_build *b)
{
	const struct config_policy *p = &b->c->policy;

	if (p->nkeys > 0)
		config_mistake(b->e, "policy.opal",
			       "a set that is pushed has no signature, and policy.keys asks for one; remove either");
	else if (p->dir != NULL)
		config_mistake(b->e, "policy.opal",
			       "the set is either read from policy.dir or pushed; remove one of them");
}

static void check_port(struct config_part_build *b)
{
	const struct config_opal *o = &b->c->policy.opal;

	if (o->port == b->c->listen_port && strcmp(o->address, b->c->listen_address) == 0)
		config_mistake(b->e, "policy.opal.listen.port",
			       "is the port where agents connect (listen.port); choose another");
	if (o->port == b->c->authzen.port && strcmp(o->address, b->c->authzen.address) == 0)
		config_mistake(b->e, "policy.opal.listen.port", "is that of authzen.listen; choose another");
}

int config_opal_build(struct config_part_build *b)
{
	struct config_opal *o = &b->c->policy.opal;
	const json_t *from = json_object_get(json_object_get(b->c->root, "policy"), "opal");
	const json_t *listen = json_object_get(from, "listen"), *list = json_object_get(from, "callers");
	json_t *item;
	size_t i;

	o->address = config_text(listen, "address", "127.0.0.1");
	o->port = (uint16_t)config_number(listen, "port", 0);
	o->settle_ms = config_number(from, "settle_ms", SETTLE_MS);
	o->callers = calloc(json_array_size(list) + 1, sizeof(*o->callers));
	if (o->callers == NULL)
		return KG_E_NOMEM;
	json_array_foreach(list, i, item)
	{
		char path[SCHEMA_PATH_MAX] = "policy.opal.callers";

		schema_path_element(path, i);
		build_caller(b, item, path);
	}
	if (from != NULL && !b->is_slice) {
		check_source(b);
		check_port(b);
	}
	return 0;
}

void config_opal_free(struct config_opal *o)
{
	free(o->callers);
}
