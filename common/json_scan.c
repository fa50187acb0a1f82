/* The scanner: one pass, no recursion, no allocation once the document has grown. */
#include "common/json.h"

#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include "common/json_names.h"
#include "common/json_text.h"

#define ONES 0x0101010101010101ull
#define TOPS 0x8080808080808080ull

struct scan {
	struct json_doc *d;
	const uint8_t *text;
	size_t pos, len;
	uint32_t open[JSON_DEPTH_MAX]; /* tokens of the containers around us */
	unsigned depth;
	bool fresh; /* the innermost one was just opened: it may close at once */
	const char *why;
};

static int refuse(struct scan *s, size_t offset, const char *why)
{
	s->pos = offset;
	s->why = why;
	return KG_E_PROTO;
}

static int refuse_limit(struct scan *s, const char *why)
{
	s->why = why;
	return KG_E_LIMIT;
}

/* The next byte; 0 at the end, which no place of the grammar takes. */
static inline uint8_t peek(const struct scan *s)
{
	return s->pos < s->len ? s->text[s->pos] : 0;
}

static inline void skip_space(struct scan *s)
{
	while (s->pos < s->len) {
		uint8_t c = s->text[s->pos];

		if (c != ' ' && c != '\n' && c != '\r' && c != '\t')
			return;
		s->pos++;
	}
}

static int grow(struct scan *s)
{
	struct json_doc *d = s->d;
	uint32_t cap = d->cap == 0 ? 256 : d->cap * 2;
	struct json_tok *tok;

	if (d->ntok == JSON_TOKENS_MAX)
		return refuse_limit(s, "more values and names than the limit of 262144");
	if (cap > JSON_TOKENS_MAX)
		cap = JSON_TOKENS_MAX;
	tok = realloc(d->tok, cap * sizeof(*tok));
	if (tok == NULL) {
		s->why = "out of memory";
		return KG_E_NOMEM;
	}
	d->tok = tok;
	d->cap = cap;
	return 0;
}

static inline int add_token(struct scan *s, enum json_kind type, size_t start, size_t end, bool escaped)
{
	struct json_doc *d = s->d;

	if (d->ntok == d->cap) {
		int r = grow(s);

		if (r != 0)
			return r;
	}
	d->tok[d->ntok] = (struct json_tok){
		.start = (uint32_t)start,
		.end = (uint32_t)end,
		.next = d->ntok + 1,
		.type = (uint8_t)type,
		.escaped = escaped,
	};
	d->ntok++;
	return 0;
}

/* Length of the run of printable ASCII without quote and backslash, eight bytes at a time. */
static inline size_t plain_run(const uint8_t *p, size_t n)
{
	size_t i = 0;

	for (; i + 8 <= n; i += 8) {
		uint64_t w, quote, slash, stop;

		memcpy(&w, p + i, 8);
		w = le64toh(w);
		quote = w ^ (ONES * '"');
		slash = w ^ (ONES * '\\');
		/* A borrow can mark only bytes above the first true one, and the first one is what counts. */
		stop = ((w - ONES * 0x20) & ~w) | ((quote - ONES) & ~quote) | ((slash - ONES) & ~slash) | w;
		stop &= TOPS;
		if (stop != 0)
			return i + (size_t)__builtin_ctzll(stop) / 8;
	}
	while (i < n && p[i] >= 0x20 && p[i] < 0x80 && p[i] != '"' && p[i] != '\\')
		i++;
	return i;
}

/* What stopped the plain run, when it is not the closing quote: an escape, UTF-8, or a mistake. */
static int scan_special(struct scan *s, bool *escaped)
{
	const uint8_t *p = s->text + s->pos;
	size_t left = s->len - s->pos, step, out_len;
	uint8_t out[4];

	if (left == 0)
		return refuse(s, s->len, "the text ends inside a string");
	if (*p < 0x20)
		return refuse(s, s->pos, "a control character inside a string");
	if (*p == '\\') {
		*escaped = true;
		step = json_escape_read(p, left, out, &out_len);
		if (step == 0)
			return refuse(s, s->pos, "a bad escape or a lone surrogate");
		s->pos += step;
		return 0;
	}
	while (left > 0 && *p >= 0x80) {
		step = utf8_sequence(p, left);
		if (step == 0)
			return refuse(s, (size_t)(p - s->text), "ill-formed UTF-8");
		p += step;
		left -= step;
	}
	s->pos = (size_t)(p - s->text);
	return 0;
}

static int scan_string(struct scan *s)
{
	size_t start = s->pos;
	bool escaped = false;

	s->pos++;
	for (;;) {
		int r;

		s->pos += plain_run(s->text + s->pos, s->len - s->pos);
		if (peek(s) == '"')
			break;
		r = scan_special(s, &escaped);
		if (r != 0)
			return r;
	}
	s->pos++;
	return add_token(s, JK_STRING, start, s->pos, escaped);
}

static bool skip_digits(struct scan *s)
{
	size_t start = s->pos;

	while (s->pos < s->len && s->text[s->pos] >= '0' && s->text[s->pos] <= '9')
		s->pos++;
	return s->pos > start;
}

static int scan_number(struct scan *s)
{
	size_t start = s->pos, first;

	if (peek(s) == '-')
		s->pos++;
	first = s->pos;
	if (!skip_digits(s))
		return refuse(s, s->pos, "a number without digits");
	if (s->text[first] == '0' && s->pos > first + 1)
		return refuse(s, first, "a number with a leading zero");
	if (peek(s) == '.') {
		s->pos++;
		if (!skip_digits(s))
			return refuse(s, s->pos, "a number without digits behind its point");
	}
	if (peek(s) == 'e' || peek(s) == 'E') {
		s->pos++;
		if (peek(s) == '+' || peek(s) == '-')
			s->pos++;
		if (!skip_digits(s))
			return refuse(s, s->pos, "a number without digits in its exponent");
	}
	return add_token(s, JK_NUMBER, start, s->pos, false);
}

static int scan_word(struct scan *s, const char *word, size_t len, enum json_kind type)
{
	if (s->len - s->pos < len || memcmp(s->text + s->pos, word, len) != 0)
		return refuse(s, s->pos, "not a JSON value");
	s->pos += len;
	return add_token(s, type, s->pos - len, s->pos, false);
}

static int scan_open(struct scan *s, enum json_kind type)
{
	int r;

	if (s->depth == JSON_DEPTH_MAX)
		return refuse_limit(s, "nesting over the limit of 64");
	r = add_token(s, type, s->pos, 0, false);
	if (r != 0)
		return r;
	s->open[s->depth++] = s->d->ntok - 1;
	s->fresh = true;
	s->pos++;
	return 0;
}

static int scan_value(struct scan *s)
{
	uint8_t c = peek(s);

	switch (c) {
	case '"':
		return scan_string(s);
	case '{':
		return scan_open(s, JK_OBJECT);
	case '[':
		return scan_open(s, JK_ARRAY);
	case 't':
		return scan_word(s, "true", 4, JK_TRUE);
	case 'f':
		return scan_word(s, "false", 5, JK_FALSE);
	case 'n':
		return scan_word(s, "null", 4, JK_NULL);
	default:
		break;
	}
	if (c == '-' || (c >= '0' && c <= '9'))
		return scan_number(s);
	return refuse(s, s->pos, s->pos < s->len ? "not a JSON value" : "the text ends where a value must be");
}

static int scan_name(struct scan *s)
{
	int r;

	if (peek(s) != '"')
		return refuse(s, s->pos, "a member name in quotes must be here");
	r = scan_string(s);
	if (r != 0)
		return r;
	skip_space(s);
	if (peek(s) != ':')
		return refuse(s, s->pos, "a colon must be here");
	s->pos++;
	skip_space(s);
	return 0;
}

/* An element: in an object its name first. A container only opens. */
static int scan_item(struct scan *s)
{
	skip_space(s);
	if (s->depth > 0) {
		struct json_tok *around = &s->d->tok[s->open[s->depth - 1]];

		around->count++;
		if (around->type == JK_OBJECT) {
			int r = scan_name(s);

			if (r != 0)
				return r;
		}
	}
	return scan_value(s);
}

static int scan_close(struct scan *s)
{
	uint32_t t = s->open[--s->depth], again;
	struct json_tok *tok = &s->d->tok[t];
	int r;

	s->pos++;
	tok->end = (uint32_t)s->pos;
	tok->next = s->d->ntok;
	if (tok->type != JK_OBJECT || tok->count < 2)
		return 0;
	r = json_names_check(s->d, t, &again);
	if (r == KG_E_PROTO)
		return refuse(s, s->d->tok[again].start, "a duplicate member name");
	if (r != 0)
		s->why = "out of memory";
	return r;
}

/* Closes what ends here; then stands before the next element, or at the end with depth 0. */
static int scan_after(struct scan *s)
{
	while (s->depth > 0) {
		bool object = s->d->tok[s->open[s->depth - 1]].type == JK_OBJECT, fresh = s->fresh;
		uint8_t c;
		int r;

		skip_space(s);
		c = peek(s);
		s->fresh = false;
		if (c == (object ? '}' : ']')) {
			r = scan_close(s);
			if (r != 0)
				return r;
			continue;
		}
		if (fresh)
			return 0;
		if (c != ',')
			return refuse(s, s->pos, "a comma or a closing bracket must be here");
		s->pos++;
		return 0;
	}
	return 0;
}

static int scan_all(struct scan *s)
{
	if (s->len >= UINT32_MAX)
		return refuse_limit(s, "the text is too long");
	do {
		int r = scan_item(s);

		if (r != 0)
			return r;
		r = scan_after(s);
		if (r != 0)
			return r;
	} while (s->depth > 0);
	skip_space(s);
	if (s->pos < s->len)
		return refuse(s, s->pos, "something stands behind the value");
	return 0;
}

int json_scan(struct json_doc *d, const char *text, size_t len, struct json_error *err)
{
	struct scan s = {.d = d, .text = (const uint8_t *)text, .len = len};
	int r;

	d->text = text;
	d->len = len;
	d->ntok = 0;
	r = scan_all(&s);
	if (r == 0)
		return 0;
	d->ntok = 0;
	if (err != NULL)
		*err = (struct json_error){s.pos, s.why};
	return r;
}
