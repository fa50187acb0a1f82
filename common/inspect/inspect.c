#include "common/inspect/inspect.h"

#include <stdlib.h>
#include <string.h>

#include "common/inspect/canary.h"
#include "common/inspect/decode.h"
#include "common/inspect/destinations.h"
#include "common/inspect/instructions.h"
#include "common/inspect/personal.h"
#include "common/inspect/secrets.h"
#include "common/json_text.h"

#define ENCODED_BONUS 20u /* instructions that somebody took the trouble to encode */
#define SCORE_MAX 100u

struct inspector {
	struct phrases *phrases;
	struct ac secrets;
	struct canaries canaries;
	struct buf text; /* of the document in hand, then of its layers */
	struct buf layer[INSPECT_LAYERS];
};

struct inspector *inspector_new(const struct inspect_canary *canaries, size_t n)
{
	struct inspector *i = calloc(1, sizeof(*i));

	if (!i)
		return NULL;
	buf_init(&i->text, INSPECT_TEXT_MAX);
	for (size_t k = 0; k < INSPECT_LAYERS; k++)
		buf_init(&i->layer[k], INSPECT_DECODED_MAX);
	i->phrases = phrases_new();
	if (!i->phrases || secrets_build(&i->secrets) != KG_OK || canaries_build(&i->canaries, canaries, n) != KG_OK) {
		inspector_free(i);
		return NULL;
	}
	return i;
}

void inspector_free(struct inspector *i)
{
	if (!i)
		return;
	phrases_free(i->phrases);
	ac_free(&i->secrets);
	canaries_free(&i->canaries);
	buf_free(&i->text);
	for (size_t k = 0; k < INSPECT_LAYERS; k++)
		buf_free(&i->layer[k]);
	free(i);
}

/* Appends what fits. */
static void put(struct buf *out, const void *p, size_t n)
{
	size_t room = out->max - buf_len(out);
	int err = buf_put(out, p, n < room ? n : room);

	(void)err; /* without memory less is looked at */
}

/* The characters of a string between its quotes, escapes undone. */
static void put_string(struct buf *out, const char *p, size_t n)
{
	const char *end = p + n;

	while (p < end) {
		const char *slash = memchr(p, '\\', (size_t)(end - p));
		uint8_t c[4];
		size_t len, used;

		put(out, p, (size_t)((slash ? slash : end) - p));
		if (!slash)
			return;
		used = json_escape_read((const uint8_t *)slash, (size_t)(end - slash), c, &len);
		put(out, c, used > 0 ? len : 0);
		p = slash + (used > 0 ? used : 1);
	}
}

/* Names are followed by a colon, values never. */
static bool is_name(const struct json_doc *d, const char *end)
{
	const char *stop = d->text + d->len;

	while (end < stop && strchr(" \t\r\n", *end) != NULL)
		end++;
	return end < stop && *end == ':';
}

/* All of a document as one text: what was cut into several strings is whole again. Names stand before their values. */
static void put_document(struct buf *out, const struct json_doc *d)
{
	for (uint32_t t = 0; t < d->ntok && buf_len(out) < out->max; t++) {
		size_t n;
		const char *raw = json_raw(d, t, &n);
		enum json_kind kind = json_kind(d, t);
		bool name = kind == JK_STRING && is_name(d, raw + n);

		if (kind == JK_STRING)
			put_string(out, raw + 1, n - 2);
		else if (kind == JK_NUMBER)
			put(out, raw, n);
		else
			continue;
		put(out, name ? ": " : "\n", name ? 2 : 1);
	}
}

static uint32_t largest(uint32_t a, uint32_t b)
{
	return a > b ? a : b;
}

static void look(struct inspector *i, const uint8_t *p, size_t n, struct marks *out, unsigned depth);

/* What is written in other ways: read, and looked at in the same way. */
static void look_deeper(struct inspector *i, const uint8_t *p, size_t n, const struct instructions_found *found,
			struct marks *out, unsigned depth)
{
	struct buf *layer = &i->layer[depth];
	bool any;

	buf_reset(layer);
	any = decode_layers(p, n, layer);
	if (found->rot13)
		any = decode_rot13(p, n, layer) || any;
	if (found->backwards)
		any = decode_backwards(p, n, layer) || any;
	if (any)
		look(i, buf_ptr(layer), buf_len(layer), out, depth + 1);
}

static void look(struct inspector *i, const uint8_t *p, size_t n, struct marks *out, unsigned depth)
{
	struct instructions_found found;
	uint32_t mails = destinations_add(p, n, out), score;

	instructions_scan(i->phrases, p, n, &found);
	score = found.score >= 20 && depth > 0 ? found.score + ENCODED_BONUS : found.score;
	out->instructions = largest(out->instructions, score > SCORE_MAX ? SCORE_MAX : score);
	/* The same one may stand in several layers. */
	out->secrets = largest(out->secrets, secret_forms_count(&i->secrets, p, n));
	out->personal = largest(out->personal, personal_count(p, n) + mails);
	if (!out->canary)
		out->canary = canaries_find(&i->canaries, p, n);
	if (depth < INSPECT_LAYERS)
		look_deeper(i, p, n, &found, out, depth);
}

void inspect_json(struct inspector *i, const struct json_doc *d, const char *beside, size_t n, struct marks *out)
{
	out->instructions = out->secrets = out->personal = out->records = 0;
	out->canary = NULL;
	out->ndestinations = out->bytes = 0;
	buf_reset(&i->text);
	put(&i->text, beside, n);
	put(&i->text, "\n", n > 0);
	if (d)
		put_document(&i->text, d);
	look(i, buf_ptr(&i->text), buf_len(&i->text), out, 0);
	/* Results hold what is nobody's business here: nothing of it stays. */
	buf_reset(&i->text);
	for (size_t k = 0; k < INSPECT_LAYERS; k++)
		buf_reset(&i->layer[k]);
}

/* RFC 8785: members in the order of their names. */
int marks_put(struct buf *out, const struct marks *m)
{
	const struct {
		const char *name;
		uint32_t value;
	} scores[] = {{"instructions", m->instructions},
		      {"personal", m->personal},
		      {"records", m->records},
		      {"secrets", m->secrets}};
	const char *comma = "{";
	int err = KG_OK;

	if (m->canary) {
		err = buf_printf(out, "%s\"canary\":", comma);
		comma = ",";
		if (err == KG_OK)
			err = json_put_string(out, m->canary, strlen(m->canary));
	}
	if (m->ndestinations > 0 && err == KG_OK) {
		err = buf_printf(out, "%s\"destinations\":", comma);
		comma = ",";
	}
	for (size_t i = 0; i < m->ndestinations && err == KG_OK; i++) {
		err = buf_puts(out, i == 0 ? "[" : ",");
		if (err == KG_OK)
			err = json_put_string(out, m->destination[i], strlen(m->destination[i]));
	}
	if (m->ndestinations > 0 && err == KG_OK)
		err = buf_puts(out, "]");
	for (size_t i = 0; i < sizeof(scores) / sizeof(scores[0]) && err == KG_OK; i++) {
		if (scores[i].value == 0)
			continue;
		err = buf_printf(out, "%s\"%s\":%u", comma, scores[i].name, scores[i].value);
		comma = ",";
	}
	return err == KG_OK && comma[0] == ',' ? buf_puts(out, "}") : err;
}
