#include "common/jsonschema/js_regex.h"

#include <stdlib.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "common/jsonschema/js_arena.h"

#define TRANSLATED_MAX 65536u
#define PARENS_MAX 64
#define HEAP_KIB 16384u
#define TEXT_LONG 4096 /* over it, PCRE2's memory for backtracking is not kept */

struct js_regex {
	pcre2_code *code;
	struct js_regex *next;
	struct js_regex_cost cost;
};

struct js_regexes {
	struct js_regex *first;
	size_t bytes;
	pcre2_compile_context *compile;
	pcre2_match_context *match;
	pcre2_match_data *data;
};

int js_regexes_new(struct js_regexes **out)
{
	struct js_regexes *all = calloc(1, sizeof(*all));

	if (all == NULL)
		return KG_E_NOMEM;
	*out = all;
	return 0;
}

/* Most schemas have none: what PCRE2 needs is made for the first. */
static int prepare(struct js_regexes *all)
{
	if (all->compile != NULL)
		return 0;
	all->compile = pcre2_compile_context_create(NULL);
	all->match = pcre2_match_context_create(NULL);
	if (all->compile == NULL || all->match == NULL)
		return KG_E_NOMEM;
	pcre2_set_parens_nest_limit(all->compile, PARENS_MAX);
	pcre2_set_heap_limit(all->match, HEAP_KIB);
	pcre2_set_match_limit(all->match, JSONSCHEMA_STEPS_MAX);
	return 0;
}

void js_regexes_free(struct js_regexes *all)
{
	if (all == NULL)
		return;
	while (all->first != NULL) {
		struct js_regex *next = all->first->next;

		pcre2_code_free(all->first->code);
		free(all->first);
		all->first = next;
	}
	pcre2_match_data_free(all->data);
	pcre2_match_context_free(all->match);
	pcre2_compile_context_free(all->compile);
	free(all);
}

size_t js_regexes_size(const struct js_regexes *all)
{
	/* What is kept for matching is of this order, and not told by PCRE2. */
	return all->compile == NULL ? 0 : all->bytes + 24576;
}

static int refuse(int error, const char **why)
{
	switch (error) {
	case PCRE2_ERROR_HEAP_FAILED:
		return KG_E_NOMEM;
	case PCRE2_ERROR_PATTERN_TOO_LARGE:
	case PCRE2_ERROR_PARENTHESES_NEST_TOO_DEEP:
	case PCRE2_ERROR_PATTERN_TOO_COMPLICATED:
		return KG_E_LIMIT;
	case PCRE2_ERROR_LOOKBEHIND_NOT_FIXED_LENGTH:
		*why = "must be a regular expression whose lookbehinds have a fixed length";
		return KG_E_INVALID;
	case PCRE2_ERROR_UNKNOWN_UNICODE_PROPERTY:
		*why = "must be a regular expression: a property of Unicode in it is not known";
		return KG_E_INVALID;
	default:
		*why = "must be a regular expression of ECMA-262";
		return KG_E_INVALID;
	}
}

static int compile(struct js_regexes *all, const struct buf *text, struct js_regex *r, const char **why)
{
	/* The text is UTF-8 by the scanner. Callouts are where the budget is kept: see on_item(). */
	uint32_t options = PCRE2_UTF | PCRE2_NO_UTF_CHECK | PCRE2_DOLLAR_ENDONLY | PCRE2_MATCH_UNSET_BACKREF |
			   PCRE2_ALLOW_EMPTY_CLASS | PCRE2_NEVER_BACKSLASH_C | PCRE2_NEVER_UCP | PCRE2_AUTO_CALLOUT;
	size_t size = 0;
	PCRE2_SIZE offset;
	int error;

	r->code = pcre2_compile(buf_ptr(text), buf_len(text), options, &error, &offset, all->compile);
	if (r->code == NULL)
		return refuse(error, why);
	(void)pcre2_pattern_info(r->code, PCRE2_INFO_SIZE, &size);
	all->bytes += size;
	return all->bytes > JS_REGEXES_BYTES_MAX ? KG_E_LIMIT : 0;
}

int js_regex_compile(struct jsonschema *s, const char *text, size_t len, const struct js_regex **out, const char **why)
{
	struct js_regexes *all = s->regexes;
	struct js_regex *r;
	struct buf translated;
	int e = prepare(all);

	if (e != 0 || len > JS_REGEX_BYTES_MAX)
		return e != 0 ? e : KG_E_LIMIT;
	r = calloc(1, sizeof(*r));
	if (r == NULL)
		return KG_E_NOMEM;
	r->next = all->first;
	all->first = r;
	buf_init(&translated, TRANSLATED_MAX);
	e = js_regex_translate(text, len, &translated, &r->cost, why);
	if (e == 0)
		e = compile(all, &translated, r, why);
	buf_free(&translated);
	if (e == 0)
		*out = r;
	return e;
}

struct match {
	struct js_meter *meter;
	uint64_t item;      /* what each item costs, at least */
	uint64_t character; /* what 16 characters of the way cost */
	PCRE2_SIZE at;
};

/*
 * Called before each item of the expression, each time that it is tried. PCRE2's own match limit counts anew from each
 * place where a match may begin, and not at all what a repeated item runs over: a quadratic expression over a long text
 * would stay under it for minutes. The way from place to place is a measure of both.
 */
static int on_item(pcre2_callout_block *block, void *data)
{
	struct match *m = data;
	PCRE2_SIZE way =
		block->current_position > m->at ? block->current_position - m->at : m->at - block->current_position;

	m->at = block->current_position;
	return js_spend(m->meter, m->item + way * m->character / 16) == 0 ? 0 : PCRE2_ERROR_CALLOUT;
}

int js_regex_match(struct jsonschema *s, const struct js_regex *r, const char *text, size_t len, struct js_meter *meter)
{
	struct js_regexes *all = s->regexes;
	struct match m = {.meter = meter, .character = 1 + r->cost.members / 16};
	int e;

	e = js_spend(meter, len / 64);
	if (e != 0)
		return e;
	m.item = 1 + r->cost.repeats * m.character / 64 + (r->cost.backrefs ? len / 64 : 0);

	if (all->data == NULL)
		all->data = pcre2_match_data_create(1, NULL);
	if (all->data == NULL)
		return KG_E_NOMEM;
	(void)pcre2_set_callout(all->match, on_item, &m);
	e = pcre2_match(r->code, (PCRE2_SPTR)text, len, 0, PCRE2_NO_UTF_CHECK, all->data, all->match);
	(void)pcre2_set_callout(all->match, NULL, NULL);
	if (len > TEXT_LONG) {
		pcre2_match_data_free(all->data);
		all->data = NULL;
	}
	if (e >= 0)
		return 0;
	return e == PCRE2_ERROR_NOMATCH ? KG_E_INVALID : e == PCRE2_ERROR_NOMEMORY ? KG_E_NOMEM : KG_E_LIMIT;
}
