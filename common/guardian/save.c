/* The state as bytes: what this machine wrote, it reads again; anything else starts anew. */
#include <string.h>

#include "common/guardian/engine.h"

static const char magic[8] = "KGGUARD1";

struct head {
	char magic[8];
	uint32_t key_size, reserved;
	uint8_t hash_key[16];
	uint64_t nkeys, nsignals;
};

int guard_engine_save(const struct guard_engine *e, struct buf *out)
{
	struct head h = {.key_size = sizeof(struct key_state), .nkeys = e->live};
	int r;

	memcpy(h.magic, magic, sizeof(h.magic));
	memcpy(h.hash_key, e->hash_key, sizeof(h.hash_key));
	for (size_t i = 0; i < SIGNALS; i++)
		h.nsignals += e->signals[i].hash != 0;
	r = buf_put(out, &h, sizeof(h));
	for (size_t i = 0; i < e->nsets * WAYS && r == KG_OK; i++) {
		if (e->keys[i].hash == 0)
			continue;
		r = buf_put(out, &e->rules->rule[e->keys[i].rule].hash, sizeof(uint64_t));
		if (r == KG_OK)
			r = buf_put(out, &e->keys[i], sizeof(e->keys[i]));
	}
	for (size_t i = 0; i < SIGNALS && r == KG_OK; i++)
		if (e->signals[i].hash != 0)
			r = buf_put(out, &e->signals[i], sizeof(e->signals[i]));
	return r;
}

bool engine_rule_of(const struct guard_rules *rules, uint64_t hash, uint32_t *number)
{
	for (uint32_t i = 0; i < rules->n; i++) {
		if (rules->rule[i].hash == hash) {
			*number = i;
			return true;
		}
	}
	return false;
}

/* The state of a rule that is not there any more, or not the same, is left behind. */
void engine_load_key(struct guard_engine *e, const uint8_t *at)
{
	struct key_state k, *place;
	uint64_t rule_hash;

	memcpy(&rule_hash, at, sizeof(rule_hash));
	memcpy(&k, at + sizeof(rule_hash), sizeof(k));
	if (k.hash == 0 || !engine_rule_of(e->rules, rule_hash, &k.rule) || k.nevidence > 2 * GUARD_EVIDENCE_MAX)
		return;
	if (e->rules->rule[k.rule].kind == DETECT_FLOW && k.u.flow.nseen > 2 * FLOW_SEEN)
		return;
	place = engine_key(e, k.hash, k.rule);
	*place = k;
}

int guard_engine_load(struct guard_engine *e, const void *bytes, size_t len)
{
	const uint8_t *at = bytes;
	size_t row = sizeof(uint64_t) + sizeof(struct key_state);
	struct head h;

	if (len < sizeof(h))
		return KG_E_PROTO;
	memcpy(&h, bytes, sizeof(h));
	len -= sizeof(h);
	at += sizeof(h);
	if (memcmp(h.magic, magic, sizeof(h.magic)) != 0 || h.key_size != sizeof(struct key_state) ||
	    h.nkeys > len / row || h.nsignals > SIGNALS || len != h.nkeys * row + h.nsignals * sizeof(struct signal))
		return KG_E_PROTO;
	memcpy(e->hash_key, h.hash_key, sizeof(e->hash_key));
	for (uint64_t i = 0; i < h.nkeys; i++, at += row)
		engine_load_key(e, at);
	for (uint64_t i = 0; i < h.nsignals; i++, at += sizeof(struct signal)) {
		struct signal s;

		memcpy(&s, at, sizeof(s));
		e->signals[s.hash % SIGNALS] = s;
	}
	return KG_OK;
}
