#include "common/inspect/phrases.h"

#include <stdlib.h>
#include <string.h>

#include "common/inspect/fold.h"

static const struct {
	uint8_t class;
	const char *text;
} term_lists[] = {
#define TERMS(class, text) {CLASS_##class, text},
#define RULE(name, weight, gap, a, b, c)
#include "common/inspect/phrases.def"
#undef TERMS
#undef RULE
	{CLASS_ROT13, "gur |naq |lbhe |cyrnfr|vtaber|cerivbhf|flfgrz|cebzcg|vafgehpgvba|frperg|cnffjbeq"},
};

/* The place of the folded text in the list; a new one when it was not there. */
static uint32_t term_place(struct phrases *p, const uint8_t *bytes, size_t n)
{
	uint32_t i;

	for (i = 0; i < p->n; i++)
		if (p->list[i].n == n && memcmp(p->bytes[i], bytes, n) == 0)
			return i;
	memcpy(p->bytes[i], bytes, n);
	p->list[i] = (struct ac_text){p->bytes[i], n};
	p->n++;
	return i;
}

static void term_add(struct phrases *p, uint8_t class, const uint8_t *text, size_t len)
{
	uint8_t folded[WORD_BYTES];
	struct term t = {.classes = 1ull << class, .whole = len > 0 && text[len - 1] == ' '};
	size_t n = 0, used;
	uint32_t place;

	for (size_t i = 0; i < len && n + 4 < WORD_BYTES; i += used) {
		struct fold f = fold_char(fold_next(text + i, len - i, &used));

		t.gaps = (uint8_t)(t.gaps + (f.kind == FOLD_GAP));
		t.free = t.free || f.n > 2;
		for (uint8_t k = 0; k < f.n && f.kind == FOLD_LETTER; k++)
			folded[n++] = f.out[k];
	}
	if (n == 0 || p->n == WORDS_MAX)
		return;
	place = term_place(p, folded, n);
	t.classes |= p->term[place].classes;
	/* Of two terms with one text the looser way of looking at its end holds for both. */
	t.whole = t.whole && (p->term[place].classes == 0 || p->term[place].whole);
	p->term[place] = t;
}

struct phrases *phrases_new(void)
{
	struct phrases *p = calloc(1, sizeof(*p));

	_Static_assert(CLASS_END < 64, "classes are bits");
	for (size_t i = 0; p && i < sizeof(term_lists) / sizeof(term_lists[0]); i++) {
		const char *text = term_lists[i].text;

		for (;;) {
			size_t len = strcspn(text, "|");

			term_add(p, term_lists[i].class, (const uint8_t *)text, len);
			if (text[len] == '\0')
				break;
			text += len + 1;
		}
	}
	if (p && ac_build(&p->ac, p->list, p->n, false) != KG_OK) {
		free(p);
		return NULL;
	}
	return p;
}

void phrases_free(struct phrases *p)
{
	if (p)
		ac_free(&p->ac);
	free(p);
}
