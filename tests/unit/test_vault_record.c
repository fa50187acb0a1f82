/* Records: a sealed value opens for the use that it was sealed for, and for no other. */
#include <string.h>

#include <sodium.h>

#include "tests/unit/unit.h"
#include "vaultd/record.h"

static const struct record_use base = {
	.type = RECORD_CREDENTIAL,
	.name = "token",
	.upstream = "web",
	.destination = "https://api.example.com:443",
	.kind = 1,
	.slot = "authorization",
	.version = 3,
};
static const char value[] = "s3cr3t-value";
static struct secret *master;

static struct record sealed(const struct record_use *use)
{
	struct record r = {0};

	CHECK(record_seal(master, use, value, strlen(value), &r) == KG_OK);
	return r;
}

static int opens(const struct record_use *use, const struct record *r)
{
	char out[64] = "";
	int got = record_open(master, use, r, out);

	if (got == KG_OK)
		CHECK(record_value_len(r) == strlen(value) && memcmp(out, value, strlen(value)) == 0);
	return got;
}

static void opens_for_its_use(void)
{
	struct record r = sealed(&base), copy;

	CHECK(opens(&base, &r) == KG_OK);
	CHECK(record_load(r.bytes, r.len, &copy) == KG_OK && opens(&base, &copy) == KG_OK);
	CHECK(memmem(r.bytes, r.len, value, strlen(value)) == NULL);
	record_free(&copy);
	record_free(&r);
}

/* Each member of the use in turn is another one: another name, server, host, kind, slot, version, type. */
static void refuses_every_other_use(void)
{
	struct record_use other[7];
	struct record r = sealed(&base);

	for (size_t i = 0; i < 7; i++)
		other[i] = base;
	other[0].type = RECORD_SIGNING_KEY;
	other[1].name = "token2";
	other[2].upstream = "notes";
	other[3].destination = "https://evil.example.com:443";
	other[4].kind = 3;
	other[5].slot = "x-key";
	other[6].version = 2;
	for (size_t i = 0; i < 7; i++)
		CHECK(opens(&other[i], &r) == KG_E_CRYPTO);
	record_free(&r);
}

/* Texts that are the same when written one after another are still different uses. */
static void fields_do_not_run_together(void)
{
	struct record_use a = base, b = base;
	struct record r;

	a.name = "ab";
	a.upstream = "c";
	b.name = "a";
	b.upstream = "bc";
	r = sealed(&a);
	CHECK(opens(&a, &r) == KG_OK && opens(&b, &r) == KG_E_CRYPTO);
	record_free(&r);
}

static void refuses_a_swapped_row(void)
{
	struct record_use other = base;
	struct record a, b;

	other.name = "other";
	a = sealed(&base);
	b = sealed(&other);
	CHECK(opens(&base, &b) == KG_E_CRYPTO && opens(&other, &a) == KG_E_CRYPTO);
	/* Only the wrapped key of another row, or only its ciphertext. */
	memcpy(b.bytes + 5, a.bytes + 5, 24 + 48);
	CHECK(opens(&base, &b) == KG_E_CRYPTO && opens(&other, &b) == KG_E_CRYPTO);
	record_free(&a);
	record_free(&b);
}

static void refuses_every_changed_byte(void)
{
	struct record r = sealed(&base);

	for (size_t i = 5; i < r.len; i++) {
		r.bytes[i] ^= 0x10;
		CHECK(opens(&base, &r) == KG_E_CRYPTO);
		r.bytes[i] ^= 0x10;
	}
	CHECK(opens(&base, &r) == KG_OK);
	record_free(&r);
}

static void refuses_a_wrong_form(void)
{
	struct record r = sealed(&base), copy;

	for (size_t len = 0; len < r.len; len++) {
		if (record_load(r.bytes, len, &copy) != KG_OK)
			continue;
		CHECK(opens(&base, &copy) == KG_E_CRYPTO);
		record_free(&copy);
	}
	for (size_t i = 0; i < 5; i++) {
		r.bytes[i] ^= 1;
		CHECK(record_load(r.bytes, r.len, &copy) == KG_E_PROTO);
		r.bytes[i] ^= 1;
	}
	record_free(&r);
}

static void refuses_another_master_key(void)
{
	struct record r = sealed(&base);
	struct secret *other = secret_new(32);
	char out[64];

	CHECK(record_open(other, &base, &r, out) == KG_E_CRYPTO);
	secret_free(&other);
	record_free(&r);
}

static void knows_its_limits(void)
{
	static const uint8_t big[RECORD_VALUE_MAX + 1];
	struct record r = {0};

	CHECK(record_seal(master, &base, big, 0, &r) == KG_E_LIMIT);
	CHECK(record_seal(master, &base, big, sizeof(big), &r) == KG_E_LIMIT);
	CHECK(record_seal(master, &base, big, sizeof(big) - 1, &r) == KG_OK);
	record_free(&r);
}

/* The same value sealed twice shares no bytes: data keys and nonces are fresh. */
static void is_fresh_each_time(void)
{
	struct record a = sealed(&base), b = sealed(&base);

	CHECK(sodium_memcmp(a.bytes + 5, b.bytes + 5, a.len - 5) != 0);
	for (size_t i = 5; i + 16 <= a.len; i += 16)
		CHECK(sodium_memcmp(a.bytes + i, b.bytes + i, 16) != 0);
	record_free(&a);
	record_free(&b);
}

int main(void)
{
	secret_probe();
	master = secret_new(32);
	randombytes_buf(secret_bytes(master), 32);
	RUN(opens_for_its_use);
	RUN(refuses_every_other_use);
	RUN(fields_do_not_run_together);
	RUN(refuses_a_swapped_row);
	RUN(refuses_every_changed_byte);
	RUN(refuses_a_wrong_form);
	RUN(refuses_another_master_key);
	RUN(knows_its_limits);
	RUN(is_fresh_each_time);
	secret_free(&master);
	return unit_end();
}
