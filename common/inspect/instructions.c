#include "common/inspect/instructions.h"

#include <string.h>
#include <strings.h>

#include "common/inspect/fold.h"
#include "common/inspect/phrases.h"

#define RING 128u        /* letters that can be looked back at; longer than any term */
#define WINDOW 2400u     /* letters in which what is found counts together */
#define COMPACT 20u      /* a run of so many letters hides its words */
#define QUOTE_MAX 160u   /* bytes of a quotation */
#define DRESS_BONUS 20u  /* what takes the trouble to hide */
#define HIDDEN_ALONE 45u /* text in characters that are not shown: nobody writes that by hand */
#define HIDDEN_MIN 8u
#define SCORE_MAX 100u

static const struct rule {
	uint8_t weight;
	uint8_t gap;
	uint8_t class[3];
} rules[] = {
#define TERMS(class, text)
#define RULE(name, weight, gap, a, b, c) {weight, gap, {CLASS_##a, CLASS_##b, CLASS_##c}},
#include "common/inspect/phrases.def"
#undef TERMS
#undef RULE
};
#define NRULES (sizeof(rules) / sizeof(rules[0]))

/* Of each letter: where its word began, and how many gaps were before it. */
struct letter {
	uint32_t word, gaps;
};

struct fired {
	uint32_t at; /* letters, from 1; 0: not yet */
	bool quoted;
};

struct reader {
	const struct phrases *p;
	const uint8_t *text;
	size_t n, at; /* bytes; at stands behind the character in hand */
	uint32_t state, letters, gaps, word;
	bool in_gap, was_lower;
	size_t quote_end;       /* byte behind the quotation that we are in, or 0 */
	uint32_t quote_letters; /* where it began */
	struct letter ring[RING];
	uint32_t reached[NRULES][2]; /* letters behind the first and the second part, from 1; 0: not reached */
	struct fired fired[NRULES];
	uint32_t best, best_plain; /* of any window; plain: what stood in quotes left out */
	uint32_t hidden, alike, latin, rot13;
	bool topic, backwards;
};

static bool is_word_byte(uint8_t c)
{
	return c >= 0x80 || fold_ascii[c] != 0;
}

/* How many letters of ASCII follow without a gap, up to COMPACT. */
static uint32_t run_ahead(const struct reader *r)
{
	uint32_t n = 0;

	while (n < COMPACT && r->at + n < r->n && r->text[r->at + n] < 0x80 && fold_ascii[r->text[r->at + n]] != 0)
		n++;
	return n;
}

/* Whether a term that ends here also begins, and ends, as one would write it: or hides its words in some other way. */
static bool stands(const struct reader *r, const struct term *t, uint32_t len)
{
	uint32_t first = r->letters - len;
	const struct letter *l = &r->ring[first % RING];
	uint32_t ahead = run_ahead(r);
	bool split = r->gaps - l->gaps > t->gaps; /* more gaps than its own */

	if (t->free || split)
		return true;
	if (r->letters - l->word + ahead >= COMPACT && r->gaps == l->gaps)
		return true;
	return l->word == first && (!t->whole || ahead == 0);
}

static void rule_fires(struct reader *r, size_t rule, bool quoted)
{
	uint32_t sum = 0, plain = 0;

	r->fired[rule] = (struct fired){r->letters, quoted};
	for (size_t i = 0; i < NRULES; i++) {
		if (r->fired[i].at == 0 || r->letters - r->fired[i].at > WINDOW)
			continue;
		sum += rules[i].weight;
		plain += r->fired[i].quoted ? 0 : rules[i].weight;
	}
	r->best = sum > r->best ? sum : r->best;
	r->best_plain = plain > r->best_plain ? plain : r->best_plain;
}

/* A term of these classes stands in the last len letters. */
static void classes_met(struct reader *r, uint64_t classes, uint32_t len)
{
	uint32_t first = r->letters - len;
	bool quoted = r->quote_end != 0 && first >= r->quote_letters;

	r->topic = r->topic || (classes >> CLASS_TOPIC & 1) != 0;
	r->rot13 += (uint32_t)(classes >> CLASS_ROT13 & 1);
	for (size_t i = 0; i < NRULES; i++) {
		const struct rule *u = &rules[i];

		for (int k = 2; k >= 0; k--) {
			if (u->class[k] == CLASS_END || (classes >> u->class[k] & 1) == 0)
				continue;
			if (k > 0 && (r->reached[i][k - 1] == 0 || first + 1 < r->reached[i][k - 1] ||
				      first + 1 - r->reached[i][k - 1] > u->gap))
				continue;
			if (k == 2 || u->class[k + 1] == CLASS_END)
				rule_fires(r, i, quoted);
			else
				r->reached[i][k] = r->letters + 1;
		}
	}
}

static void put_letter(struct reader *r, uint8_t byte, bool begins)
{
	const struct ac *a = &r->p->ac;

	if (begins)
		r->word = r->letters;
	r->ring[r->letters % RING] = (struct letter){r->word, r->gaps};
	r->letters++;
	r->state = ac_step(a, r->state, byte);
	for (uint32_t e = a->ends[r->state]; e != AC_NONE; e = a->pattern[e].shorter)
		if (stands(r, &r->p->term[e], a->pattern[e].len))
			classes_met(r, r->p->term[e].classes, a->pattern[e].len);
}

static void gap(struct reader *r)
{
	r->gaps += !r->in_gap;
	r->in_gap = true;
}

/* A quotation in prose or code begins behind a word and a space, "(" or "= "; data has its own quotes behind others. */
static void quote_begins(struct reader *r, size_t at)
{
	uint8_t mark = r->text[at], before = at > 0 ? r->text[at - 1] : 0, word = at > 1 ? r->text[at - 2] : 0;
	size_t most = r->n - at - 1 < QUOTE_MAX ? r->n - at - 1 : QUOTE_MAX;
	const uint8_t *end;

	/* Behind "name: " too, when the name has no quotes of its own. */
	if (word == ':' && at > 2)
		word = r->text[at - 3];
	if (before != '(' && before != '#' && !(before == ' ' && (is_word_byte(word) || word == '=')))
		return;
	end = memchr(r->text + at + 1, mark, most);
	if (end) {
		r->quote_end = (size_t)(end - r->text) + 1;
		r->quote_letters = r->letters;
	}
}

/* Tags and brackets in which models are told who speaks. */
static void markup_begins(struct reader *r)
{
	static const char *const marks[] = {"<important>", "<hidden>", "<secret>",     "<system>",  "<instructions>",
					    "<|im_start|", "<<sys>>",  "<|system|>",   "[system]",  "[inst]",
					    "[assistant",  "<admin>",  "<|start_head", "{{ system", "{{system"};
	const char *at = (const char *)r->text + r->at - 1;
	size_t left = r->n - (r->at - 1);

	if (left < 4 || !strchr(at[0] == '<'   ? "ihsa|<"
				: at[0] == '[' ? "sia"
					       : "{",
				at[1] >= 'A' && at[1] <= 'Z' ? at[1] | 0x20 : at[1]))
		return;
	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++)
		if (strlen(marks[i]) <= left && strncasecmp(at, marks[i], strlen(marks[i])) == 0)
			classes_met(r, 1ull << CLASS_MARKUP, 0);
}

static void take_ascii(struct reader *r, uint8_t c)
{
	uint8_t f = fold_ascii[c];

	if (f == 0) {
		gap(r);
		if (c == '<' || c == '[' || c == '{')
			markup_begins(r);
		if ((c == '\'' || c == '"' || c == '`') && r->quote_end == 0)
			quote_begins(r, r->at - 1);
		else if (c == '@' && r->at > 1 && r->at < r->n && is_word_byte(r->text[r->at - 2]) &&
			 is_word_byte(r->text[r->at]))
			classes_met(r, 1ull << CLASS_MAIL | 1ull << CLASS_ELSEWHERE, 0);
		return;
	}
	bool upper = c >= 'A' && c <= 'Z';
	put_letter(r, f, r->in_gap || (upper && r->was_lower));
	r->was_lower = !upper;
	r->in_gap = false;
	r->latin++;
}

static void take_other(struct reader *r, uint32_t c)
{
	struct fold f = fold_char(c);

	if (f.kind == FOLD_GAP) {
		gap(r);
		return;
	}
	if (f.kind == FOLD_UNSEEN) {
		r->backwards = r->backwards || c == 0x202e || c == 0x2067;
		return;
	}
	r->hidden += f.hidden;
	r->alike += f.likeness;
	for (uint8_t i = 0; i < f.n; i++)
		put_letter(r, f.out[i], i == 0 && (r->in_gap || f.n > 2));
	r->in_gap = f.n == 0 && r->in_gap;
	r->was_lower = true;
}

void instructions_scan(const struct phrases *p, const uint8_t *text, size_t n, struct instructions_found *out)
{
	struct reader r = {.p = p, .text = text, .n = n, .in_gap = true};
	size_t used;

	while (r.at < n) {
		if (text[r.at] < 0x80) {
			used = 1;
			r.at++;
			take_ascii(&r, text[r.at - 1]);
		} else {
			uint32_t c = fold_next(text + r.at, n - r.at, &used);

			r.at += used;
			take_other(&r, c);
		}
		if (r.quote_end != 0 && r.at >= r.quote_end)
			r.quote_end = 0;
	}
	/* Look-alikes beside Latin letters; a text that is simply Russian or Greek has few of these. */
	bool alike = r.alike >= 4 && r.latin >= r.alike / 2;
	uint32_t score = r.topic ? (r.best_plain > r.best / 3 ? r.best_plain : r.best / 3) : r.best;

	*out = (struct instructions_found){.rot13 = r.rot13 >= 2, .backwards = r.backwards};
	out->dressed_up = alike || r.hidden >= HIDDEN_MIN;
	if (score >= 20 && out->dressed_up)
		score += DRESS_BONUS;
	if (r.hidden >= HIDDEN_MIN && score < HIDDEN_ALONE)
		score = HIDDEN_ALONE;
	out->score = score > SCORE_MAX ? SCORE_MAX : score;
}
