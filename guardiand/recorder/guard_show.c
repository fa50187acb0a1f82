#include "guardiand/recorder/guard_show.h"

#include <string.h>

#include <sodium.h>

#include "common/json_text.h"
#include "guardiand/recorder/respond.h"
#include "guardiand/recorder/risk.h"

#define MARK_LEVEL 12 /* STORE_MARK_EVERY is 2^12 leaves */
#define KNOWN 64      /* nodes of this level and above, which neighbours share */

struct proof {
	struct store *store;
	uint64_t size; /* of the tree that is proved against: the last signed one */
	struct {
		unsigned level;
		uint64_t index;
		uint8_t hash[MERKLE_LEN];
	} known[KNOWN];
	uint8_t hash[1u << MARK_LEVEL][MERKLE_LEN];
};

/* A subtree from its leaves. */
static int from_leaves(struct proof *p, uint64_t first, size_t n, uint8_t out[MERKLE_LEN])
{
	struct merkle part = {0};
	int r = store_hashes(p->store, first, n, p->hash);

	for (size_t i = 0; r == KG_OK && i < n; i++)
		merkle_append(&part, p->hash[i]);
	if (r == KG_OK)
		merkle_root(&part, out);
	return r;
}

/* A left subtree is the last of the right edge that was stored when the tree ended with it (store_mark()). */
static int from_mark(struct proof *p, uint64_t end, uint8_t out[MERKLE_LEN])
{
	struct merkle tree;
	int r = store_tree_at(p->store, end, &tree);

	if (r == KG_OK)
		memcpy(out, tree.edge[__builtin_popcountll(end) - 1], MERKLE_LEN);
	return r;
}

/* A node over two: the root of a tree that has them as its leaves (RFC 6962, section 2.1). */
static int from_halves(const uint8_t left[MERKLE_LEN], const uint8_t right[MERKLE_LEN], uint8_t out[MERKLE_LEN])
{
	struct merkle two = {0};

	merkle_append(&two, left);
	merkle_append(&two, right);
	merkle_root(&two, out);
	return KG_OK;
}

static int node(void *arg, unsigned level, uint64_t index, uint8_t out[MERKLE_LEN])
{
	struct proof *p = arg;
	size_t place = (size_t)((index * 31 + level) % KNOWN);
	uint8_t left[MERKLE_LEN], right[MERKLE_LEN];
	int r;

	if (level != 0 && p->known[place].level == level && p->known[place].index == index) {
		memcpy(out, p->known[place].hash, MERKLE_LEN);
		return KG_OK;
	}
	if (level <= MARK_LEVEL) {
		r = from_leaves(p, index << level, (size_t)1 << level, out);
	} else if (index % 2 == 0) {
		r = from_mark(p, (index + 1) << level, out);
	} else {
		r = node(arg, level - 1, 2 * index, left);
		if (r == KG_OK)
			r = node(arg, level - 1, 2 * index + 1, right);
		if (r == KG_OK)
			r = from_halves(left, right, out);
	}
	if (r == KG_OK) {
		p->known[place].level = level;
		p->known[place].index = index;
		memcpy(p->known[place].hash, out, MERKLE_LEN);
	}
	return r;
}

static json_t *hash_json(const uint8_t hash[MERKLE_LEN])
{
	char text[2 * MERKLE_LEN + 1];

	return json_string(sodium_bin2hex(text, sizeof(text), hash, MERKLE_LEN));
}

/* {"index", "size", "hashes"}; NULL for a leaf that is not signed yet. */
static json_t *proof_json(struct proof *p, uint64_t seq)
{
	uint8_t hash[MERKLE_PROOF_MAX][MERKLE_LEN];
	json_t *list;
	size_t n;

	if (seq > p->size || merkle_inclusion_proof(seq - 1, p->size, node, p, hash, &n) != KG_OK)
		return NULL;
	list = json_array();
	for (size_t i = 0; i < n; i++)
		json_array_append_new(list, hash_json(hash[i]));
	return json_pack("{s:I, s:I, s:o}", "index", (json_int_t)seq - 1, "size", (json_int_t)p->size, "hashes", list);
}

static int leaf_json(const struct store_leaf *leaf, void *arg)
{
	json_t *row = arg;

	json_object_set_new(row, "hash", hash_json(leaf->hash));
	if (utf8_valid(leaf->leaf, leaf->len))
		json_object_set_new(row, "leaf", json_stringn(leaf->leaf, leaf->len));
	return KG_OK;
}

static json_t *events_json(struct guard *g, int64_t id, const struct store_checkpoint *head)
{
	static struct proof p;
	uint64_t seq[SHOW_EVENTS_MAX];
	size_t n = incident_events(g->incidents, id, seq, SHOW_EVENTS_MAX);
	json_t *list = json_array(), *proof;

	memset(p.known, 0, sizeof(p.known));
	p.store = g->store;
	p.size = head->size;
	for (size_t i = 0; i < n; i++) {
		json_t *row = json_pack("{s:I}", "seq", (json_int_t)seq[i]);

		if (store_leaf(g->store, seq[i], leaf_json, row) != KG_OK) {
			json_decref(row);
			continue;
		}
		proof = proof_json(&p, seq[i]);
		if (proof != NULL)
			json_object_set_new(row, "proof", proof);
		json_array_append_new(list, row);
	}
	return list;
}

/* What people have noted, of the timeline. */
static json_t *notes_json(const json_t *timeline)
{
	json_t *list = json_array(), *line;
	size_t i;

	json_array_foreach(timeline, i, line)
	{
		const char *what = json_string_value(json_object_get(line, "what"));

		if (strncmp(what, "note: ", 6) == 0)
			json_array_append_new(list, json_pack("{s:O, s:O, s:s}", "ts", json_object_get(line, "ts"),
							      "by", json_object_get(line, "by"), "text", what + 6));
	}
	return list;
}

json_t *incident_show(struct guard *g, int64_t id)
{
	struct store_checkpoint head = {0};
	char name[INCIDENT_ID_MAX + 1];
	json_t *all = incident_json(g->incidents, id);

	if (all == NULL)
		return NULL;
	if (store_checkpoint_last(g->store, &head) != KG_OK)
		head.size = 0;
	json_object_set_new(all, "timeline", incident_timeline(g->incidents, id));
	json_object_set_new(all, "notes", notes_json(json_object_get(all, "timeline")));
	json_object_set_new(all, "events", events_json(g, id, &head));
	json_object_set_new(all, "responses", respond_list(g->responses, id));
	json_object_set_new(all, "risk", risk_of_incident(g, all));
	json_object_set_new(all, "pages", outbox_pages(g->outbox, incident_name(id, name)));
	/* What the proofs lead to, and vaultd's signature under it. */
	if (head.size != 0)
		json_object_set_new(all, "signed",
				    json_pack("{s:I, s:o, s:s}", "size", (json_int_t)head.size, "root",
					      hash_json(head.root), "note", head.note));
	return all;
}
