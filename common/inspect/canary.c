#include "common/inspect/canary.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#define VALUE_MAX 1024u
#define FORMS 9u /* as it is, twice percent-encoded, three places in each of two alphabets */
#define FORM_MAX (VALUE_MAX * 3 + 8)

struct forms {
	uint8_t *text[INSPECT_CANARIES_MAX * FORMS];
	struct ac_text list[INSPECT_CANARIES_MAX * FORMS];
	char *name[INSPECT_CANARIES_MAX * FORMS];
	uint32_t n;
};

static void form_add(struct forms *f, const char *name, const void *p, size_t n)
{
	uint8_t *text = malloc(n);
	char *copy = strdup(name);

	if (!text || !copy || n < INSPECT_CANARY_MIN) {
		free(text);
		free(copy);
		return;
	}
	memcpy(text, p, n);
	f->text[f->n] = text;
	f->name[f->n] = copy;
	f->list[f->n++] = (struct ac_text){text, n};
}

static void percent_add(struct forms *f, const char *name, const uint8_t *v, size_t n, const char *hex)
{
	char out[FORM_MAX];
	size_t len = 0;

	for (size_t i = 0; i < n; i++) {
		if (isalnum(v[i]) || memchr("-._~", v[i], 4)) {
			out[len++] = (char)v[i];
			continue;
		}
		out[len++] = '%';
		out[len++] = hex[v[i] >> 4];
		out[len++] = hex[v[i] & 15];
	}
	if (len > n)
		form_add(f, name, out, len);
}

/* Of a value that begins at any byte of what was encoded: the letters that depend on it alone. */
static void base64_add(struct forms *f, const char *name, const uint8_t *v, size_t n, int variant)
{
	uint8_t padded[VALUE_MAX + 2] = {0};
	char out[FORM_MAX];

	for (size_t shift = 0; shift < 3; shift++) {
		size_t bits = (shift + n) * 8, from = shift == 0 ? 0 : shift + 1, to = bits / 6;

		memcpy(padded + shift, v, n);
		sodium_bin2base64(out, sizeof(out), padded, shift + n, variant);
		form_add(f, name, out + from, to - from);
	}
	sodium_memzero(padded, sizeof(padded));
	sodium_memzero(out, sizeof(out));
}

static void value_add(struct forms *f, const struct inspect_canary *c)
{
	const uint8_t *v = (const uint8_t *)c->value;
	size_t n = strlen(c->value);

	if (n < INSPECT_CANARY_MIN || n > VALUE_MAX)
		return;
	form_add(f, c->name, v, n);
	percent_add(f, c->name, v, n, "0123456789ABCDEF");
	percent_add(f, c->name, v, n, "0123456789abcdef");
	base64_add(f, c->name, v, n, sodium_base64_VARIANT_ORIGINAL_NO_PADDING);
	base64_add(f, c->name, v, n, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
}

int canaries_build(struct canaries *c, const struct inspect_canary *list, size_t n)
{
	struct forms *f = calloc(1, sizeof(*f));
	int err = f ? KG_OK : KG_E_NOMEM;

	*c = (struct canaries){0};
	for (size_t i = 0; f && i < n && i < INSPECT_CANARIES_MAX; i++)
		value_add(f, &list[i]);
	if (err == KG_OK)
		err = ac_build(&c->ac, f->list, f->n, false);
	c->name = err == KG_OK ? calloc(f->n + 1, sizeof(*c->name)) : NULL;
	for (uint32_t i = 0; f && i < f->n; i++) {
		sodium_memzero(f->text[i], f->list[i].n);
		free(f->text[i]);
		if (c->name)
			c->name[c->n++] = f->name[i];
		else
			free(f->name[i]);
	}
	free(f);
	return err == KG_OK && !c->name ? KG_E_NOMEM : err;
}

void canaries_free(struct canaries *c)
{
	ac_free(&c->ac);
	for (size_t i = 0; i < c->n; i++)
		free(c->name[i]);
	free(c->name);
	*c = (struct canaries){0};
}

const char *canaries_find(const struct canaries *c, const uint8_t *text, size_t n)
{
	uint32_t state = 0;

	for (size_t i = 0; c->n > 0 && i < n; i++) {
		state = ac_step(&c->ac, state, text[i]);
		if (c->ac.ends[state] != AC_NONE)
			return c->name[c->ac.ends[state]];
	}
	return NULL;
}
