/* The manifest of a bundle: which files, which revision, until when, and who vouches for it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <sodium.h>

#include "common/policy/policy_dir.h"

#define LABEL "keepgate policy bundle 1\n"
#define LINE_MAX_BYTES 512
#define SIGNATURES_MAX 64
#define UNIX_MAX 253402300799ull /* the last second that RFC 3339 can write */

static int deny(struct buf *errors, const char *file, const char *what)
{
	(void)!buf_printf(errors, "%s: %s\n", file, what);
	return KG_E_DENIED;
}

static void hash_hex(const struct policy_file *file, char out[HASH_LEN * 2 + 1])
{
	uint8_t hash[HASH_LEN];

	sha256(file->text, file->len, hash);
	(void)sodium_bin2hex(out, HASH_LEN * 2 + 1, hash, sizeof(hash));
}

/* "2026-01-31T12:00:00Z": UTC only, seconds whole. */
static int parse_time(const char *text, uint64_t *out)
{
	struct tm tm = {0};
	const char *end = strptime(text, "%Y-%m-%dT%H:%M:%SZ", &tm);
	time_t t;

	if (end == NULL || *end != '\0')
		return KG_E_INVALID;
	t = timegm(&tm);
	if (t < 0)
		return KG_E_INVALID;
	*out = (uint64_t)t;
	return 0;
}

/* ---- signatures ---- */

static int signed_bytes(const struct policy_dir *d, struct buf *out)
{
	int rc;

	buf_init(out, sizeof(LABEL) + d->manifest_len);
	rc = buf_put(out, LABEL, sizeof(LABEL) - 1);
	return rc != 0 ? rc : buf_put(out, d->manifest, d->manifest_len);
}

/* Whether one of the keys has made the signature of a line "KEYID BASE64". */
static bool line_verifies(const char *line, const struct buf *bytes, const char *const *keys, size_t nkeys)
{
	const char *space = strrchr(line, ' ');
	uint8_t signature[crypto_sign_BYTES], key[crypto_sign_PUBLICKEYBYTES];
	size_t n;

	if (space == NULL ||
	    sodium_base642bin(signature, sizeof(signature), space + 1, strlen(space + 1), NULL, &n, NULL,
			      sodium_base64_VARIANT_ORIGINAL) != 0 ||
	    n != sizeof(signature))
		return false;
	for (size_t i = 0; i < nkeys; i++)
		if (sodium_base642bin(key, sizeof(key), keys[i], strlen(keys[i]), NULL, &n, NULL,
				      sodium_base64_VARIANT_ORIGINAL) == 0 &&
		    n == sizeof(key) &&
		    crypto_sign_verify_detached(signature, buf_ptr(bytes), buf_len(bytes), key) == 0)
			return true;
	return false;
}

/* The key is found by trying: a name that the bundle gives itself proves nothing. */
static bool has_signature(const struct policy_dir *d, const struct buf *bytes, const char *const *keys, size_t nkeys)
{
	const char *at = d->signature, *end = d->signature + d->signature_len;

	for (int i = 0; i < SIGNATURES_MAX && at < end; i++) {
		const char *stop = memchr(at, '\n', (size_t)(end - at));
		size_t n = (size_t)((stop != NULL ? stop : end) - at);
		char line[LINE_MAX_BYTES];

		if (n < sizeof(line)) {
			memcpy(line, at, n);
			line[n] = '\0';
			if (line_verifies(line, bytes, keys, nkeys))
				return true;
		}
		at += n + 1;
	}
	return false;
}

static int check_signature(const struct policy_dir *d, const char *const *keys, size_t nkeys, struct buf *errors)
{
	struct buf bytes;
	int rc;

	if (d->manifest == NULL || d->signature == NULL)
		return deny(errors, d->manifest == NULL ? "manifest.json" : "manifest.sig",
			    "is missing: this set must be signed");
	rc = signed_bytes(d, &bytes);
	if (rc == 0 && !has_signature(d, &bytes, keys, nkeys))
		rc = deny(errors, "manifest.sig", "holds no signature of a configured key");
	buf_free(&bytes);
	return rc;
}

/* ---- what it says ---- */

static int check_file(const struct policy_file *file, const json_t *files, struct buf *errors)
{
	const char *expected = json_string_value(json_object_get(files, file->name));
	char hash[HASH_LEN * 2 + 1];

	hash_hex(file, hash);
	if (expected == NULL)
		return deny(errors, file->name, "is not in the manifest");
	return strcmp(expected, hash) == 0 ? 0 : deny(errors, file->name, "is not what the manifest says: changed");
}

static int check_files(const struct policy_dir *d, json_t *files, struct buf *errors)
{
	const char *name;
	const json_t *value;
	int rc = json_is_object(files) ? 0 : deny(errors, "manifest.json", "names no files");

	for (size_t i = 0; rc == 0 && i < d->nfiles; i++)
		rc = check_file(&d->files[i], files, errors);
	if (rc != 0 || json_object_size(files) == d->nfiles)
		return rc;
	json_object_foreach(files, name, value)
	{
		bool found = false;

		for (size_t i = 0; i < d->nfiles; i++)
			found = found || strcmp(d->files[i].name, name) == 0;
		if (!found)
			return deny(errors, name, "is missing");
	}
	return rc;
}

static int check_expiry(const json_t *manifest, uint64_t now_unix, uint64_t *expires, struct buf *errors)
{
	const json_t *value = json_object_get(manifest, "expires");

	if (value == NULL)
		return 0;
	if (!json_is_string(value) || parse_time(json_string_value(value), expires) != 0)
		return deny(errors, "manifest.json", "\"expires\" must be like 2026-01-31T12:00:00Z");
	return now_unix < *expires ? 0
				   : deny(errors, "manifest.json",
					  "has expired: sign the set again, to end later (keepgate policy sign)");
}

static int check_revision(const json_t *manifest, uint64_t floor, uint64_t *revision, struct buf *errors)
{
	const json_t *value = json_object_get(manifest, "revision");

	if (!json_is_integer(value) || json_integer_value(value) < 0)
		return deny(errors, "manifest.json", "\"revision\" must be a number");
	*revision = (uint64_t)json_integer_value(value);
	return *revision >= floor ? 0 : deny(errors, "manifest.json", "is of an earlier revision than one that held");
}

static int check_members(json_t *manifest, struct buf *errors)
{
	const char *name;
	const json_t *value;

	json_object_foreach(manifest, name, value)
	{
		if (strcmp(name, "revision") != 0 && strcmp(name, "files") != 0 && strcmp(name, "expires") != 0)
			return deny(errors, "manifest.json", "has a member that is not known");
	}
	return json_is_object(manifest) ? 0 : deny(errors, "manifest.json", "is no manifest");
}

int policy_dir_verify(struct policy_dir *d, const char *const *keys, size_t nkeys, uint64_t floor, uint64_t now_unix,
		      struct buf *errors)
{
	json_t *manifest;
	uint64_t revision = 0, expires = 0;
	int rc = nkeys > 0 ? check_signature(d, keys, nkeys, errors) : 0;

	d->revision = d->expires_unix = 0;
	if (rc != 0 || d->manifest == NULL)
		return rc;
	manifest = json_loadb(d->manifest, d->manifest_len, JSON_REJECT_DUPLICATES, NULL);
	rc = check_members(manifest, errors);
	if (rc == 0)
		rc = check_files(d, json_object_get(manifest, "files"), errors);
	if (rc == 0 && nkeys > 0)
		rc = check_expiry(manifest, now_unix, &expires, errors);
	if (rc == 0)
		rc = check_revision(manifest, nkeys > 0 ? floor : 0, &revision, errors);
	json_decref(manifest);
	if (rc == 0) {
		d->revision = revision;
		d->expires_unix = expires;
	}
	return rc;
}

int policy_manifest_put(struct buf *out, const struct policy_dir *d, uint64_t revision, uint64_t expires_unix)
{
	int rc = buf_printf(out, "{\n  \"revision\": %llu,\n", (unsigned long long)revision);
	char hash[HASH_LEN * 2 + 1], when[32];
	struct tm tm;
	time_t t = (time_t)expires_unix;

	if (revision > INT64_MAX || expires_unix > UNIX_MAX)
		return KG_E_INVALID;
	if (rc == 0 && expires_unix != 0 && gmtime_r(&t, &tm) != NULL &&
	    strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%SZ", &tm) > 0)
		rc = buf_printf(out, "  \"expires\": \"%s\",\n", when);
	if (rc == 0)
		rc = buf_puts(out, "  \"files\": {");
	for (size_t i = 0; rc == 0 && i < d->nfiles; i++) {
		hash_hex(&d->files[i], hash);
		rc = buf_puts(out, i == 0 ? "\n    " : ",\n    ");
		if (rc == 0)
			rc = json_put_string(out, d->files[i].name, strlen(d->files[i].name));
		if (rc == 0)
			rc = buf_printf(out, ": \"%s\"", hash);
	}
	return rc != 0 ? rc : buf_puts(out, "\n  }\n}\n");
}
