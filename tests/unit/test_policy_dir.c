/* Folders and bundles: what is read, what is refused, and whose signature counts. */
#include "common/policy/policy_dir.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>

#include "tests/unit/unit.h"

#define NOW 1763719200ull

static char folder[] = "/tmp/policy-dir-XXXXXX";
static struct buf errors;
static struct policy_dir dir;
static uint8_t public_key[crypto_sign_PUBLICKEYBYTES], secret_key[crypto_sign_SECRETKEYBYTES];
static char key[64], other_key[64];

static const char *path(const char *name)
{
	static char text[256];

	(void)snprintf(text, sizeof(text), "%s/%s", folder, name);
	return text;
}

static void put(const char *name, const void *bytes, size_t n)
{
	FILE *f = fopen(path(name), "wb");

	if (f == NULL || fwrite(bytes, 1, n, f) != n || fclose(f) != 0)
		abort();
}

static void put_text(const char *name, const char *text)
{
	put(name, text, strlen(text));
}

static void drop(const char *name)
{
	(void)unlink(path(name));
}

static int read_folder(void)
{
	policy_dir_free(&dir);
	buf_reset(&errors);
	return policy_dir_open(folder, &dir, &errors);
}

static bool tells(const char *text)
{
	bool found = buf_len(&errors) > 0 && strstr(buf_text(&errors), text) != NULL;

	if (!found)
		fprintf(stderr, "not \"%s\": %s\n", text, buf_len(&errors) > 0 ? buf_text(&errors) : "");
	return found;
}

static void sign_text(const char *manifest, const char *label)
{
	uint8_t signature[crypto_sign_BYTES];
	char bytes[8192], base64[128], line[256];

	(void)snprintf(bytes, sizeof(bytes), "%s%s", label, manifest);
	(void)crypto_sign_detached(signature, NULL, (const uint8_t *)bytes, strlen(bytes), secret_key);
	(void)sodium_bin2base64(base64, sizeof(base64), signature, sizeof(signature), sodium_base64_VARIANT_ORIGINAL);
	(void)snprintf(line, sizeof(line), "someone QUJD\nops %s\n", base64);
	put_text("manifest.json", manifest);
	put_text("manifest.sig", line);
}

static void sign_folder(uint64_t revision, uint64_t expires)
{
	struct buf manifest;

	buf_init(&manifest, 8192);
	drop("manifest.json");
	drop("manifest.sig");
	if (read_folder() != 0 || policy_manifest_put(&manifest, &dir, revision, expires) != 0)
		abort();
	sign_text(buf_text(&manifest), "keepgate policy bundle 1\n");
	buf_free(&manifest);
	if (read_folder() != 0)
		abort();
}

static int verify(const char *with, uint64_t floor, uint64_t now)
{
	const char *keys[] = {other_key, with};

	buf_reset(&errors);
	return policy_dir_verify(&dir, keys, with == NULL ? 0 : 2, floor, now, &errors);
}

static void test_read(void)
{
	CHECK(read_folder() == KG_E_CONFIG && tells("holds no policies"));
	put_text("b.cedar", "b");
	put_text("a.cedar", "aa");
	put_text("x.cedarschema", "");
	put_text("entities.json", "[]");
	put_text("cases.json", "{}");
	CHECK(read_folder() == 0 && dir.nfiles == 5 && dir.manifest == NULL && dir.revision == 0);
	CHECK(strcmp(dir.files[0].name, "a.cedar") == 0 && dir.files[0].len == 2 &&
	      memcmp(dir.files[0].text, "aa", 2) == 0);
	CHECK(strcmp(dir.files[4].name, "x.cedarschema") == 0);
	drop("cases.json");
	CHECK(policy_dir_open("/nowhere at all", &dir, &errors) == KG_E_IO && tells("/nowhere at all"));
}

static void test_refused_files(void)
{
	put_text("notes.txt", "");
	CHECK(read_folder() == KG_E_CONFIG && tells("notes.txt: does not belong here"));
	drop("notes.txt");
	CHECK(symlink("/etc/hostname", path("l.cedar")) == 0);
	CHECK(read_folder() == KG_E_CONFIG && tells("l.cedar: is a link"));
	drop("l.cedar");
	CHECK(mkfifo(path("f.cedar"), 0600) == 0);
	CHECK(read_folder() == KG_E_CONFIG && tells("f.cedar: is no regular file"));
	drop("f.cedar");
	CHECK(mkdir(path("d.cedar"), 0700) == 0);
	CHECK(read_folder() == KG_E_CONFIG && tells("d.cedar: is no regular file"));
	(void)rmdir(path("d.cedar"));
	put_text(".hidden.cedar", "");
	CHECK(read_folder() == KG_E_CONFIG && tells(".hidden.cedar"));
	drop(".hidden.cedar");
	put_text("big.cedar", "");
	CHECK(truncate(path("big.cedar"), (off_t)POLICY_BYTES_MAX) == 0);
	CHECK(read_folder() == KG_E_CONFIG && tells("too large"));
	drop("big.cedar");
	CHECK(read_folder() == 0);
}

static void test_signature(void)
{
	CHECK(read_folder() == 0);
	CHECK(verify(key, 0, NOW) == KG_E_DENIED && tells("manifest.json: is missing"));
	CHECK(verify(NULL, 0, NOW) == 0 && dir.revision == 0);
	sign_folder(7, NOW + 10);
	CHECK(verify(key, 7, NOW) == 0 && dir.revision == 7);
	CHECK(verify(other_key, 0, NOW) == KG_E_DENIED && tells("no signature") && dir.revision == 0);
	CHECK(verify("not a key", 0, NOW) == KG_E_DENIED);
	CHECK(verify(key, 8, NOW) == KG_E_DENIED && tells("earlier revision"));
	CHECK(verify(key, 0, NOW + 10) == KG_E_DENIED && tells("expired"));
	CHECK(verify(NULL, 8, NOW + 10) == 0);
	sign_folder(8, 0);
	CHECK(verify(key, 7, NOW * 2) == 0 && dir.revision == 8);
}

static void test_changed(void)
{
	sign_folder(1, 0);
	put_text("a.cedar", "ab");
	CHECK(read_folder() == 0 && verify(key, 0, NOW) == KG_E_DENIED &&
	      tells("a.cedar: is not what the manifest says"));
	CHECK(verify(NULL, 0, NOW) == KG_E_DENIED);
	put_text("a.cedar", "aa");
	put_text("c.cedar", "");
	CHECK(read_folder() == 0 && verify(key, 0, NOW) == KG_E_DENIED && tells("c.cedar: is not in the manifest"));
	drop("c.cedar");
	drop("b.cedar");
	CHECK(read_folder() == 0 && verify(key, 0, NOW) == KG_E_DENIED && tells("b.cedar: is missing"));
	put_text("b.cedar", "b");
	CHECK(read_folder() == 0 && verify(key, 0, NOW) == 0);
	drop("manifest.sig");
	CHECK(read_folder() == 0 && verify(key, 0, NOW) == KG_E_DENIED && tells("manifest.sig: is missing"));
}

static void test_bad_manifests(void)
{
	static const char *const bad[] = {
		"",
		"[]",
		"{}",
		"{\"revision\":1,\"files\":{},\"files\":{}}",
		"{\"revision\":-1,\"files\":{}}",
		"{\"revision\":1,\"files\":{}}",
		"{\"revision\":1,\"files\":[],\"more\":1}",
	};
	char manifest[2048];
	struct buf good;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		sign_text(bad[i], "keepgate policy bundle 1\n");
		CHECK(read_folder() == 0 && verify(key, 0, NOW) == KG_E_DENIED);
	}
	/* Signed as something else: the label is not ours. */
	drop("manifest.json");
	drop("manifest.sig");
	CHECK(read_folder() == 0);
	buf_init(&good, 2048);
	CHECK(policy_manifest_put(&good, &dir, 1, 0) == 0);
	(void)snprintf(manifest, sizeof(manifest), "%s", buf_text(&good));
	buf_free(&good);
	sign_text(manifest, "");
	CHECK(read_folder() == 0 && verify(key, 0, NOW) == KG_E_DENIED);
	sign_text(manifest, "keepgate policy bundle 1\n");
	CHECK(read_folder() == 0 && verify(key, 0, NOW) == 0);
	CHECK(policy_manifest_put(&good, &dir, UINT64_MAX, 0) == KG_E_INVALID);
	buf_free(&good);
}

static void make_keys(void)
{
	uint8_t other[crypto_sign_PUBLICKEYBYTES], unused[crypto_sign_SECRETKEYBYTES];

	(void)crypto_sign_keypair(public_key, secret_key);
	(void)crypto_sign_keypair(other, unused);
	(void)sodium_bin2base64(key, sizeof(key), public_key, sizeof(public_key), sodium_base64_VARIANT_ORIGINAL);
	(void)sodium_bin2base64(other_key, sizeof(other_key), other, sizeof(other), sodium_base64_VARIANT_ORIGINAL);
}

int main(void)
{
	static const char *const names[] = {"a.cedar",       "b.cedar",       "x.cedarschema",
					    "entities.json", "manifest.json", "manifest.sig"};

	if (sodium_init() < 0 || mkdtemp(folder) == NULL)
		return 1;
	make_keys();
	buf_init(&errors, 65536);
	RUN(test_read);
	RUN(test_refused_files);
	RUN(test_signature);
	RUN(test_changed);
	RUN(test_bad_manifests);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		drop(names[i]);
	if (rmdir(folder) != 0)
		fprintf(stderr, "%s: %s\n", folder, strerror(errno));
	policy_dir_free(&dir);
	buf_free(&errors);
	return unit_end();
}
