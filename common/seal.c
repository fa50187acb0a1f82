/*
 * Credentials on their way from vaultd to one upstream role. Sealed form: expiry u64, nonce,
 * ciphertext with tag. The plaintext is a set's bytes: for each credential its kind, slot, NUL,
 * value, NUL; empty for "none is needed".
 */
#include <endian.h>
#include <string.h>

#include <sodium.h>

#include "common/call.h"
#include "common/log.h"

#define NONCE_LEN crypto_aead_xchacha20poly1305_ietf_NPUBBYTES
#define TAG_LEN crypto_aead_xchacha20poly1305_ietf_ABYTES
#define SEALED_HEAD (8 + NONCE_LEN)
#define POOL_MAX 32

static const char seal_label[] = "keepgate seal v1";

static struct {
	struct credential_set *set[POOL_MAX];
	size_t n;
} pool;

struct credential_set *credentials_new(void)
{
	struct credential_set *set;

	if (pool.n != 0)
		return pool.set[--pool.n];
	set = sodium_malloc(sizeof(*set));
	/* sodium_malloc goes on when the memory cannot be locked; a secret may not. */
	if (set == NULL || sodium_mlock(set, sizeof(*set)) != 0)
		log_fatal(KG_EXIT_FAILURE,
			  "credentials: memory cannot be locked: raise the limit of locked memory (ulimit -l)");
	sodium_memzero(set, sizeof(*set));
	return set;
}

void credentials_free(struct credential_set *set)
{
	if (set == NULL)
		return;
	if (pool.n == POOL_MAX) {
		sodium_free(set);
		return;
	}
	sodium_memzero(set->bytes, set->used);
	sodium_memzero(set->item, sizeof(set->item));
	set->count = set->used = 0;
	pool.set[pool.n++] = set;
}

int credentials_add(struct credential_set *set, uint8_t kind, const char *slot, size_t value_len, char **value)
{
	size_t slot_len = strlen(slot);
	char *at = set->bytes + set->used;

	if (set->count == CRED_COUNT_MAX || slot_len > CRED_SLOT_MAX || value_len > CRED_VALUE_MAX ||
	    CRED_BYTES_MAX - set->used < slot_len + value_len + 3)
		return KG_E_LIMIT;
	at[0] = (char)kind;
	memcpy(at + 1, slot, slot_len + 1);
	*value = at + 1 + slot_len + 1;
	(*value)[value_len] = '\0';
	set->item[set->count++] = (struct credential){kind, at + 1, *value};
	set->used += slot_len + value_len + 3;
	return KG_OK;
}

/* Associated data: a hash of label, digest, destination and expiry. */
static void seal_context(const uint8_t digest[HASH_LEN], const char *destination, uint64_t expires_ns,
			 uint8_t out[HASH_LEN])
{
	uint64_t be = htobe64(expires_ns);
	crypto_generichash_state st;

	crypto_generichash_init(&st, NULL, 0, HASH_LEN);
	crypto_generichash_update(&st, (const uint8_t *)seal_label, sizeof(seal_label));
	crypto_generichash_update(&st, digest, HASH_LEN);
	crypto_generichash_update(&st, (const uint8_t *)&be, sizeof(be));
	crypto_generichash_update(&st, (const uint8_t *)destination, strlen(destination));
	crypto_generichash_final(&st, out, HASH_LEN);
}

/* Finds the credentials in a set's decrypted bytes. */
static int set_index(struct credential_set *set)
{
	const char *at = set->bytes, *end = set->bytes + set->used;

	while (at != end) {
		struct credential *c = &set->item[set->count];
		const char *stop;

		if (set->count == CRED_COUNT_MAX)
			return KG_E_PROTO;
		c->kind = (uint8_t)*at++;
		stop = memchr(at, 0, (size_t)(end - at));
		if (stop == NULL)
			return KG_E_PROTO;
		c->slot = at;
		at = stop + 1;
		stop = memchr(at, 0, (size_t)(end - at));
		if (stop == NULL)
			return KG_E_PROTO;
		c->value = at;
		at = stop + 1;
		set->count++;
	}
	return KG_OK;
}

int credentials_seal(const uint8_t key[HASH_LEN], const uint8_t digest[HASH_LEN], const char *destination,
		     uint64_t expires_ns, const struct credential_set *set, struct buf *out)
{
	uint64_t be = htobe64(expires_ns);
	uint8_t ad[HASH_LEN], *room;
	unsigned long long clen;
	int r = buf_reserve(out, SEALED_HEAD + set->used + TAG_LEN, &room);

	if (r != KG_OK)
		return r;
	seal_context(digest, destination, expires_ns, ad);
	memcpy(room, &be, 8);
	randombytes_buf(room + 8, NONCE_LEN);
	crypto_aead_xchacha20poly1305_ietf_encrypt(room + SEALED_HEAD, &clen, (const uint8_t *)set->bytes, set->used,
						   ad, HASH_LEN, NULL, room + 8, key);
	buf_commit(out, SEALED_HEAD + (size_t)clen);
	return KG_OK;
}

int credentials_open(const uint8_t key[HASH_LEN], const uint8_t digest[HASH_LEN], const char *destination,
		     uint64_t now_ns, const void *sealed, size_t len, struct credential_set **out)
{
	const uint8_t *in = sealed;
	struct credential_set *set;
	uint8_t ad[HASH_LEN];
	unsigned long long plen = 0;
	uint64_t expires;
	int r = KG_OK;

	if (len < SEALED_HEAD + TAG_LEN || len > SEALED_HEAD + TAG_LEN + CRED_BYTES_MAX)
		return KG_E_PROTO;
	memcpy(&expires, in, 8);
	expires = be64toh(expires);
	seal_context(digest, destination, expires, ad);
	set = credentials_new();
	if (crypto_aead_xchacha20poly1305_ietf_decrypt((uint8_t *)set->bytes, &plen, NULL, in + SEALED_HEAD,
						       len - SEALED_HEAD, ad, HASH_LEN, in + 8, key) != 0)
		r = KG_E_CRYPTO;
	set->used = (size_t)plen;
	if (r == KG_OK && (now_ns >= expires || expires - now_ns > SEAL_TTL_NS))
		r = KG_E_EXPIRED;
	if (r == KG_OK)
		r = set_index(set);
	if (r != KG_OK) {
		credentials_free(set);
		return r;
	}
	*out = set;
	return KG_OK;
}
