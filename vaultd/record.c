#include "vaultd/record.h"

#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#define KEY_LEN crypto_aead_xchacha20poly1305_ietf_KEYBYTES
#define NONCE_LEN crypto_aead_xchacha20poly1305_ietf_NPUBBYTES
#define TAG_LEN crypto_aead_xchacha20poly1305_ietf_ABYTES
#define WRAPPED_LEN (KEY_LEN + TAG_LEN)

/* Where the parts of a record stand. */
#define HEAD_LEN 5
#define AT_KEY_NONCE HEAD_LEN
#define AT_WRAPPED (AT_KEY_NONCE + NONCE_LEN)
#define AT_NONCE (AT_WRAPPED + WRAPPED_LEN)
#define AT_SEALED (AT_NONCE + NONCE_LEN)
#define OVERHEAD (AT_SEALED + TAG_LEN)

static const uint8_t record_head[HEAD_LEN] = {'K', 'G', 'V', '1', 1};
static const char record_label[] = "keepgate vault record v1";

/* Apart, so that a wrapped key and a value can never stand for one another. */
enum part { PART_KEY = 1, PART_VALUE = 2 };

static void put_u64(crypto_generichash_state *st, uint64_t v)
{
	v = htobe64(v);
	crypto_generichash_update(st, (const uint8_t *)&v, sizeof(v));
}

/* With the length before it: no two uses hash the same bytes. */
static void put_text(crypto_generichash_state *st, const char *text)
{
	size_t n = strlen(text);

	put_u64(st, n);
	crypto_generichash_update(st, (const uint8_t *)text, n);
}

/* The associated data: a hash over label, part, epoch and every member of the use. */
static void use_hash(const struct record_use *use, enum part part, uint8_t out[32])
{
	crypto_generichash_state st;

	crypto_generichash_init(&st, NULL, 0, 32);
	put_text(&st, record_label);
	put_u64(&st, part);
	put_u64(&st, RECORD_EPOCH);
	put_u64(&st, use->type);
	put_text(&st, use->name);
	put_text(&st, use->upstream);
	put_text(&st, use->destination);
	put_u64(&st, use->kind);
	put_text(&st, use->slot);
	put_u64(&st, use->version);
	crypto_generichash_final(&st, out, 32);
}

/* One guarded place for the data key in use; vaultd has one thread. */
static uint8_t *data_key_place(void)
{
	static struct secret *place;

	if (place == NULL)
		place = secret_new(KEY_LEN);
	return secret_bytes(place);
}

size_t record_value_len(const struct record *r)
{
	return r->len - OVERHEAD;
}

static int aead_seal(const uint8_t *key, const struct record_use *use, enum part part, const void *in, size_t len,
		     const uint8_t *nonce, uint8_t *out)
{
	uint8_t ad[32];

	use_hash(use, part, ad);
	return crypto_aead_xchacha20poly1305_ietf_encrypt(out, NULL, in, len, ad, sizeof(ad), NULL, nonce, key);
}

static int aead_open(const uint8_t *key, const struct record_use *use, enum part part, const uint8_t *in, size_t len,
		     const uint8_t *nonce, void *out)
{
	uint8_t ad[32];

	use_hash(use, part, ad);
	return crypto_aead_xchacha20poly1305_ietf_decrypt(out, NULL, NULL, in, len, ad, sizeof(ad), nonce, key);
}

int record_seal(const struct secret *master, const struct record_use *use, const void *value, size_t len,
		struct record *out)
{
	uint8_t *key = data_key_place(), *p;
	int bad;

	if (len == 0 || len > RECORD_VALUE_MAX)
		return KG_E_LIMIT;
	p = malloc(OVERHEAD + len);
	if (p == NULL)
		return KG_E_NOMEM;
	memcpy(p, record_head, HEAD_LEN);
	randombytes_buf(key, KEY_LEN);
	randombytes_buf(p + AT_KEY_NONCE, NONCE_LEN);
	randombytes_buf(p + AT_NONCE, NONCE_LEN);
	bad = aead_seal(secret_bytes(master), use, PART_KEY, key, KEY_LEN, p + AT_KEY_NONCE, p + AT_WRAPPED);
	bad |= aead_seal(key, use, PART_VALUE, value, len, p + AT_NONCE, p + AT_SEALED);
	sodium_memzero(key, KEY_LEN);
	if (bad != 0) {
		free(p);
		return KG_E_CRYPTO;
	}
	out->bytes = p;
	out->len = OVERHEAD + len;
	return KG_OK;
}

int record_open(const struct secret *master, const struct record_use *use, const struct record *r, void *out)
{
	uint8_t *key = data_key_place();
	const uint8_t *p = r->bytes;
	int bad;

	bad = aead_open(secret_bytes(master), use, PART_KEY, p + AT_WRAPPED, WRAPPED_LEN, p + AT_KEY_NONCE, key);
	if (bad == 0)
		bad = aead_open(key, use, PART_VALUE, p + AT_SEALED, r->len - AT_SEALED, p + AT_NONCE, out);
	sodium_memzero(key, KEY_LEN);
	return bad == 0 ? KG_OK : KG_E_CRYPTO;
}

int record_load(const void *bytes, size_t len, struct record *out)
{
	uint8_t *copy;

	if (len <= OVERHEAD || len > OVERHEAD + RECORD_VALUE_MAX || sodium_memcmp(bytes, record_head, HEAD_LEN) != 0)
		return KG_E_PROTO;
	copy = malloc(len);
	if (copy == NULL)
		return KG_E_NOMEM;
	memcpy(copy, bytes, len);
	out->bytes = copy;
	out->len = len;
	return KG_OK;
}

void record_free(struct record *r)
{
	free(r->bytes);
	*r = (struct record){0};
}
