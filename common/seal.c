/*
 * Credentials on their way from vaultd to one upstream role. Sealed form:
 * expiry u64, nonce, ciphertext with tag. Plaintext: count u8, then for each kind u8,
 * slot length u8, value length u16, slot, value.
 */
#include <endian.h>
#include <string.h>

#include <sodium.h>

#include "common/call.h"
#include "common/log.h"

#define NONCE_LEN crypto_aead_xchacha20poly1305_ietf_NPUBBYTES
#define TAG_LEN crypto_aead_xchacha20poly1305_ietf_ABYTES
#define SEALED_HEAD (8 + NONCE_LEN)
#define ENTRY_HEAD 4
#define PLAIN_MAX 32768u

static const char seal_label[] = "keepgate seal v1";

struct credential_set *credentials_new(void)
{
	struct credential_set *set = sodium_malloc(sizeof(*set));

	/* sodium_malloc goes on when the memory cannot be locked; a secret may not. */
	if (set == NULL || sodium_mlock(set, sizeof(*set)) != 0)
		log_fatal(KG_EXIT_FAILURE, "credentials: memory cannot be locked: raise the limit of locked memory (ulimit -l)");
	sodium_memzero(set, sizeof(*set));
	return set;
}

void credentials_free(struct credential_set *set)
{
	sodium_free(set);
}

/* Associated data: a hash of label, digest, destination and expiry. */
static void seal_context(const uint8_t digest[HASH_LEN], const char *destination, uint64_t expires_ns, uint8_t out[HASH_LEN])
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

/* The plaintext into guarded memory of PLAIN_MAX bytes. */
static int plain_write(const struct credential_set *set, uint8_t *plain, size_t *len)
{
	size_t at = 1;

	plain[0] = (uint8_t)set->count;
	for (size_t i = 0; i < set->count; i++) {
		const struct credential *c = &set->item[i];
		size_t slot = strlen(c->slot), value = strlen(c->value);
		uint16_t value_be = htobe16((uint16_t)value);

		if (slot > CRED_SLOT_MAX || value >= sizeof(c->value) || PLAIN_MAX - at < ENTRY_HEAD + slot + value)
			return KG_E_LIMIT;
		plain[at] = c->kind;
		plain[at + 1] = (uint8_t)slot;
		memcpy(plain + at + 2, &value_be, 2);
		memcpy(plain + at + ENTRY_HEAD, c->slot, slot);
		memcpy(plain + at + ENTRY_HEAD + slot, c->value, value);
		at += ENTRY_HEAD + slot + value;
	}
	*len = at;
	return KG_OK;
}

static int plain_read(const uint8_t *plain, size_t len, struct credential_set *set)
{
	size_t at = 1;

	if (len < 1 || plain[0] > CRED_COUNT_MAX)
		return KG_E_PROTO;
	set->count = plain[0];
	for (size_t i = 0; i < set->count; i++) {
		struct credential *c = &set->item[i];
		uint16_t value;
		size_t slot;

		if (len - at < ENTRY_HEAD)
			return KG_E_PROTO;
		c->kind = plain[at];
		slot = plain[at + 1];
		memcpy(&value, plain + at + 2, 2);
		value = be16toh(value);
		if (slot > CRED_SLOT_MAX || value >= sizeof(c->value) || len - at - ENTRY_HEAD < slot + value)
			return KG_E_PROTO;
		memcpy(c->slot, plain + at + ENTRY_HEAD, slot);
		memcpy(c->value, plain + at + ENTRY_HEAD + slot, value);
		at += ENTRY_HEAD + slot + value;
	}
	return at == len ? KG_OK : KG_E_PROTO;
}

static int seal_plain(const uint8_t key[HASH_LEN], const uint8_t ad[HASH_LEN], uint64_t expires_ns, const uint8_t *plain,
		      size_t len, struct buf *out)
{
	uint64_t be = htobe64(expires_ns);
	unsigned long long clen;
	uint8_t *room;
	int r = buf_reserve(out, SEALED_HEAD + len + TAG_LEN, &room);

	if (r != KG_OK)
		return r;
	memcpy(room, &be, 8);
	randombytes_buf(room + 8, NONCE_LEN);
	crypto_aead_xchacha20poly1305_ietf_encrypt(room + SEALED_HEAD, &clen, plain, len, ad, HASH_LEN, NULL, room + 8, key);
	buf_commit(out, SEALED_HEAD + (size_t)clen);
	return KG_OK;
}

int credentials_seal(const uint8_t key[HASH_LEN], const uint8_t digest[HASH_LEN], const char *destination,
		     uint64_t expires_ns, const struct credential_set *set, struct buf *out)
{
	uint8_t ad[HASH_LEN], none = 0, *plain;
	size_t len;
	int r;

	seal_context(digest, destination, expires_ns, ad);
	/* Most calls of servers without credentials need no guarded memory. */
	if (set->count == 0)
		return seal_plain(key, ad, expires_ns, &none, 1, out);
	plain = sodium_malloc(PLAIN_MAX);
	if (plain == NULL)
		return KG_E_NOMEM;
	r = plain_write(set, plain, &len);
	if (r == KG_OK)
		r = seal_plain(key, ad, expires_ns, plain, len, out);
	sodium_free(plain);
	return r;
}

int credentials_open(const uint8_t key[HASH_LEN], const uint8_t digest[HASH_LEN], const char *destination, uint64_t now_ns,
		     const void *sealed, size_t len, struct credential_set **out)
{
	const uint8_t *in = sealed;
	struct credential_set *set;
	uint8_t ad[HASH_LEN], *plain;
	unsigned long long plen;
	uint64_t expires;
	int r;

	if (len < SEALED_HEAD + TAG_LEN + 1 || len > SEALED_HEAD + TAG_LEN + PLAIN_MAX)
		return KG_E_PROTO;
	memcpy(&expires, in, 8);
	expires = be64toh(expires);
	seal_context(digest, destination, expires, ad);
	plain = sodium_malloc(len - SEALED_HEAD - TAG_LEN);
	if (plain == NULL)
		return KG_E_NOMEM;
	r = crypto_aead_xchacha20poly1305_ietf_decrypt(plain, &plen, NULL, in + SEALED_HEAD, len - SEALED_HEAD, ad, HASH_LEN,
						       in + 8, key) == 0 ? KG_OK : KG_E_CRYPTO;
	if (r == KG_OK && (now_ns >= expires || expires - now_ns > SEAL_TTL_NS))
		r = KG_E_EXPIRED;
	set = r == KG_OK ? credentials_new() : NULL;
	if (r == KG_OK)
		r = plain_read(plain, (size_t)plen, set);
	sodium_free(plain);
	if (r != KG_OK) {
		credentials_free(set);
		return r;
	}
	*out = set;
	return KG_OK;
}
