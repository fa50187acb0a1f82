/*
 * The only way out for a credential: sealed to one upstream role, for one call digest and one
 * destination, with seconds to live. There is no "decrypt this" and no "seal that": what is
 * released follows from the configuration's server alone.
 */
#ifndef VAULTD_RELEASE_H
#define VAULTD_RELEASE_H

#include "common/call.h"
#include "vaultd/vault.h"

/* An answer to ATTACH and SELF_ATTACH. */
struct release_answer {
	uint8_t status; /* enum grant_status */
	const char *code;
	char reason[512];
};

/* Fills an answer that is no grant. Always KG_E_DENIED, so that a check can end with it. */
int release_refuse(struct release_answer *a, uint8_t status, const char *code, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/*
 * Seals the server's credentials of this call to v->sealed: `env` those for the start of its
 * process, else those of its requests; an empty set when there are none. 0, or KG_E_DENIED with
 * the answer filled.
 */
int release_credentials(struct vault *v, const struct upstream *u, const uint8_t digest[HASH_LEN], bool env,
			struct release_answer *a) MUST_CHECK;

#endif
