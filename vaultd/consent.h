/* Consent bundles: what an operator granted for a person and an agent, until when, and why. */
#ifndef VAULTD_CONSENT_H
#define VAULTD_CONSENT_H

#include "vaultd/admin.h"

/* consent.grant {human, agent, tools, tier, for_s, why} */
void consent_grant(struct peer *p, json_t *in);

#endif
