/* Who has revoked a consent or a session, for people. */
#ifndef KEEPGATE_REVOKED_H
#define KEEPGATE_REVOKED_H

#include <jansson.h>

/* Of vaultd's row: one that the guardian has revoked gets the state "revoked (guardian)", which is not for good. */
void revoked_state(json_t *row);
/* Prints by which rule and incident it was, and the command that lifts it; nothing of any other. */
void revoked_print(const json_t *row);

#endif
