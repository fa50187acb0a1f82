/* The symmetric key that an upstream role and vaultd agree on when the role starts. */
#ifndef COMMON_KX_H
#define COMMON_KX_H

#include <stdbool.h>
#include <stdint.h>

#include "common/err.h"

#define KX_LEN 32

/* A fresh X25519 pair. The caller wipes sk after the agreement. */
void upstream_key_pair(uint8_t pk[KX_LEN], uint8_t sk[KX_LEN]);

/*
 * The one key of both sides: BLAKE2b-256 over a label, the X25519 shared secret, the role's
 * and the vault's public key. KG_E_CRYPTO for a peer key of small order, which would fix the secret.
 */
int upstream_key_agree(bool is_vault, const uint8_t my_sk[KX_LEN], const uint8_t my_pk[KX_LEN],
		       const uint8_t peer_pk[KX_LEN], uint8_t key[KX_LEN]) MUST_CHECK;

#endif
