/* Signatures of Standard Webhooks, over "id.timestamp.body". */
#include <string.h>

#include <sodium.h>

#include "guardiand/pager/kind.h"

#define SYMMETRIC_MIN 24
#define SYMMETRIC_MAX 64
#define KEY_MAX 64 /* bytes of either kind */

static int put_base64(struct buf *out, const uint8_t *bytes, size_t len)
{
	char text[sodium_base64_ENCODED_LEN(crypto_sign_BYTES, sodium_base64_VARIANT_ORIGINAL)];

	sodium_bin2base64(text, sizeof(text), bytes, len, sodium_base64_VARIANT_ORIGINAL);
	return buf_puts(out, text);
}

static int sign_v1(const uint8_t *key, size_t len, const struct buf *content, struct buf *out)
{
	crypto_auth_hmacsha256_state state;
	uint8_t mac[crypto_auth_hmacsha256_BYTES];
	int err;

	crypto_auth_hmacsha256_init(&state, key, len);
	crypto_auth_hmacsha256_update(&state, buf_ptr(content), buf_len(content));
	crypto_auth_hmacsha256_final(&state, mac);
	sodium_memzero(&state, sizeof(state));
	err = buf_puts(out, "v1,");
	return err != 0 ? err : put_base64(out, mac, sizeof(mac));
}

/* The key is a seed, or a seed with its public key behind it. */
static int sign_v1a(const uint8_t *key, size_t len, const struct buf *content, struct buf *out)
{
	uint8_t public[crypto_sign_PUBLICKEYBYTES], secret[crypto_sign_SECRETKEYBYTES], signature[crypto_sign_BYTES];
	int err;

	crypto_sign_seed_keypair(public, secret, key);
	if (len == crypto_sign_SECRETKEYBYTES && sodium_memcmp(secret, key, len) != 0) {
		sodium_memzero(secret, sizeof(secret));
		return KG_E_INVALID;
	}
	crypto_sign_detached(signature, NULL, buf_ptr(content), buf_len(content), secret);
	sodium_memzero(secret, sizeof(secret));
	err = buf_puts(out, "v1a,");
	return err != 0 ? err : put_base64(out, signature, sizeof(signature));
}

static int sign_one(const char *key, size_t len, const struct buf *content, struct buf *out)
{
	bool symmetric = len > 6 && strncmp(key, "whsec_", 6) == 0, pair = len > 5 && strncmp(key, "whsk_", 5) == 0;
	size_t skip = symmetric ? 6 : 5, n = 0;
	uint8_t bytes[KEY_MAX];
	const char *end = NULL;
	int err = KG_E_INVALID;

	if ((!symmetric && !pair) ||
	    sodium_base642bin(bytes, sizeof(bytes), key + skip, len - skip, NULL, &n, &end,
			      sodium_base64_VARIANT_ORIGINAL) != 0 ||
	    end != key + len)
		err = KG_E_INVALID;
	else if (symmetric && n >= SYMMETRIC_MIN && n <= SYMMETRIC_MAX)
		err = sign_v1(bytes, n, content, out);
	else if (pair && (n == crypto_sign_SEEDBYTES || n == crypto_sign_SECRETKEYBYTES))
		err = sign_v1a(bytes, n, content, out);
	sodium_memzero(bytes, sizeof(bytes));
	return err;
}

int webhook_sign(const char *secret, const char *id, const char *timestamp, const void *body, size_t len,
		 struct buf *out)
{
	struct buf content;
	int err;

	buf_init(&content, POST_BODY_MAX + 256);
	err = buf_printf(&content, "%s.%s.", id, timestamp);
	if (err == 0)
		err = buf_put(&content, body, len);
	if (err == 0 && secret[strspn(secret, " ")] == '\0')
		err = KG_E_INVALID;
	/* Several keys, while one takes the place of another: each receiver finds its own. */
	while (err == 0 && *(secret += strspn(secret, " ")) != '\0') {
		size_t n = strcspn(secret, " ");

		err = buf_len(out) > 0 ? buf_puts(out, " ") : 0;
		if (err == 0)
			err = sign_one(secret, n, &content, out);
		secret += n;
	}
	buf_free(&content);
	return err;
}
