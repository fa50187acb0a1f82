/* Consent bundles: what an operator granted for a person and an agent, until when, and why. */
#ifndef VAULTD_CONSENT_H
#define VAULTD_CONSENT_H

#include "vaultd/admin.h"

/* consent.grant {human, agent, tools, tier, for_s, why} */
void consent_grant(struct peer *p, json_t *in);

/* Its sessions are over, here and at the brokers; the store has been told, or is about to be. */
void consent_revoked(struct vault *v, const uint8_t id[ID_LEN]);

#endif
