#include "vaultd/note.h"

#include <stdio.h>
#include <string.h>

#include <sodium.h>

#define TYPE_ED25519 0x01
#define KEY_ID_LEN 4
#define BLOB_LEN (KEY_ID_LEN + crypto_sign_BYTES)
#define B64_LEN(n) sodium_base64_ENCODED_LEN(n, sodium_base64_VARIANT_ORIGINAL)

_Static_assert(NOTE_PUBLIC_LEN == crypto_sign_PUBLICKEYBYTES && NOTE_SECRET_LEN == crypto_sign_SECRETKEYBYTES,
	       "Ed25519");

/* SHA-256(name, newline, type, public key), the first four bytes. */
static void key_id(const char *name, const uint8_t typed[1 + NOTE_PUBLIC_LEN], uint8_t out[KEY_ID_LEN])
{
	crypto_hash_sha256_state st;
	uint8_t hash[crypto_hash_sha256_BYTES];

	crypto_hash_sha256_init(&st);
	crypto_hash_sha256_update(&st, (const uint8_t *)name, strlen(name));
	crypto_hash_sha256_update(&st, (const uint8_t *)"\n", 1);
	crypto_hash_sha256_update(&st, typed, 1 + NOTE_PUBLIC_LEN);
	crypto_hash_sha256_final(&st, hash);
	memcpy(out, hash, KEY_ID_LEN);
}

static void typed_key(const uint8_t public_key[NOTE_PUBLIC_LEN], uint8_t out[1 + NOTE_PUBLIC_LEN])
{
	out[0] = TYPE_ED25519;
	memcpy(out + 1, public_key, NOTE_PUBLIC_LEN);
}

int note_vkey(const char *name, const uint8_t public_key[NOTE_PUBLIC_LEN], char *out, size_t size)
{
	uint8_t typed[1 + NOTE_PUBLIC_LEN], id[KEY_ID_LEN];
	char hex[2 * KEY_ID_LEN + 1], b64[B64_LEN(1 + NOTE_PUBLIC_LEN)];
	int n;

	typed_key(public_key, typed);
	key_id(name, typed, id);
	sodium_bin2hex(hex, sizeof(hex), id, sizeof(id));
	sodium_bin2base64(b64, sizeof(b64), typed, sizeof(typed), sodium_base64_VARIANT_ORIGINAL);
	n = snprintf(out, size, "%s+%s+%s", name, hex, b64);
	return n < 0 || (size_t)n >= size ? KG_E_LIMIT : KG_OK;
}

int note_sign(const char *text, const char *name, const uint8_t secret_key[NOTE_SECRET_LEN],
	      const uint8_t public_key[NOTE_PUBLIC_LEN], char *out, size_t size)
{
	uint8_t typed[1 + NOTE_PUBLIC_LEN], blob[BLOB_LEN];
	char b64[B64_LEN(BLOB_LEN)];
	int n;

	typed_key(public_key, typed);
	key_id(name, typed, blob);
	crypto_sign_detached(blob + KEY_ID_LEN, NULL, (const uint8_t *)text, strlen(text), secret_key);
	sodium_bin2base64(b64, sizeof(b64), blob, sizeof(blob), sodium_base64_VARIANT_ORIGINAL);
	/* The signature line begins with an em dash, U+2014. */
	n = snprintf(out, size, "%s\n\xe2\x80\x94 %s %s\n", text, name, b64);
	return n < 0 || (size_t)n >= size ? KG_E_LIMIT : KG_OK;
}
