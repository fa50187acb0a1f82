#include "gatewayd/upstream/guard.h"

#include <string.h>

#include <sodium.h>

#include "common/log.h"

struct guard *guard_new(const char *upstream, const char *destination)
{
	struct guard *g = sodium_malloc(sizeof(*g));

	if (!g || sodium_mlock(g, sizeof(*g)) != 0)
		log_fatal(KG_EXIT_FAILURE,
			  "keys: memory cannot be locked: raise the limit of locked memory (ulimit -l)");
	memset(g, 0, sizeof(*g));
	g->upstream = upstream;
	g->destination = destination;
	replay_init(&g->seen);
	g->echo = echo_new();
	return g;
}

void guard_free(struct guard *g)
{
	replay_free(&g->seen);
	echo_free(g->echo);
	sodium_free(g);
}

void guard_key_drop(struct guard_key *k, uint64_t now_ns)
{
	if (!k->has_now)
		return;
	memcpy(k->before, k->now, HASH_LEN);
	sodium_memzero(k->now, HASH_LEN);
	k->has_now = false;
	k->has_before = true;
	k->before_until_ns = now_ns + (RECEIPT_TTL_NS > SEAL_TTL_NS ? RECEIPT_TTL_NS : SEAL_TTL_NS);
}

void guard_key_set(struct guard_key *k, const uint8_t key[HASH_LEN], uint64_t now_ns)
{
	guard_key_drop(k, now_ns);
	memcpy(k->now, key, HASH_LEN);
	k->has_now = true;
}

static bool key_before(struct guard_key *k, uint64_t now_ns)
{
	if (k->has_before && now_ns >= k->before_until_ns) {
		sodium_memzero(k->before, HASH_LEN);
		k->has_before = false;
	}
	return k->has_before;
}

static int check_receipt(struct guard *g, const struct guard_claim *c, const uint8_t digest[HASH_LEN], uint64_t now_ns)
{
	int err = KG_E_CRYPTO;

	if (g->receipt.has_now)
		err = receipt_check(g->receipt.now, g->upstream, digest, c->seq, c->expires_ns, c->mac, now_ns);
	if (err == KG_E_CRYPTO && key_before(&g->receipt, now_ns))
		err = receipt_check(g->receipt.before, g->upstream, digest, c->seq, c->expires_ns, c->mac, now_ns);
	return err;
}

static int open_seal(struct guard *g, const struct guard_claim *c, const uint8_t digest[HASH_LEN], uint64_t now_ns,
		     struct credential_set **creds)
{
	int err = KG_E_CRYPTO;

	if (g->seal.has_now)
		err = credentials_open(g->seal.now, digest, g->destination, now_ns, c->sealed, c->sealed_len, creds);
	if (err == KG_E_CRYPTO && key_before(&g->seal, now_ns))
		err = credentials_open(g->seal.before, digest, g->destination, now_ns, c->sealed, c->sealed_len, creds);
	return err;
}

static int refuse(struct guard *g, uint8_t violation, const struct call_id *id, const uint8_t digest[HASH_LEN])
{
	if (g->report)
		g->report(g->arg, violation, id, digest);
	return KG_E_DENIED;
}

int guard_check(struct guard *g, const struct guard_claim *c, uint64_t now_ns, struct credential_set **creds)
{
	struct call_id id = c->id;
	uint8_t digest[HASH_LEN];
	int err;

	if ((!g->receipt.has_now && !key_before(&g->receipt, now_ns)) ||
	    (!g->seal.has_now && !key_before(&g->seal, now_ns)))
		return KG_E_UNAVAILABLE;
	id.upstream = g->upstream;
	call_digest(&id, digest);
	err = check_receipt(g, c, digest, now_ns);
	if (err != 0)
		return refuse(g, err == KG_E_EXPIRED ? VIOLATION_RECEIPT_EXPIRED : VIOLATION_RECEIPT_MAC, &id, digest);
	/* The receipt is spent now, whatever comes after. */
	err = replay_add(&g->seen, digest, now_ns);
	if (err == KG_E_EXISTS)
		return refuse(g, VIOLATION_RECEIPT_REPLAY, &id, digest);
	if (err != 0)
		return err;
	if (open_seal(g, c, digest, now_ns, creds) != 0)
		return refuse(g, VIOLATION_SEAL, &id, digest);
	echo_learn(g->echo, *creds);
	return 0;
}
