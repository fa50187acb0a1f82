/* keepgate policy keygen, sign, verify: who may say what a set is. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <sodium.h>

#include "common/policy/policy_dir.h"
#include "keepgate/policy_commands.h"
#include "keepgate/policy_input.h"

#define LABEL "keepgate policy bundle 1\n"
#define BASE64 sodium_base64_VARIANT_ORIGINAL
#define BASE64_MAX(n) sodium_base64_ENCODED_LEN(n, BASE64)
#define KEY_ID_DIGITS 8
#define MANIFEST_MAX 1048576u
#define KEY_FILE_MAX 128

/* A private key's file has one line: its seed in base64. */
struct key {
	uint8_t public_key[crypto_sign_PUBLICKEYBYTES];
	uint8_t secret_key[crypto_sign_SECRETKEYBYTES];
	char id[KEY_ID_DIGITS + 1];
};

/* The first digits of the public key's hash: they only tell which key to try. */
static void name_key(struct key *key)
{
	uint8_t hash[HASH_LEN];
	char hex[2 * HASH_LEN + 1];

	sha256(key->public_key, sizeof(key->public_key), hash);
	sodium_bin2hex(hex, sizeof(hex), hash, sizeof(hash));
	memcpy(key->id, hex, KEY_ID_DIGITS);
	key->id[KEY_ID_DIGITS] = '\0';
}

/* All bytes into a file that is flushed; -1 with errno. */
static int write_file(int fd, const void *bytes, size_t n)
{
	const uint8_t *p = bytes;

	while (n > 0) {
		ssize_t done = write(fd, p, n);

		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0)
			return -1;
		p += done;
		n -= (size_t)done;
	}
	return fsync(fd);
}

int policy_keygen_run(const struct cli *c)
{
	uint8_t seed[crypto_sign_SEEDBYTES];
	char line[BASE64_MAX(crypto_sign_SEEDBYTES) + 1], shown[BASE64_MAX(crypto_sign_PUBLICKEYBYTES)];
	struct key key;
	int fd, r;

	if (sodium_init() < 0)
		return cli_fail(c, "libsodium cannot be used");
	fd = open(c->operand[0], O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return cli_fail(c, "%s: cannot be made: %s%s", c->operand[0], strerror(errno),
				errno == EEXIST ? ": choose a name that is not taken" : "");
	randombytes_buf(seed, sizeof(seed));
	crypto_sign_seed_keypair(key.public_key, key.secret_key, seed);
	sodium_bin2base64(line, sizeof(line) - 1, seed, sizeof(seed), BASE64);
	memcpy(line + strlen(line), "\n", 2);
	r = write_file(fd, line, strlen(line));
	sodium_memzero(seed, sizeof(seed));
	sodium_memzero(line, sizeof(line));
	sodium_memzero(&key.secret_key, sizeof(key.secret_key));
	if ((close(fd) != 0 || r != 0) && unlink(c->operand[0]) == 0)
		return cli_fail(c, "%s: cannot be written: %s", c->operand[0], strerror(errno));
	printf("The private key is in %s: keep it away from the gateway.\n"
	       "The public key, for policy.keys in the configuration:\n%s\n",
	       c->operand[0], sodium_bin2base64(shown, sizeof(shown), key.public_key, sizeof(key.public_key), BASE64));
	return KG_EXIT_OK;
}

/* Without stdio, whose buffer nobody wipes. */
static int read_key(const struct cli *c, struct key *out)
{
	const char *file = cli_value(c, "key");
	uint8_t seed[crypto_sign_SEEDBYTES];
	char text[KEY_FILE_MAX];
	int fd = open(file, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	ssize_t size = fd < 0 ? -1 : read(fd, text, sizeof(text));
	size_t n = 0;
	bool good;

	if (size < 0) {
		int r = cli_fail(c, "%s: cannot be read: %s", file, strerror(errno));

		if (fd >= 0)
			close(fd);
		return r;
	}
	close(fd);
	good = sodium_base642bin(seed, sizeof(seed), text, (size_t)size, "\n", &n, NULL, BASE64) == 0 &&
	       n == sizeof(seed);
	sodium_memzero(text, sizeof(text));
	if (!good)
		return cli_fail(c, "%s: is no private key of keepgate policy keygen", file);
	crypto_sign_seed_keypair(out->public_key, out->secret_key, seed);
	sodium_memzero(seed, sizeof(seed));
	name_key(out);
	return 0;
}

/* Replaces DIR/NAME by one rename: whoever reads it has the old bytes or the new ones. */
static int put_file(const struct cli *c, const char *name, const void *bytes, size_t n)
{
	char path[CLI_PATH_MAX], fresh[CLI_PATH_MAX + 8];
	int fd, r;

	if (snprintf(path, sizeof(path), "%s/%s", c->operand[0], name) >= CLI_PATH_MAX)
		return cli_fail(c, "%s: the path is too long", c->operand[0]);
	snprintf(fresh, sizeof(fresh), "%s.XXXXXX", path);
	fd = mkostemp(fresh, O_CLOEXEC);
	if (fd < 0)
		return cli_fail(c, "%s: cannot be made: %s", path, strerror(errno));
	r = write_file(fd, bytes, n);
	r |= fchmod(fd, 0644);
	r |= close(fd);
	if (r == 0 && rename(fresh, path) == 0)
		return 0;
	r = cli_fail(c, "%s: cannot be written: %s", path, strerror(errno));
	unlink(fresh);
	return r;
}

/* The signatures of others over the same manifest stay: several keys may sign one set. */
static int keep_others(struct buf *out, const struct policy_dir *dir, const struct buf *manifest, const char *id)
{
	const char *at = dir->signature, *end = at == NULL ? NULL : at + dir->signature_len;
	int r = 0;

	if (dir->manifest == NULL || dir->manifest_len != buf_len(manifest) ||
	    memcmp(dir->manifest, buf_ptr(manifest), buf_len(manifest)) != 0)
		return 0;
	while (r == 0 && at != NULL && at < end) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));
		size_t n = newline == NULL ? (size_t)(end - at) : (size_t)(newline - at) + 1;

		if (n > KEY_ID_DIGITS && strncmp(at, id, KEY_ID_DIGITS) != 0)
			r = buf_put(out, at, n);
		at += n;
	}
	return r;
}

/* "KEYID BASE64", over the label and the manifest's bytes. */
static int put_signature(struct buf *out, const struct key *key, const struct buf *manifest)
{
	uint8_t signature[crypto_sign_BYTES];
	char text[BASE64_MAX(crypto_sign_BYTES)];
	struct buf message;
	int r;

	buf_init(&message, sizeof(LABEL) + MANIFEST_MAX);
	r = buf_puts(&message, LABEL);
	if (r == 0)
		r = buf_put(&message, buf_ptr(manifest), buf_len(manifest));
	if (r == 0) {
		crypto_sign_detached(signature, NULL, buf_ptr(&message), buf_len(&message), key->secret_key);
		sodium_bin2base64(text, sizeof(text), signature, sizeof(signature), BASE64);
		r = buf_printf(out, "%s %s\n", key->id, text);
	}
	buf_free(&message);
	return r;
}

static int sign(const struct cli *c, const struct policy_dir *dir, const struct key *key, uint64_t revision,
		uint64_t expires)
{
	struct buf manifest, signatures;
	int r;

	buf_init(&manifest, MANIFEST_MAX);
	buf_init(&signatures, MANIFEST_MAX);
	r = policy_manifest_put(&manifest, dir, revision, expires);
	if (r == 0)
		r = keep_others(&signatures, dir, &manifest, key->id);
	if (r == 0)
		r = put_signature(&signatures, key, &manifest);
	if (r != 0)
		r = cli_fail(c, "%s: cannot be signed: %s", c->operand[0], kg_strerror(r));
	if (r == 0)
		r = put_file(c, "manifest.json", buf_ptr(&manifest), buf_len(&manifest));
	if (r == 0)
		r = put_file(c, "manifest.sig", buf_ptr(&signatures), buf_len(&signatures));
	buf_free(&manifest);
	buf_free(&signatures);
	return r;
}

/* The folder as it is, with each fault told. */
static int open_folder(const struct cli *c, struct policy_dir *dir, struct buf *errors)
{
	const char *path = c->operand[0];

	if (policy_dir_open(path, dir, errors) == 0)
		return 0;
	policy_input_tell(stderr, path, buf_len(errors) == 0 ? strerror(errno) : buf_text(errors));
	return KG_EXIT_FAILURE;
}

int policy_sign_run(const struct cli *c)
{
	const char *expires = cli_value(c, "expires");
	uint64_t revision, seconds = 0;
	struct policy_dir dir = {0};
	struct buf errors;
	struct key key;
	int r;

	if (cli_number(c, "revision", 1, INT64_MAX, 0, &revision) != 0)
		return KG_EXIT_USAGE;
	if (expires != NULL && cli_duration(expires, &seconds) != 0)
		return cli_usage(c, "--expires must be a number with s, m, h or d, such as 90d, not \"%s\"", expires);
	if (sodium_init() < 0)
		return cli_fail(c, "libsodium cannot be used");
	buf_init(&errors, POLICY_ERRORS_MAX);
	r = open_folder(c, &dir, &errors);
	if (r == 0)
		r = read_key(c, &key);
	if (r == 0)
		r = sign(c, &dir, &key, revision, expires == NULL ? 0 : (uint64_t)time(NULL) + seconds);
	if (r == 0)
		printf("Signed %zu files of %s as revision %" PRIu64 ".\n", dir.nfiles, c->operand[0], revision);
	sodium_memzero(&key, sizeof(key));
	policy_dir_free(&dir);
	buf_free(&errors);
	return r;
}

int policy_verify_run(const struct cli *c)
{
	const char *key = cli_value(c, "key");
	uint8_t public_key[crypto_sign_PUBLICKEYBYTES];
	struct policy_dir dir = {0};
	struct buf errors;
	size_t n = 0;
	int r;

	if (sodium_init() < 0)
		return cli_fail(c, "libsodium cannot be used");
	if (sodium_base642bin(public_key, sizeof(public_key), key, strlen(key), NULL, &n, NULL, BASE64) != 0 ||
	    n != sizeof(public_key))
		return cli_usage(c, "--key must be a public key in base64, as keepgate policy keygen prints it");
	buf_init(&errors, POLICY_ERRORS_MAX);
	r = open_folder(c, &dir, &errors);
	if (r == 0 && policy_dir_verify(&dir, &key, 1, 0, (uint64_t)time(NULL), &errors) != 0) {
		policy_input_tell(stderr, c->operand[0], buf_text(&errors));
		r = KG_EXIT_FAILURE;
	}
	if (r == 0)
		printf("%s is revision %" PRIu64 ", signed by this key: %zu files are as they were.\n", c->operand[0],
		       dir.revision, dir.nfiles);
	policy_dir_free(&dir);
	buf_free(&errors);
	return r;
}
