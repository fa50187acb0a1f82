/* The guard of the upstream role: what is not exactly right is refused and reported; the right call passes once. */
#include "gatewayd/upstream/guard.h"

#include <string.h>

#include <sodium.h>

#include "tests/unit/unit.h"

#define NOW 1000000000000ull

static const uint8_t receipt_key[HASH_LEN] = {1}, seal_key[HASH_LEN] = {2}, other_key[HASH_LEN] = {3};

struct reports {
	unsigned n;
	uint8_t last;
	uint8_t digest[HASH_LEN];
};

/* What the broker hands over; the digests are over what the daemons saw. */
struct offer {
	const char *upstream, *destination, *name, *args;
	uint8_t session[ID_LEN], txn[ID_LEN];
	uint8_t method;
	uint64_t receipt_expires, seal_expires, seq;
	const uint8_t *receipt_key, *seal_key;
	uint8_t mac[HASH_LEN];
	struct buf sealed;
};

static void on_report(void *arg, uint8_t violation, const struct call_id *id, const uint8_t digest[HASH_LEN])
{
	struct reports *r = arg;

	CHECK(strcmp(id->upstream, "notes") == 0);
	r->n++;
	r->last = violation;
	memcpy(r->digest, digest, HASH_LEN);
}

static struct guard *guard_make(struct reports *r)
{
	struct guard *g = guard_new("notes", "https://notes.example:443");

	guard_key_set(&g->receipt, receipt_key, NOW);
	guard_key_set(&g->seal, seal_key, NOW);
	memset(r, 0, sizeof(*r));
	g->report = on_report;
	g->arg = r;
	return g;
}

static struct offer right(void)
{
	struct offer o = {.upstream = "notes",
			  .destination = "https://notes.example:443",
			  .name = "add_note",
			  .args = "{\"text\":\"a\"}",
			  .method = MCP_TOOLS_CALL,
			  .receipt_expires = NOW + RECEIPT_TTL_NS,
			  .seal_expires = NOW + SEAL_TTL_NS,
			  .seq = 7,
			  .receipt_key = receipt_key,
			  .seal_key = seal_key};

	randombytes_buf(o.txn, ID_LEN);
	memset(o.session, 9, ID_LEN);
	return o;
}

static struct call_id id_of(const struct offer *o, uint8_t args[HASH_LEN], uint8_t meta[HASH_LEN])
{
	struct call_id id = {.session = o->session,
			     .upstream = o->upstream,
			     .method = o->method,
			     .name = {o->name, strlen(o->name)},
			     .txn = o->txn,
			     .args_sha256 = args,
			     .meta_sha256 = meta};

	sha256(o->args, strlen(o->args), args);
	sha256("{}", 2, meta);
	return id;
}

/* The recorder's and the vault's part. */
static void issue(struct offer *o)
{
	uint8_t args[HASH_LEN], meta[HASH_LEN], digest[HASH_LEN];
	struct call_id id = id_of(o, args, meta);
	struct credential_set *set = credentials_new();
	char *value;

	call_digest(&id, digest);
	receipt_mac(o->receipt_key, o->upstream, digest, o->seq, o->receipt_expires, o->mac);
	CHECK(credentials_add(set, CRED_BEARER, "Authorization", 8, &value) == 0);
	memcpy(value, "Bearer x", 8);
	buf_init(&o->sealed, 32768);
	CHECK(credentials_seal(o->seal_key, digest, o->destination, o->seal_expires, set, &o->sealed) == 0);
	credentials_free(set);
}

static int offer(struct guard *g, const struct offer *o, uint64_t now)
{
	uint8_t args[HASH_LEN], meta[HASH_LEN];
	struct credential_set *creds = NULL;
	struct guard_claim c = {.id = id_of(o, args, meta),
				.seq = o->seq,
				.expires_ns = o->receipt_expires,
				.mac = o->mac,
				.sealed = buf_ptr(&o->sealed),
				.sealed_len = buf_len(&o->sealed)};
	int err = guard_check(g, &c, now, &creds);

	CHECK((err == 0) == (creds != NULL));
	if (creds) {
		CHECK(creds->count == 1 && strcmp(creds->item[0].value, "Bearer x") == 0);
		credentials_free(creds);
	}
	return err;
}

static void the_right_call_passes_once(void)
{
	struct reports r;
	struct guard *g = guard_make(&r);
	struct offer o = right();

	issue(&o);
	CHECK(offer(g, &o, NOW) == 0);
	CHECK(r.n == 0);
	CHECK(offer(g, &o, NOW) == KG_E_DENIED);
	CHECK(r.n == 1 && r.last == VIOLATION_RECEIPT_REPLAY);
	/* Still within its life, in the next generation of the set. */
	CHECK(offer(g, &o, NOW + RECEIPT_TTL_NS - 1) == KG_E_DENIED);
	CHECK(r.last == VIOLATION_RECEIPT_REPLAY);
	buf_free(&o.sealed);
	guard_free(g);
}

enum alteration {
	ALTER_NAME,
	ALTER_ARGS,
	ALTER_SESSION,
	ALTER_TXN,
	ALTER_METHOD,
	ALTER_SEQ,
	ALTER_EXPIRY,
	ALTER_MAC_FIRST,
	ALTER_MAC_LAST,
	ALTER_SEAL_FIRST,
	ALTER_SEAL_LAST,
	ALTER_SEAL_CUT,
	ALTER_SEAL_NONE,
};

/* After the daemons have issued, on the way through the broker. */
static void alter(struct offer *o, enum alteration a)
{
	switch (a) {
	case ALTER_NAME:
		o->name = "wipe_notes";
		break;
	case ALTER_ARGS:
		o->args = "{\"text\":\"b\"}";
		break;
	case ALTER_SESSION:
		o->session[0] ^= 1;
		break;
	case ALTER_TXN:
		o->txn[15] ^= 1;
		break;
	case ALTER_METHOD:
		o->method = SELF_CONNECT;
		break;
	case ALTER_SEQ:
		o->seq++;
		break;
	case ALTER_EXPIRY:
		o->receipt_expires--;
		break;
	case ALTER_MAC_FIRST:
		o->mac[0] ^= 0x80;
		break;
	case ALTER_MAC_LAST:
		o->mac[HASH_LEN - 1] ^= 1;
		break;
	case ALTER_SEAL_FIRST:
		o->sealed.data[0] ^= 1;
		break;
	case ALTER_SEAL_LAST:
		o->sealed.data[o->sealed.len - 1] ^= 1;
		break;
	case ALTER_SEAL_CUT:
		o->sealed.len--;
		break;
	case ALTER_SEAL_NONE:
		o->sealed.len = 0;
		break;
	}
}

static void every_alteration_is_refused_and_reported(void)
{
	for (enum alteration a = ALTER_NAME; a <= ALTER_SEAL_NONE; a++) {
		struct reports r;
		struct guard *g = guard_make(&r);
		struct offer o = right();

		issue(&o);
		alter(&o, a);
		CHECK(offer(g, &o, NOW) == KG_E_DENIED);
		CHECK(r.n == 1);
		CHECK(r.last == (a >= ALTER_SEAL_FIRST ? VIOLATION_SEAL : VIOLATION_RECEIPT_MAC));
		buf_free(&o.sealed);
		guard_free(g);
	}
}

static void what_is_for_another_upstream_is_refused(void)
{
	struct reports r;
	struct guard *g = guard_make(&r);
	struct offer o = right();

	/* The same key by mistake: the name in the digest still parts them. */
	o.upstream = "mail";
	issue(&o);
	CHECK(offer(g, &o, NOW) == KG_E_DENIED);
	CHECK(r.last == VIOLATION_RECEIPT_MAC);
	buf_free(&o.sealed);

	o = right();
	o.receipt_key = other_key;
	issue(&o);
	CHECK(offer(g, &o, NOW) == KG_E_DENIED);
	CHECK(r.last == VIOLATION_RECEIPT_MAC);
	buf_free(&o.sealed);

	o = right();
	o.seal_key = other_key;
	issue(&o);
	CHECK(offer(g, &o, NOW) == KG_E_DENIED);
	CHECK(r.last == VIOLATION_SEAL);
	buf_free(&o.sealed);

	o = right();
	o.destination = "https://evil.example:443";
	issue(&o);
	CHECK(offer(g, &o, NOW) == KG_E_DENIED);
	CHECK(r.last == VIOLATION_SEAL && r.n == 4);
	buf_free(&o.sealed);
	guard_free(g);
}

static void expiries_hold_to_the_nanosecond(void)
{
	static const struct {
		uint64_t receipt, seal, now;
		int err;
		uint8_t violation;
	} rows[] = {
		{NOW + 1, NOW + SEAL_TTL_NS, NOW, 0, 0},
		{NOW, NOW + SEAL_TTL_NS, NOW, KG_E_DENIED, VIOLATION_RECEIPT_EXPIRED},
		{NOW + RECEIPT_TTL_NS, NOW + SEAL_TTL_NS, NOW, 0, 0},
		{NOW + RECEIPT_TTL_NS + 1, NOW + SEAL_TTL_NS, NOW, KG_E_DENIED, VIOLATION_RECEIPT_EXPIRED},
		{NOW + RECEIPT_TTL_NS, NOW, NOW, KG_E_DENIED, VIOLATION_SEAL},
		{NOW + RECEIPT_TTL_NS, NOW + SEAL_TTL_NS + 1, NOW, KG_E_DENIED, VIOLATION_SEAL},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct reports r;
		struct guard *g = guard_make(&r);
		struct offer o = right();

		o.receipt_expires = rows[i].receipt;
		o.seal_expires = rows[i].seal;
		issue(&o);
		CHECK(offer(g, &o, rows[i].now) == rows[i].err);
		CHECK(r.n == (rows[i].err != 0) && r.last == rows[i].violation);
		buf_free(&o.sealed);
		guard_free(g);
	}
}

static void a_receipt_is_spent_even_when_the_seal_is_wrong(void)
{
	struct reports r;
	struct guard *g = guard_make(&r);
	struct offer o = right();

	issue(&o);
	o.sealed.data[o.sealed.len - 1] ^= 1;
	CHECK(offer(g, &o, NOW) == KG_E_DENIED && r.last == VIOLATION_SEAL);
	o.sealed.data[o.sealed.len - 1] ^= 1;
	CHECK(offer(g, &o, NOW) == KG_E_DENIED && r.last == VIOLATION_RECEIPT_REPLAY);
	buf_free(&o.sealed);
	guard_free(g);
}

static void nothing_passes_without_keys(void)
{
	struct reports r;
	struct guard *g = guard_new("notes", "https://notes.example:443");
	struct offer o = right();

	memset(&r, 0, sizeof(r));
	g->report = on_report;
	g->arg = &r;
	issue(&o);
	CHECK(offer(g, &o, NOW) == KG_E_UNAVAILABLE);
	guard_key_set(&g->receipt, receipt_key, NOW);
	CHECK(offer(g, &o, NOW) == KG_E_UNAVAILABLE);
	guard_key_set(&g->seal, seal_key, NOW);
	CHECK(offer(g, &o, NOW) == 0);
	CHECK(r.n == 0);
	buf_free(&o.sealed);
	guard_free(g);
}

/* A daemon restarts while a call is on its way: what it issued lives out its own life, and no longer. */
static void the_key_before_lives_one_ttl(void)
{
	struct reports r;
	struct guard *g = guard_make(&r);
	struct offer o = right();

	issue(&o);
	guard_key_drop(&g->receipt, NOW);
	guard_key_drop(&g->seal, NOW);
	CHECK(offer(g, &o, NOW + 1) == 0);
	buf_free(&o.sealed);

	o = right();
	issue(&o);
	guard_key_set(&g->receipt, other_key, NOW);
	guard_key_set(&g->seal, other_key, NOW);
	CHECK(offer(g, &o, NOW + 1) == 0);
	buf_free(&o.sealed);

	o = right();
	o.receipt_expires = o.seal_expires = NOW + RECEIPT_TTL_NS + 5;
	issue(&o);
	CHECK(offer(g, &o, NOW + RECEIPT_TTL_NS) == KG_E_DENIED);
	CHECK(r.n == 1 && r.last == VIOLATION_RECEIPT_MAC);
	CHECK(sodium_is_zero(g->receipt.before, HASH_LEN));
	buf_free(&o.sealed);
	guard_free(g);
}

static void many_calls_are_remembered(void)
{
	struct replay set;
	uint8_t digest[HASH_LEN] = {0};
	unsigned again = 0, fresh = 0;

	replay_init(&set);
	for (uint32_t i = 1; i <= 20000; i++) {
		memcpy(digest, &i, sizeof(i));
		fresh += replay_add(&set, digest, NOW) == 0;
	}
	for (uint32_t i = 1; i <= 20000; i++) {
		memcpy(digest, &i, sizeof(i));
		again += replay_add(&set, digest, NOW + RECEIPT_TTL_NS) == KG_E_EXISTS;
	}
	CHECK(fresh == 20000 && again == 20000);
	/* Two lives later they are forgotten: their receipts have expired long ago. */
	CHECK(replay_add(&set, digest, NOW + RECEIPT_TTL_NS * 3) == 0);
	CHECK(set.before.n == 0 && set.now.n == 1);
	memset(digest, 0, sizeof(digest));
	CHECK(replay_add(&set, digest, NOW) == KG_E_EXISTS);
	replay_free(&set);
}

int main(void)
{
	if (sodium_init() < 0)
		return 1;
	RUN(the_right_call_passes_once);
	RUN(every_alteration_is_refused_and_reported);
	RUN(what_is_for_another_upstream_is_refused);
	RUN(expiries_hold_to_the_nanosecond);
	RUN(a_receipt_is_spent_even_when_the_seal_is_wrong);
	RUN(nothing_passes_without_keys);
	RUN(the_key_before_lives_one_ttl);
	RUN(many_calls_are_remembered);
	return unit_end();
}
