/* One letter for each profile, or for two that are the same, so that the tables of the lock stay readable. For
 * profiles.c and lockproof.c alone. */
#ifndef COMMON_LOCK_LETTERS_H
#define COMMON_LOCK_LETTERS_H

#include "common/lock_rows.h"

#define F (LOCK_BIT(LOCK_FRONT) | LOCK_BIT(LOCK_AUTHZEN) | LOCK_BIT(LOCK_OPAL)) /* endpoints of clients */
#define O LOCK_BIT(LOCK_OPAL) /* its own rows; the others are those of F */
#define B LOCK_BIT(LOCK_BROKER)
#define H (LOCK_BIT(LOCK_UPSTREAM_HTTP) | LOCK_BIT(LOCK_PDP) | LOCK_BIT(LOCK_PAGER)) /* clients of others */
#define P LOCK_BIT(LOCK_PAGER) /* its own rows; the others are those of H */
#define S LOCK_BIT(LOCK_UPSTREAM_STDIO)
#define V LOCK_BIT(LOCK_VAULT)
#define R LOCK_BIT(LOCK_RECORDER)
#define G LOCK_BIT(LOCK_PARENT_GATEWAYD)
#define U LOCK_BIT(LOCK_PARENT_GUARDIAND)
#define C LOCK_BIT(LOCK_STDIO_SERVER)
#define N LOCK_BIT(LOCK_STDIO_SERVER_NET)
#define ROLES (F | B | H | S | V | R)
#define LISTED (ROLES | U)  /* those whose filter kills what is not listed */
#define FOREIGN (G | C | N) /* those whose filter lists refusals */

#endif
