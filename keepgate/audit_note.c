#include "keepgate/audit_note.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#define TYPE_ED25519 0x01
#define BLOB_LEN (NOTE_KEY_ID_LEN + crypto_sign_BYTES)
#define TYPED_LEN (1 + crypto_sign_PUBLICKEYBYTES)
#define SIGNATURES_MAX 16
/* An em dash, U+2014, and a space. */
#define SIGNATURE_BEGIN "\xe2\x80\x94 "

/* Base64 of exactly n bytes, in its one canonical spelling. */
static int decode(const char *text, size_t len, uint8_t *out, size_t n)
{
	size_t got = 0;

	if (sodium_base642bin(out, n, text, len, NULL, &got, NULL, sodium_base64_VARIANT_ORIGINAL) != 0 || got != n)
		return KG_E_PROTO;
	return KG_OK;
}

static void key_id(const char *name, const uint8_t typed[TYPED_LEN], uint8_t out[NOTE_KEY_ID_LEN])
{
	uint8_t hash[crypto_hash_sha256_BYTES];
	crypto_hash_sha256_state st;

	crypto_hash_sha256_init(&st);
	crypto_hash_sha256_update(&st, (const uint8_t *)name, strlen(name));
	crypto_hash_sha256_update(&st, (const uint8_t *)"\n", 1);
	crypto_hash_sha256_update(&st, typed, TYPED_LEN);
	crypto_hash_sha256_final(&st, hash);
	memcpy(out, hash, NOTE_KEY_ID_LEN);
}

int note_key_parse(const char *vkey, struct note_key *out)
{
	const char *hex = strchr(vkey, '+'), *b64 = hex == NULL ? NULL : strchr(hex + 1, '+');
	uint8_t typed[TYPED_LEN], id[NOTE_KEY_ID_LEN];
	struct note_key key = {0};
	size_t n = 0;

	if (b64 == NULL || hex == vkey || (size_t)(hex - vkey) > NOTE_NAME_MAX)
		return KG_E_PROTO;
	memcpy(key.name, vkey, (size_t)(hex - vkey));
	if (sodium_hex2bin(id, sizeof(id), hex + 1, (size_t)(b64 - hex - 1), NULL, &n, NULL) != 0 || n != sizeof(id) ||
	    decode(b64 + 1, strlen(b64 + 1), typed, sizeof(typed)) != KG_OK || typed[0] != TYPE_ED25519)
		return KG_E_PROTO;
	key_id(key.name, typed, key.id);
	if (memcmp(key.id, id, sizeof(id)) != 0)
		return KG_E_PROTO;
	memcpy(key.public_key, typed + 1, sizeof(key.public_key));
	*out = key;
	return KG_OK;
}

/* A signature line: whether it is of this key, and then whether it holds. */
static int check_line(const char *line, size_t len, const char *text, size_t text_len, const struct note_key *key)
{
	const char *name = line + strlen(SIGNATURE_BEGIN), *space;
	uint8_t blob[BLOB_LEN];

	if (len <= strlen(SIGNATURE_BEGIN) || strncmp(line, SIGNATURE_BEGIN, strlen(SIGNATURE_BEGIN)) != 0)
		return KG_E_PROTO;
	space = memchr(name, ' ', len - strlen(SIGNATURE_BEGIN));
	if (space == NULL)
		return KG_E_PROTO;
	if ((size_t)(space - name) != strlen(key->name) || strncmp(name, key->name, strlen(key->name)) != 0 ||
	    decode(space + 1, (size_t)(line + len - space - 1), blob, sizeof(blob)) != KG_OK ||
	    memcmp(blob, key->id, NOTE_KEY_ID_LEN) != 0)
		return KG_E_NOTFOUND;
	return crypto_sign_verify_detached(blob + NOTE_KEY_ID_LEN, (const uint8_t *)text, text_len, key->public_key) ==
			       0
		       ? KG_OK
		       : KG_E_CRYPTO;
}

int note_verify(const char *note, const struct note_key *key)
{
	const char *gap = strstr(note, "\n\n"), *line, *end;
	int found = KG_E_NOTFOUND;

	if (gap == NULL || note[strlen(note) - 1] != '\n')
		return KG_E_PROTO;
	line = gap + 2;
	for (int i = 0; *line != '\0' && i < SIGNATURES_MAX; i++, line = end + 1) {
		int r;

		end = strchr(line, '\n');
		/* What is signed ends with the newline before the empty line. */
		r = check_line(line, (size_t)(end - line), note, (size_t)(gap + 1 - note), key);
		if (r == KG_E_CRYPTO || r == KG_E_PROTO)
			return r;
		if (r == KG_OK)
			found = KG_OK;
	}
	return found;
}

int checkpoint_parse(const char *note, char origin[NOTE_NAME_MAX + 1], uint64_t *size, uint8_t root[MERKLE_LEN])
{
	const char *second = strchr(note, '\n'), *third = second == NULL ? NULL : strchr(second + 1, '\n');
	const char *end = third == NULL ? NULL : strchr(third + 1, '\n');
	uint8_t hash[MERKLE_LEN];
	uint64_t n = 0;

	if (end == NULL || second == note || (size_t)(second - note) > NOTE_NAME_MAX || third - second > 20)
		return KG_E_PROTO;
	for (const char *p = second + 1; p < third; p++) {
		if (*p < '0' || *p > '9' || (*p == '0' && p == second + 1 && third - p > 1))
			return KG_E_PROTO;
		n = n * 10 + (uint64_t)(*p - '0');
	}
	if (third == second + 1 || decode(third + 1, (size_t)(end - third - 1), hash, sizeof(hash)) != KG_OK)
		return KG_E_PROTO;
	memcpy(origin, note, (size_t)(second - note));
	origin[second - note] = '\0';
	*size = n;
	memcpy(root, hash, MERKLE_LEN);
	return KG_OK;
}
