#include "gatewayd/broker/tool_def.h"

#include <stdlib.h>
#include <string.h>

#include "common/json_canonical.h"

#define LEGACY (1u << ERA_LEGACY)
#define MODERN (1u << ERA_MODERN)

/* The token of the member name before this value, or JSON_NONE when the value is the first one's. */
static uint32_t name_before(const struct json_doc *doc, uint32_t value)
{
	uint32_t before = JSON_NONE;

	for (uint32_t n = json_first(doc, 0); n != JSON_NONE && n + 1 != value; n = json_after(doc, 0, n + 1))
		before = n;
	return before;
}

static void edit_add(struct tool_def *d, uint32_t start, uint32_t end, uint8_t eras)
{
	size_t i = d->nedits++;

	for (; i > 0 && d->edit[i - 1].start > start; i--)
		d->edit[i] = d->edit[i - 1];
	d->edit[i] = (struct tool_edit){start, end, eras};
}

/* Leaves a member out, together with the one comma that goes with it. */
static void edit_drop(struct tool_def *d, const struct json_doc *doc, uint32_t value, uint8_t eras)
{
	uint32_t next = json_after(doc, 0, value);
	uint32_t before = name_before(doc, value);

	if (next != JSON_NONE)
		edit_add(d, doc->tok[value - 1].start, doc->tok[next].start, eras);
	else if (before != JSON_NONE)
		edit_add(d, doc->tok[before + 1].end, doc->tok[value].end, eras);
}

/*
 * What a client of one era must not see. Tasks are not offered, so `execution` is out (digest of
 * the revisions, 5.4); legacy clients know only schemas of objects for structured results.
 */
static void find_edits(struct tool_def *d, const struct json_doc *doc)
{
	uint32_t name = json_get(doc, 0, "name");
	uint32_t execution = json_get(doc, 0, "execution");
	uint32_t output = json_get(doc, 0, "outputSchema");

	edit_add(d, doc->tok[name].start, doc->tok[name].end, 0);
	if (execution != JSON_NONE)
		edit_drop(d, doc, execution, MODERN);
	if (output != JSON_NONE && !json_is(doc, json_get(doc, output, "type"), "object"))
		edit_drop(d, doc, output, LEGACY);
}

static void find_schema(struct tool_schema *s, const struct json_doc *doc, const char *name)
{
	uint32_t t = json_get(doc, 0, name);

	if (t == JSON_NONE)
		return;
	s->at = doc->tok[t].start;
	s->len = doc->tok[t].end - doc->tok[t].start;
}

/* One definition has one hash, however its server spells it; vaultd computes the same. */
static int hash_canonical(struct tool_def *d, const struct json_doc *doc)
{
	struct buf text;
	int r;

	buf_init(&text, TOOL_DEF_MAX);
	r = json_put_canonical(&text, doc, 0);
	if (r == KG_OK)
		sha256(buf_ptr(&text), buf_len(&text), d->sha256);
	buf_free(&text);
	return r;
}

static const char *refusal(const struct json_doc *doc, const char *name)
{
	if (json_kind(doc, 0) != JK_OBJECT)
		return "it is not an object";
	if (!json_is(doc, json_get(doc, 0, "name"), name))
		return "its name is not the name that it was sent under";
	if (json_kind(doc, json_get(doc, 0, "inputSchema")) != JK_OBJECT)
		return "its inputSchema is not an object";
	return NULL;
}

int tool_def_read(struct tool_def *out, const void *text, size_t len, const char *name, struct json_doc *doc,
		  const char **why)
{
	struct tool_def d = {.len = len};
	struct json_error e;
	const char *bad;

	if (json_scan(doc, text, len, &e) != KG_OK) {
		*why = e.why;
		return KG_E_PROTO;
	}
	bad = refusal(doc, name);
	if (bad != NULL) {
		*why = bad;
		return KG_E_PROTO;
	}
	if (hash_canonical(&d, doc) != KG_OK) {
		*why = "its canonical form passes 256 KiB, or the gateway is out of memory";
		return KG_E_LIMIT;
	}
	d.text = malloc(len);
	if (d.text == NULL) {
		*why = "out of memory";
		return KG_E_NOMEM;
	}
	memcpy(d.text, text, len);
	find_edits(&d, doc);
	find_schema(&d.input, doc, "inputSchema");
	find_schema(&d.output, doc, "outputSchema");
	*out = d;
	return KG_OK;
}

void tool_def_free(struct tool_def *d)
{
	free(d->text);
	d->text = NULL;
}

int tool_def_put(struct buf *out, const struct tool_def *d, const char *name, enum mcp_era era)
{
	uint32_t at = 0;
	int r = KG_OK;

	for (size_t i = 0; i < d->nedits && r == KG_OK; i++) {
		const struct tool_edit *e = &d->edit[i];

		if (e->eras != 0 && (e->eras & 1u << era) == 0)
			continue;
		r = buf_put(out, d->text + at, e->start - at);
		if (r == KG_OK && e->eras == 0)
			r = json_put_string(out, name, strlen(name));
		at = e->end;
	}
	return r == KG_OK ? buf_put(out, d->text + at, d->len - at) : r;
}
