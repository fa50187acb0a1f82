/*
 * Consent, checked a second time and from vaultd's own records: neither the broker's decision nor
 * any number that it sends is believed.
 */
#ifndef VAULTD_ATTACH_H
#define VAULTD_ATTACH_H

#include "common/ipc.h"
#include "vaultd/pins.h"
#include "vaultd/release.h"
#include "vaultd/sessions.h"
#include "vaultd/tools.h"
#include "vaultd/vault.h"

/* A tool that a session may ask for, as vaultd knows it. */
struct attach_subject {
	struct session *session;
	const struct upstream *upstream;
	const struct pin *pin; /* accepted, and listed so now */
	uint8_t tier;
	char tool[TOOL_NAME_MAX + 1];
};
/* Every check of a call but for its token and its approval. 0, or KG_E_DENIED with the answer filled. */
int attach_subject(struct vault *v, const uint8_t session[ID_LEN], struct ipc_bytes upstream, struct ipc_bytes name,
		   struct attach_subject *out, struct release_answer *a) MUST_CHECK;

/* Answers a broker's ATTACH; on GRANT_OK v->sealed holds the sealed credentials. */
void attach_call(struct vault *v, const struct ipc_attach *m, struct release_answer *a);

/* Answers an upstream role's SELF_ATTACH, for its own server. */
void attach_self(struct vault *v, const struct upstream *u, const struct ipc_self_attach *m, struct release_answer *a);

#endif
