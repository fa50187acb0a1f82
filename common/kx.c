#include "common/kx.h"

#include <sodium.h>

static const char label[] = "keepgate upstream-vault key 1";

void upstream_key_pair(uint8_t pk[KX_LEN], uint8_t sk[KX_LEN])
{
	crypto_box_keypair(pk, sk);
}

int upstream_key_agree(bool is_vault, const uint8_t my_sk[KX_LEN], const uint8_t my_pk[KX_LEN],
		       const uint8_t peer_pk[KX_LEN], uint8_t key[KX_LEN])
{
	const uint8_t *role_pk = is_vault ? peer_pk : my_pk;
	const uint8_t *vault_pk = is_vault ? my_pk : peer_pk;
	uint8_t secret[crypto_scalarmult_BYTES];
	crypto_generichash_state state;

	if (crypto_scalarmult(secret, my_sk, peer_pk) != 0)
		return KG_E_CRYPTO;

	crypto_generichash_init(&state, NULL, 0, KX_LEN);
	crypto_generichash_update(&state, (const uint8_t *)label, sizeof(label));
	crypto_generichash_update(&state, secret, sizeof(secret));
	/* Both public keys, so that the key belongs to this pair and this pair alone. */
	crypto_generichash_update(&state, role_pk, KX_LEN);
	crypto_generichash_update(&state, vault_pk, KX_LEN);
	crypto_generichash_final(&state, key, KX_LEN);
	sodium_memzero(secret, sizeof(secret));
	sodium_memzero(&state, sizeof(state));
	return 0;
}
