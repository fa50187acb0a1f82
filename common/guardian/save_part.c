/* The state in parts: each stands for itself, with the number of the last event in it. */
#include <string.h>

#include "common/guardian/engine.h"

static const char magic[8] = "KGPARTS1";

struct head {
	char magic[8];
	uint32_t row_size, part;
	uint64_t nsets;
	uint8_t hash_key[16];
};

size_t engine_key_parts(const struct guard_engine *e)
{
	return (e->nsets + PART_SETS - 1) / PART_SETS;
}

size_t engine_part_of(const struct guard_engine *e, uint64_t hash)
{
	return hash % e->nsets / PART_SETS;
}

size_t guard_engine_parts(const struct guard_engine *e)
{
	return engine_key_parts(e) + SIGNALS / PART_SIGNALS;
}

bool guard_engine_part_changed(const struct guard_engine *e, size_t part)
{
	return e->part[part].changed;
}

static bool is_keys(const struct guard_engine *e, size_t part)
{
	return part < engine_key_parts(e);
}

static struct head head_of(const struct guard_engine *e, size_t part)
{
	struct head h = {.part = (uint32_t)part, .nsets = e->nsets};

	memcpy(h.magic, magic, sizeof(h.magic));
	h.row_size = is_keys(e, part) ? sizeof(uint64_t) + sizeof(struct key_state) : sizeof(struct signal);
	memcpy(h.hash_key, e->hash_key, sizeof(h.hash_key));
	return h;
}

static int save_keys(const struct guard_engine *e, size_t part, struct buf *out)
{
	size_t end = (part + 1) * PART_SETS < e->nsets ? (part + 1) * PART_SETS : e->nsets;
	int r = KG_OK;

	for (size_t i = part * PART_SETS * WAYS; i < end * WAYS && r == KG_OK; i++) {
		if (e->keys[i].hash == 0)
			continue;
		r = buf_put(out, &e->rules->rule[e->keys[i].rule].hash, sizeof(uint64_t));
		if (r == KG_OK)
			r = buf_put(out, &e->keys[i], sizeof(e->keys[i]));
	}
	return r;
}

static int save_signals(const struct guard_engine *e, size_t first, struct buf *out)
{
	int r = KG_OK;

	for (size_t i = first; i < first + PART_SIGNALS && r == KG_OK; i++)
		if (e->signals[i].hash != 0)
			r = buf_put(out, &e->signals[i], sizeof(e->signals[i]));
	return r;
}

int guard_engine_part_save(struct guard_engine *e, size_t part, struct buf *out)
{
	struct head h = head_of(e, part);
	int r = buf_put(out, &h, sizeof(h));

	if (r == KG_OK && is_keys(e, part))
		r = save_keys(e, part, out);
	else if (r == KG_OK)
		r = save_signals(e, (part - engine_key_parts(e)) * PART_SIGNALS, out);
	if (r == KG_OK)
		e->part[part].changed = false;
	return r;
}

/* All parts were hashed under one key, which comes with the first. */
static bool head_fits(struct guard_engine *e, size_t part, const struct head *h)
{
	struct head want;

	if (e->live == 0)
		memcpy(e->hash_key, h->hash_key, sizeof(e->hash_key));
	want = head_of(e, part);
	return memcmp(&want, h, sizeof(want)) == 0;
}

int guard_engine_part_load(struct guard_engine *e, size_t part, const void *bytes, size_t len, uint64_t seq)
{
	const uint8_t *at = bytes;
	struct head h;

	if (part >= guard_engine_parts(e))
		return KG_E_PROTO;
	e->part[part] = (struct engine_part){.from = seq + 1};
	if (len == 0)
		return KG_OK;
	if (len < sizeof(h))
		return KG_E_PROTO;
	memcpy(&h, at, sizeof(h));
	at += sizeof(h);
	len -= sizeof(h);
	if (!head_fits(e, part, &h) || len % h.row_size != 0)
		return KG_E_PROTO;
	for (; len != 0; at += h.row_size, len -= h.row_size) {
		struct signal s;

		if (is_keys(e, part)) {
			engine_load_key(e, at);
			continue;
		}
		memcpy(&s, at, sizeof(s));
		e->signals[s.hash % SIGNALS] = s;
	}
	return KG_OK;
}
