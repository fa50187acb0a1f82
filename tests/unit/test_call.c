/* Digests, receipts and seals: what is altered, replayed elsewhere or late does not pass. */
#include <stdbool.h>
#include <string.h>

#include <sodium.h>

#include "common/call.h"
#include "tests/unit/unit.h"

static uint8_t session[ID_LEN], txn[ID_LEN], args[HASH_LEN], meta[HASH_LEN], key[HASH_LEN];

static struct call_id sample(void)
{
	struct call_id id = {session, "notes", MCP_TOOLS_CALL, {"list_notes", 10}, txn, args, meta};

	return id;
}

static bool differs(const struct call_id *id)
{
	struct call_id first = sample();
	uint8_t a[HASH_LEN], b[HASH_LEN];

	call_digest(&first, a);
	call_digest(id, b);
	return memcmp(a, b, HASH_LEN) != 0;
}

static void each_field_changes_the_digest(void)
{
	static const uint8_t other[HASH_LEN] = {1};
	struct call_id id = sample();

	CHECK(!differs(&id));
	id.session = other;
	CHECK(differs(&id));
	id = sample(), id.upstream = "note";
	CHECK(differs(&id));
	id = sample(), id.method = SELF_CONNECT;
	CHECK(differs(&id));
	id = sample(), id.name.n = 9;
	CHECK(differs(&id));
	id = sample(), id.txn = other;
	CHECK(differs(&id));
	id = sample(), id.args_sha256 = other;
	CHECK(differs(&id));
	id = sample(), id.meta_sha256 = other;
	CHECK(differs(&id));
}

/* Bytes may not wander from one field into its neighbour. */
static void fields_do_not_run_together(void)
{
	struct call_id a = sample(), b = sample();
	uint8_t x[HASH_LEN], y[HASH_LEN];

	a.upstream = "ab", a.name.p = "c", a.name.n = 1;
	b.upstream = "a", b.name.p = "bc", b.name.n = 2;
	call_digest(&a, x);
	call_digest(&b, y);
	CHECK(memcmp(x, y, HASH_LEN) != 0);
}

static void a_receipt_is_for_one_call_of_one_upstream(void)
{
	uint8_t digest[HASH_LEN] = {7}, other[HASH_LEN] = {8}, mac[HASH_LEN];
	uint64_t now = 1000, expires = now + RECEIPT_TTL_NS;

	receipt_mac(key, "notes", digest, 5, expires, mac);
	CHECK(receipt_check(key, "notes", digest, 5, expires, mac, now) == KG_OK);
	CHECK(receipt_check(key, "other", digest, 5, expires, mac, now) == KG_E_CRYPTO);
	CHECK(receipt_check(key, "notes", other, 5, expires, mac, now) == KG_E_CRYPTO);
	CHECK(receipt_check(key, "notes", digest, 6, expires, mac, now) == KG_E_CRYPTO);
	CHECK(receipt_check(key, "notes", digest, 5, expires + 1, mac, now) == KG_E_CRYPTO);
	CHECK(receipt_check(other, "notes", digest, 5, expires, mac, now) == KG_E_CRYPTO);
	CHECK(receipt_check(key, "notes", digest, 5, expires, mac, expires) == KG_E_EXPIRED);
	CHECK(receipt_check(key, "notes", digest, 5, expires, mac, now - 1) == KG_E_EXPIRED);
	for (size_t i = 0; i < HASH_LEN; i++) {
		mac[i] ^= 1;
		CHECK(receipt_check(key, "notes", digest, 5, expires, mac, now) == KG_E_CRYPTO);
		mac[i] ^= 1;
	}
}

static struct credential_set *two_credentials(void)
{
	struct credential_set *set = credentials_new();
	char *value;

	CHECK(credentials_add(set, CRED_HEADER, "X-Key", 3, &value) == KG_OK);
	memcpy(value, "abc", 3);
	CHECK(credentials_add(set, CRED_QUERY, "k", 0, &value) == KG_OK);
	return set;
}

static void a_seal_opens_to_what_was_sealed(void)
{
	uint8_t digest[HASH_LEN] = {7};
	struct credential_set *in = two_credentials(), *out = NULL;
	struct buf b;

	buf_init(&b, CRED_BYTES_MAX + 100);
	CHECK(credentials_seal(key, digest, "https://a:443", 5000, in, &b) == KG_OK);
	CHECK(credentials_open(key, digest, "https://a:443", 4000, buf_ptr(&b), buf_len(&b), &out) == KG_OK);
	CHECK(out != NULL && out->count == 2 && out->item[0].kind == CRED_HEADER);
	CHECK(strcmp(out->item[0].slot, "X-Key") == 0 && strcmp(out->item[0].value, "abc") == 0);
	CHECK(out->item[1].kind == CRED_QUERY && strcmp(out->item[1].value, "") == 0);
	credentials_free(in);
	credentials_free(out);
	buf_free(&b);
}

static void an_altered_seal_does_not_open(void)
{
	uint8_t digest[HASH_LEN] = {7}, other[HASH_LEN] = {8};
	struct credential_set *in = two_credentials(), *out = NULL;
	struct buf b;

	buf_init(&b, CRED_BYTES_MAX + 100);
	CHECK(credentials_seal(key, digest, "https://a:443", 5000, in, &b) == KG_OK);
	CHECK(credentials_open(key, other, "https://a:443", 4000, buf_ptr(&b), buf_len(&b), &out) == KG_E_CRYPTO);
	CHECK(credentials_open(key, digest, "https://b:443", 4000, buf_ptr(&b), buf_len(&b), &out) == KG_E_CRYPTO);
	CHECK(credentials_open(other, digest, "https://a:443", 4000, buf_ptr(&b), buf_len(&b), &out) == KG_E_CRYPTO);
	CHECK(credentials_open(key, digest, "https://a:443", 5000, buf_ptr(&b), buf_len(&b), &out) == KG_E_EXPIRED);
	for (size_t i = 0; i < buf_len(&b); i++) {
		b.data[i] ^= 1;
		CHECK(credentials_open(key, digest, "https://a:443", 4000, buf_ptr(&b), buf_len(&b), &out) ==
		      KG_E_CRYPTO);
		b.data[i] ^= 1;
		CHECK(credentials_open(key, digest, "https://a:443", 4000, buf_ptr(&b), i, &out) != KG_OK);
	}
	CHECK(out == NULL);
	credentials_free(in);
	buf_free(&b);
}

static void none_needed_is_sealed_too(void)
{
	uint8_t digest[HASH_LEN] = {7};
	struct credential_set *in = credentials_new(), *out = NULL;
	struct buf b;

	buf_init(&b, 100);
	CHECK(credentials_seal(key, digest, "stdio", 5000, in, &b) == KG_OK);
	CHECK(credentials_open(key, digest, "stdio", 4000, buf_ptr(&b), buf_len(&b), &out) == KG_OK && out->count == 0);
	credentials_free(in);
	credentials_free(out);
	buf_free(&b);
}

static void a_set_has_limits(void)
{
	char slot[CRED_SLOT_MAX + 2];
	struct credential_set *set = credentials_new();
	char *value;

	memset(slot, 's', sizeof(slot));
	slot[CRED_SLOT_MAX + 1] = '\0';
	CHECK(credentials_add(set, CRED_ENV, slot, 1, &value) == KG_E_LIMIT);
	CHECK(credentials_add(set, CRED_ENV, "S", CRED_VALUE_MAX + 1, &value) == KG_E_LIMIT);
	for (int i = 0; i < CRED_COUNT_MAX; i++)
		CHECK(credentials_add(set, CRED_ENV, "S", 10, &value) == KG_OK);
	CHECK(credentials_add(set, CRED_ENV, "S", 10, &value) == KG_E_LIMIT);
	credentials_free(set);
}

/* The pool hands out the same memory again: nothing of the last owner may be in it. */
static void a_freed_set_is_wiped(void)
{
	static const char zero[CRED_BYTES_MAX];
	struct credential_set *set = two_credentials();

	credentials_free(set);
	set = credentials_new();
	CHECK(set->count == 0 && set->used == 0 && memcmp(set->bytes, zero, sizeof(zero)) == 0);
	credentials_free(set);
}

int main(void)
{
	if (sodium_init() < 0)
		return 1;
	RUN(each_field_changes_the_digest);
	RUN(fields_do_not_run_together);
	RUN(a_receipt_is_for_one_call_of_one_upstream);
	RUN(a_seal_opens_to_what_was_sealed);
	RUN(an_altered_seal_does_not_open);
	RUN(none_needed_is_sealed_too);
	RUN(a_set_has_limits);
	RUN(a_freed_set_is_wiped);
	return unit_end();
}
