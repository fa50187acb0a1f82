/* What a set of policies is built over: servers, accepted tools and live data, as `keepgate tools export` prints them.
 */
#ifndef KEEPGATE_POLICY_CATALOGUE_H
#define KEEPGATE_POLICY_CATALOGUE_H

#include <jansson.h>

#include "common/policy/policy.h"

#define CATALOGUE_ERROR_MAX 256

struct policy_catalogue {
	json_t *root; /* owned; the texts below are its */
	struct policy_server *servers;
	size_t nservers;
	struct policy_tool *tools;
	size_t ntools;
	uint8_t (*pins)[HASH_LEN];
	char *data; /* JSON; NULL: none */
};

/*
 * {"servers":[{name, environment, min_trust, quarantined}], "tools":[{server, name, tier, sha256?, definition,
 * quarantined}], "data":[…]}, all three optional; other members are ignored. A definition is text or an object, sha256
 * the hash of its canonical form when it is absent. A server that only a tool names, or without an environment, is in
 * `environment`. Takes root over. KG_E_INVALID with what is wrong in error. Freed in any case by
 * policy_catalogue_free().
 */
int policy_catalogue_take(struct policy_catalogue *c, json_t *root, const char *environment,
			  char error[CATALOGUE_ERROR_MAX]) MUST_CHECK;
void policy_catalogue_free(struct policy_catalogue *c);

/* NULL when it is not there. */
const struct policy_tool *policy_catalogue_find(const struct policy_catalogue *c, const char *server, const char *tool);

#endif
