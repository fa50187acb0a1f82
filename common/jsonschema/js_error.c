#include "common/jsonschema/js_error.h"

#include <stdio.h>
#include <string.h>

#include "common/json_text.h"

#define ELLIPSIS "\xe2\x80\xa6"

void js_words_add(struct js_words *w, const char *text, size_t len)
{
	size_t room = w->size - w->len - sizeof(ELLIPSIS), fit = 0;

	if (w->full)
		return;
	while (fit < len) {
		size_t n = utf8_sequence((const uint8_t *)text + fit, len - fit);

		if (n == 0 || fit + n > room)
			break;
		fit += n;
	}
	memcpy(w->out + w->len, text, fit);
	w->len += fit;
	if (fit < len) {
		memcpy(w->out + w->len, ELLIPSIS, sizeof(ELLIPSIS) - 1);
		w->len += sizeof(ELLIPSIS) - 1;
		w->full = true;
	}
	w->out[w->len] = '\0';
}

void js_words_puts(struct js_words *w, const char *text)
{
	js_words_add(w, text, strlen(text));
}

/* A member's name as a step, with JSON's own escapes left as they are. */
static void add_name(struct js_words *w, const struct json_doc *d, uint32_t name)
{
	size_t len;
	const char *raw = json_raw(d, name, &len), *end = raw + len - 1;

	for (const char *p = raw + 1; p < end;) {
		size_t n = strcspn(p, "~/\"");

		n = n > (size_t)(end - p) ? (size_t)(end - p) : n;
		if (n == 0 && *p == '"')
			n = 1;
		if (n > 0)
			js_words_add(w, p, n);
		else
			js_words_puts(w, *p == '~' ? "~0" : "~1");
		p += n > 0 ? n : 1;
	}
}

/* One step down towards t: the child that holds it. A member's name stands for the member. */
static uint32_t step_down(const struct json_doc *d, uint32_t at, uint32_t t, struct js_words *w)
{
	bool object = json_kind(d, at) == JK_OBJECT;
	uint32_t child = json_first(d, at);
	size_t index = 0;
	char number[24];

	for (; child != JSON_NONE; index++) {
		uint32_t value = object ? child + 1 : child;

		if (t < d->tok[value].next)
			break;
		child = json_after(d, at, value);
	}
	if (child == JSON_NONE)
		return t;
	js_words_puts(w, "/");
	if (object) {
		add_name(w, d, child);
		return t == child ? t : child + 1;
	}
	(void)snprintf(number, sizeof(number), "%zu", index);
	js_words_puts(w, number);
	return child;
}

void js_pointer(const struct json_doc *d, uint32_t t, char *out, size_t size)
{
	struct js_words w = {.out = out, .size = size};

	out[0] = '\0';
	if (t >= d->ntok)
		return;
	for (uint32_t at = 0; at != t;)
		at = step_down(d, at, t, &w);
}
