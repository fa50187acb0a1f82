/* What is done a moment later: approvals and orders of the guardian that are over, records that
 * found no room. The timer runs only while there is
 * any. */
#ifndef VAULTD_CHORES_H
#define VAULTD_CHORES_H

#include "vaultd/vault.h"

#define CHORES_MS 250

/* There may be something to do. */
void chores_want(struct vault *v);
void chores_free(struct vault *v);

#endif
