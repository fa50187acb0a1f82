/*
 * Consent, checked a second time and from vaultd's own records: neither the broker's decision nor
 * any number that it sends is believed.
 */
#ifndef VAULTD_ATTACH_H
#define VAULTD_ATTACH_H

#include "common/ipc.h"
#include "vaultd/release.h"
#include "vaultd/vault.h"

/* Answers a broker's ATTACH; on GRANT_OK v->sealed holds the sealed credentials. */
void attach_call(struct vault *v, const struct ipc_attach *m, struct release_answer *a);

/* Answers an upstream role's SELF_ATTACH, for its own server. */
void attach_self(struct vault *v, const struct upstream *u, const struct ipc_self_attach *m, struct release_answer *a);

#endif
