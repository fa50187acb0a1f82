/* An event from a leaf of the audit log, for history; the recorder makes the same from what it has in hand. */
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "common/guardian/guardian.h"
#include "common/json.h"

#define LEAF_TEXT_MAX 65536u

static const struct {
	enum guard_field field;
	const char *object, *name;
} members[] = {
	{GUARD_KIND, NULL, "kind"},         {GUARD_EVENT, NULL, "event"},
	{GUARD_PHASE, NULL, "phase"},       {GUARD_METHOD, NULL, "method"},
	{GUARD_DECISION, NULL, "decision"}, {GUARD_OUTCOME, NULL, "outcome"},
	{GUARD_TIER, "tool", "tier"},       {GUARD_REASON, NULL, "reason_code"},
	{GUARD_AGENT, "actor", "agent"},    {GUARD_HUMAN, "actor", "human"},
	{GUARD_SESSION, NULL, "session"},   {GUARD_CONSENT, NULL, "consent"},
	{GUARD_SERVER, "tool", "server"},   {GUARD_CLIENT, "actor", "client"},
	{GUARD_SOURCE, NULL, "src"},        {GUARD_ARGUMENTS, NULL, "args_sha256"},
};

/* Unescapes into the store, which was made large enough for all texts of a leaf. */
static struct guard_text text_of(const struct json_doc *d, uint32_t t, struct buf *store)
{
	uint8_t *room;

	if (json_kind(d, t) != JK_STRING || buf_reserve(store, GUARD_SUBJECT_MAX * 4 + 1, &room) != KG_OK ||
	    json_unescape(d, t, (char *)room, GUARD_SUBJECT_MAX * 4 + 1) != KG_OK)
		return (struct guard_text){NULL, 0};
	buf_commit(store, strlen((char *)room) + 1);
	return (struct guard_text){(const char *)room, (uint32_t)strlen((char *)room)};
}

static uint64_t number_of(const struct json_doc *d, const char *name)
{
	int64_t v;

	return json_int(d, json_get(d, 0, name), &v) == KG_OK && v > 0 ? (uint64_t)v : 0;
}

/* "server/name", as rules and consents say it. */
static struct guard_text tool_of(struct guard_text server, struct guard_text name, struct buf *store)
{
	size_t at = buf_len(store);

	if (server.n == 0 || name.n == 0 || buf_printf(store, "%s/%s", server.p, name.p) != KG_OK ||
	    buf_put(store, "", 1) != KG_OK)
		return (struct guard_text){NULL, 0};
	return (struct guard_text){(const char *)buf_ptr(store) + at, server.n + 1 + name.n};
}

/* An address without its port. */
static void cut_port(struct guard_text *t)
{
	for (uint32_t n = t->n; n > 0; n--) {
		if (t->p[n - 1] == ':') {
			t->n = n - 1;
			return;
		}
	}
}

/* What the broker found: {"canary": "NAME", "destinations": [...], and a number for each score} under "marks". */
static void read_marks(const struct json_doc *d, uint32_t marks, struct buf *store, struct guard_event *out)
{
	uint32_t list = json_get(d, marks, "destinations");
	int64_t v;

	out->field[GUARD_CANARY] = text_of(d, json_get(d, marks, "canary"), store);
	for (size_t i = 0; i < GUARD_SCORES; i++)
		if (json_int(d, json_get(d, marks, guard_score_name((enum guard_score)i)), &v) == KG_OK && v > 0)
			out->score[i] = v > UINT32_MAX ? UINT32_MAX : (uint32_t)v;
	for (uint32_t t = json_first(d, list);
	     json_kind(d, list) == JK_ARRAY && t != JSON_NONE && out->nmarks < GUARD_MARKS_MAX;
	     t = json_after(d, list, t))
		out->mark[out->nmarks++] = text_of(d, t, store);
}

/* Whom and what an act of an administrator, or of the broker, was about. */
static void read_members(const struct json_doc *d, uint32_t object, struct buf *store, struct guard_event *out)
{
	static const struct {
		enum guard_field field;
		const char *name;
	} texts[] = {{GUARD_SESSION, "session"},
		     {GUARD_CONSENT, "consent"},
		     {GUARD_HUMAN, "human"},
		     {GUARD_AGENT, "agent"},
		     {GUARD_SERVER, "server"}};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (out->field[texts[i].field].n == 0)
			out->field[texts[i].field] = text_of(d, json_get(d, object, texts[i].name), store);
	if (out->field[GUARD_TOOL].n == 0)
		out->field[GUARD_TOOL] =
			tool_of(out->field[GUARD_SERVER], text_of(d, json_get(d, object, "tool"), store), store);
}

typedef void (*read_fn)(const struct json_doc *d, uint32_t object, struct buf *store, struct guard_event *out);

static int complete(const char *json, size_t len, struct buf *store, struct guard_event *out, read_fn read)
{
	struct json_doc d;
	uint8_t *room;
	int r;

	json_init(&d);
	r = buf_len(store) == 0 ? buf_reserve(store, GUARD_STORE_MAX, &room) : KG_OK;
	if (r == KG_OK && (len > LEAF_TEXT_MAX || json_scan(&d, json, len, NULL) != KG_OK))
		r = KG_E_PROTO;
	if (r == KG_OK && json_kind(&d, 0) == JK_OBJECT)
		read(&d, 0, store, out);
	json_free(&d);
	return r;
}

int guard_event_marks(const char *json, size_t len, struct buf *store, struct guard_event *out)
{
	return complete(json, len, store, out, read_marks);
}

int guard_event_members(const char *json, size_t len, struct buf *store, struct guard_event *out)
{
	return complete(json, len, store, out, read_members);
}

static bool is_text(struct guard_text t, const char *word)
{
	return t.n == strlen(word) && memcmp(t.p, word, t.n) == 0;
}

int guard_event_from_leaf(const char *leaf, size_t len, struct buf *store, struct guard_event *out)
{
	struct json_doc d;
	struct guard_text txn, server, name;
	uint32_t tool;
	uint8_t *room;
	size_t n;

	*out = (struct guard_event){0};
	json_init(&d);
	buf_reset(store);
	/* Once, so that no text moves: every text of the leaf, its end, and the tool's name again. */
	if (len > LEAF_TEXT_MAX || buf_reserve(store, GUARD_STORE_MAX, &room) != KG_OK ||
	    json_scan(&d, leaf, len, NULL) != KG_OK || json_kind(&d, 0) != JK_OBJECT) {
		json_free(&d);
		return KG_E_PROTO;
	}
	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++)
		out->field[members[i].field] =
			text_of(&d,
				json_get(&d, members[i].object == NULL ? 0 : json_get(&d, 0, members[i].object),
					 members[i].name),
				store);
	tool = json_get(&d, 0, "tool");
	server = out->field[GUARD_SERVER];
	name = text_of(&d, json_get(&d, tool, "name"), store);
	out->field[GUARD_TOOL] = tool_of(server, name, store);
	cut_port(&out->field[GUARD_SOURCE]);
	out->seq = number_of(&d, "seq");
	out->ts_us = number_of(&d, "ts");
	out->bytes_in = number_of(&d, "bytes_in");
	out->bytes_out = number_of(&d, "bytes_out");
	if (json_kind(&d, json_get(&d, 0, "marks")) == JK_OBJECT)
		read_marks(&d, json_get(&d, 0, "marks"), store, out);
	if (is_text(out->field[GUARD_KIND], "admin") || is_text(out->field[GUARD_KIND], "policy"))
		read_members(&d, json_get(&d, 0, "members"), store, out);
	txn = text_of(&d, json_get(&d, 0, "txn"), store);
	if (txn.n == 32 && buf_reserve(store, 16, &room) == KG_OK &&
	    sodium_hex2bin(room, 16, txn.p, txn.n, NULL, &n, NULL) == 0 && n == 16) {
		buf_commit(store, 16);
		out->txn = room;
	}
	json_free(&d);
	return KG_OK;
}
