/* Names, digests and receipts of a call. */
#include "common/call.h"

#include <endian.h>
#include <string.h>

#include <sodium.h>

static const char digest_label[] = "keepgate call digest v1";
static const char receipt_label[] = "keepgate receipt v1";

static const struct {
	uint8_t value;
	const char *name;
} methods[] = {
	{MCP_INITIALIZE, "initialize"},
	{MCP_INITIALIZED, "notifications/initialized"},
	{MCP_PING, "ping"},
	{MCP_DISCOVER, "server/discover"},
	{MCP_TOOLS_LIST, "tools/list"},
	{MCP_TOOLS_CALL, "tools/call"},
	{MCP_CANCELLED, "notifications/cancelled"},
	{MCP_SESSION_DELETE, "session/delete"},
	{MCP_OTHER_NOTE, "notification"},
	{SELF_CONNECT, "upstream/connect"},
	{SELF_SPAWN, "upstream/spawn"},
};

const char *mcp_method_name(uint8_t method)
{
	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++)
		if (methods[i].value == method)
			return methods[i].name;
	return "?";
}

static const char *const tiers[] = {"none", "read", "write", "destructive"};
static const char *const states[] = {"?", "active", "paused", "revoked", "revoked"};
static const char *const pin_states[] = {"?", "accepted", "pending", "changed", "held", "gone"};
static const char *const approval_states[] = {"?", "pending", "approved", "denied", "used", "expired"};
static const char *const outcomes[] = {"?", "ok", "tool-error", "rpc-error", "cancelled", "timeout", "unsent", "lost"};
static const char *const page_actions[] = {"?", "trigger", "acknowledge", "resolve", "test", "heartbeat"};
static const char *const violations[] = {"?",    "receipt-mac",    "receipt-replay", "receipt-expired",
					 "seal", "credential-echo"};
static const char *const kinds[] = {"?", "bearer", "basic", "header", "query", "env"};

#define NAMED_OR(list, value, other) ((value) < sizeof(list) / sizeof((list)[0]) ? (list)[value] : (other))

const char *tier_name(uint8_t tier)
{
	return NAMED_OR(tiers, tier, "?");
}

/* Finds text in a list of names whose first entry stands for "none of them". */
static int name_parse(const char *const *list, size_t n, const char *text, uint8_t *out)
{
	for (size_t i = 1; i < n; i++) {
		if (strcmp(list[i], text) == 0) {
			*out = (uint8_t)i;
			return KG_OK;
		}
	}
	return KG_E_INVALID;
}

int tier_parse(const char *text, uint8_t *out)
{
	return name_parse(tiers, sizeof(tiers) / sizeof(tiers[0]), text, out);
}

const char *pin_state_name(uint8_t state)
{
	return NAMED_OR(pin_states, state, "?");
}

const char *approval_state_name(uint8_t state)
{
	return NAMED_OR(approval_states, state, "?");
}

const char *page_action_name(uint8_t action)
{
	return NAMED_OR(page_actions, action, "?");
}

const char *session_state_name(uint8_t state)
{
	return NAMED_OR(states, state, "?");
}

const char *outcome_name(uint8_t outcome)
{
	return NAMED_OR(outcomes, outcome, "?");
}

const char *violation_name(uint8_t what)
{
	return NAMED_OR(violations, what, "?");
}

const char *credential_kind_name(uint8_t kind)
{
	return NAMED_OR(kinds, kind, "?");
}

int credential_kind_parse(const char *text, uint8_t *out)
{
	return name_parse(kinds, sizeof(kinds) / sizeof(kinds[0]), text, out);
}

void sha256(const void *p, size_t n, uint8_t out[HASH_LEN])
{
	crypto_hash_sha256(out, p, n);
}

static void hash_u64(crypto_generichash_state *st, uint64_t v)
{
	v = htobe64(v);
	crypto_generichash_update(st, (const uint8_t *)&v, sizeof(v));
}

/* A field with its length before it: no two different calls hash the same bytes. */
static void hash_field(crypto_generichash_state *st, const void *p, size_t n)
{
	hash_u64(st, n);
	crypto_generichash_update(st, p, n);
}

void call_digest(const struct call_id *id, uint8_t out[HASH_LEN])
{
	crypto_generichash_state st;

	crypto_generichash_init(&st, NULL, 0, HASH_LEN);
	hash_field(&st, digest_label, sizeof(digest_label) - 1);
	hash_field(&st, id->session, ID_LEN);
	hash_field(&st, id->upstream, strlen(id->upstream));
	hash_u64(&st, id->method);
	hash_field(&st, id->name.p, id->name.n);
	hash_field(&st, id->txn, ID_LEN);
	hash_field(&st, id->args_sha256, HASH_LEN);
	hash_field(&st, id->meta_sha256, HASH_LEN);
	crypto_generichash_final(&st, out, HASH_LEN);
}

void receipt_mac(const uint8_t key[HASH_LEN], const char *upstream, const uint8_t digest[HASH_LEN], uint64_t seq,
		 uint64_t expires_ns, uint8_t mac[HASH_LEN])
{
	crypto_generichash_state st;

	crypto_generichash_init(&st, key, HASH_LEN, HASH_LEN);
	hash_field(&st, receipt_label, sizeof(receipt_label) - 1);
	hash_field(&st, upstream, strlen(upstream));
	hash_field(&st, digest, HASH_LEN);
	hash_u64(&st, seq);
	hash_u64(&st, expires_ns);
	crypto_generichash_final(&st, mac, HASH_LEN);
	sodium_memzero(&st, sizeof(st));
}

int receipt_check(const uint8_t key[HASH_LEN], const char *upstream, const uint8_t digest[HASH_LEN], uint64_t seq,
		  uint64_t expires_ns, const uint8_t mac[HASH_LEN], uint64_t now_ns)
{
	uint8_t want[HASH_LEN];

	receipt_mac(key, upstream, digest, seq, expires_ns, want);
	if (sodium_memcmp(want, mac, HASH_LEN) != 0)
		return KG_E_CRYPTO;
	if (now_ns >= expires_ns || expires_ns - now_ns > RECEIPT_TTL_NS)
		return KG_E_EXPIRED;
	return KG_OK;
}
