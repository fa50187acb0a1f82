#include "gatewayd/opal/documents.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/json_text.h"

#define HEAD_LEN 9

static void document_free(struct document *d)
{
	free(d->id);
	free(d->text);
}

void documents_free(struct documents *d)
{
	for (size_t i = 0; i < d->n; i++)
		document_free(&d->doc[i]);
	free(d->doc);
	*d = (struct documents){0};
}

/* Where it stands, or belongs. */
static size_t place_of(const struct documents *d, uint8_t kind, const char *id, bool *found)
{
	size_t low = 0, high = d->n;

	*found = false;
	while (low < high) {
		size_t mid = (low + high) / 2;
		int order = d->doc[mid].kind - kind;

		if (order == 0)
			order = strcmp(d->doc[mid].id, id);
		if (order == 0)
			*found = true;
		if (order < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

const struct document *documents_find(const struct documents *d, uint8_t kind, const char *id)
{
	bool found;
	size_t at = place_of(d, kind, id, &found);

	return found ? &d->doc[at] : NULL;
}

static int document_new(struct document *out, uint8_t kind, const char *id, const char *text, size_t len)
{
	*out = (struct document){kind, strdup(id), malloc(len + 1), len};
	if (out->id == NULL || out->text == NULL) {
		document_free(out);
		return KG_E_NOMEM;
	}
	if (len > 0)
		memcpy(out->text, text, len);
	out->text[len] = '\0';
	return KG_OK;
}

static int insert(struct documents *d, size_t at, struct document *x)
{
	struct document *wider = d->n == DOCUMENTS_MAX ? NULL : realloc(d->doc, (d->n + 1) * sizeof(*wider));

	if (wider == NULL) {
		document_free(x);
		return d->n == DOCUMENTS_MAX ? KG_E_LIMIT : KG_E_NOMEM;
	}
	d->doc = wider;
	memmove(&wider[at + 1], &wider[at], (d->n - at) * sizeof(*wider));
	wider[at] = *x;
	d->n++;
	return KG_OK;
}

int documents_put(struct documents *d, uint8_t kind, const char *id, const char *text, size_t len)
{
	size_t id_len = strlen(id), bytes = d->bytes, at;
	struct document x;
	bool found;
	int r;

	at = place_of(d, kind, id, &found);
	if (found)
		bytes -= id_len + d->doc[at].len;
	if (len > DOCUMENTS_BYTES_MAX || bytes + id_len + len > DOCUMENTS_BYTES_MAX)
		return KG_E_LIMIT;
	r = document_new(&x, kind, id, text, len);
	if (r != KG_OK)
		return r;
	if (found) {
		document_free(&d->doc[at]);
		d->doc[at] = x;
	} else {
		r = insert(d, at, &x);
	}
	if (r == KG_OK)
		d->bytes = bytes + id_len + len;
	return r;
}

bool documents_remove(struct documents *d, uint8_t kind, const char *id)
{
	bool found;
	size_t at = place_of(d, kind, id, &found);

	if (!found)
		return false;
	d->bytes -= strlen(d->doc[at].id) + d->doc[at].len;
	document_free(&d->doc[at]);
	d->n--;
	memmove(&d->doc[at], &d->doc[at + 1], (d->n - at) * sizeof(*d->doc));
	return true;
}

int documents_copy(const struct documents *from, uint8_t without, struct documents *out)
{
	*out = (struct documents){0};
	for (size_t i = 0; i < from->n; i++) {
		const struct document *x = &from->doc[i];
		int r = x->kind == without ? KG_OK : documents_put(out, x->kind, x->id, x->text, x->len);

		if (r != KG_OK) {
			documents_free(out);
			return r;
		}
	}
	return KG_OK;
}

bool document_id_is_good(const char *id)
{
	size_t n = strlen(id);

	for (size_t i = 0; i < n; i++)
		if (id[i] < 0x20 || id[i] > 0x7e || id[i] == '"' || id[i] == '\\')
			return false;
	return n > 0 && n <= DOCUMENT_ID_MAX;
}

bool document_text_is_good(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];

		if ((c < 0x20 && c != '\t' && c != '\n' && c != '\r') || c == 0x7f)
			return false;
	}
	return utf8_valid(text, len);
}

static bool ends_with(const char *text, const char *ending)
{
	size_t n = strlen(text), m = strlen(ending);

	return n > m && strcmp(text + n - m, ending) == 0;
}

/* An OPAL client's ids are the paths of files; others have any name. */
void document_name(const struct document *d, char out[DOCUMENT_NAME_SIZE])
{
	bool is_path = ends_with(d->id, ".cedar") || ends_with(d->id, ".cedarschema");

	if (d->kind == DOCUMENT_POLICY)
		snprintf(out, DOCUMENT_NAME_SIZE, "%s%s", d->id, is_path ? "" : ".cedar");
	else
		snprintf(out, DOCUMENT_NAME_SIZE, "%s",
			 d->kind == DOCUMENT_SCHEMA ? "schema.cedarschema" : "entities.json");
}

static void put32(uint8_t out[4], size_t v)
{
	for (int i = 0; i < 4; i++)
		out[i] = (uint8_t)(v >> (24 - 8 * i));
}

static size_t get32(const uint8_t in[4])
{
	return (size_t)in[0] << 24 | (size_t)in[1] << 16 | (size_t)in[2] << 8 | in[3];
}

int documents_write(const struct documents *d, struct buf *out)
{
	for (size_t i = 0; i < d->n; i++) {
		const struct document *x = &d->doc[i];
		uint8_t head[HEAD_LEN] = {x->kind};
		int r;

		put32(head + 1, strlen(x->id));
		put32(head + 5, x->len);
		r = buf_put(out, head, sizeof(head));
		if (r == KG_OK)
			r = buf_put(out, x->id, strlen(x->id));
		if (r == KG_OK)
			r = buf_put(out, x->text, x->len);
		if (r != KG_OK)
			return r;
	}
	return KG_OK;
}

static bool is_good(uint8_t kind, const char *id, const char *text, size_t len)
{
	if (kind < DOCUMENT_POLICY || kind > DOCUMENT_DATA || !document_text_is_good(text, len))
		return false;
	return kind == DOCUMENT_POLICY ? document_id_is_good(id) : id[0] == '\0';
}

/* One document; how many bytes it took, 0 when they are none. */
static size_t read_one(const uint8_t *p, size_t left, struct documents *out)
{
	char id[DOCUMENT_ID_MAX + 1] = "";
	size_t id_len, len;

	if (left < HEAD_LEN)
		return 0;
	id_len = get32(p + 1);
	len = get32(p + 5);
	if (id_len > DOCUMENT_ID_MAX || len > left || id_len + len + HEAD_LEN > left)
		return 0;
	memcpy(id, p + HEAD_LEN, id_len);
	if (strlen(id) != id_len || !is_good(p[0], id, (const char *)p + HEAD_LEN + id_len, len) ||
	    documents_find(out, p[0], id) != NULL ||
	    documents_put(out, p[0], id, (const char *)p + HEAD_LEN + id_len, len) != KG_OK)
		return 0;
	return HEAD_LEN + id_len + len;
}

int documents_read(const uint8_t *bytes, size_t len, struct documents *out)
{
	*out = (struct documents){0};
	while (len > 0) {
		size_t used = read_one(bytes, len, out);

		if (used == 0) {
			documents_free(out);
			return KG_E_PROTO;
		}
		bytes += used;
		len -= used;
	}
	return KG_OK;
}
