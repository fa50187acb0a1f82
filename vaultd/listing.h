/* How consents and sessions are shown. */
#ifndef VAULTD_LISTING_H
#define VAULTD_LISTING_H

#include <jansson.h>

#include "vaultd/store.h"

/* New references. now decides between "active" and "expired". */
json_t *consent_json(const struct store_consent *c, uint64_t now);
json_t *session_json(const struct store_session *x, uint64_t now);
/* Lines (patterns, labels) as an array. */
json_t *tools_json(const char *tools);

#endif
