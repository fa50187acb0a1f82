/* A vault with roles that ask for their own credentials. */
#ifndef TESTS_VAULT_SELF_RIG_H
#define TESTS_VAULT_SELF_RIG_H

#include "common/call.h"
#include "tests/unit/vault_rig.h"

/* The rig's vault, as a start with another configuration leaves it. */
static inline void rig_open_with(struct rig *r, const char *json)
{
	char error[CONFIG_ERROR_MAX];

	rig_open(r);
	rig_stop(r);
	if (config_parse("test.json", json, strlen(json), &r->config, error) != KG_OK) {
		fprintf(stderr, "%s\n", error);
		exit(1);
	}
	r->loop = loop_new();
	r->store = store_open(r->dir);
	r->v = vault_new(r->config, r->loop, r->master, r->store, rig_wall);
}

/* Of what a role attaches for itself by this message. */
static inline void rig_self_digest(const struct ipc_self_attach *m, const char *name, uint8_t digest[HASH_LEN])
{
	static const uint8_t no_session[ID_LEN];
	uint8_t nothing[HASH_LEN];
	struct call_id id = {.session = no_session,
			     .upstream = name,
			     .method = m->method,
			     .name = {"", 0},
			     .txn = m->txn,
			     .args_sha256 = nothing,
			     .meta_sha256 = nothing};

	sha256("", 0, nothing);
	call_digest(&id, digest);
}

#endif
