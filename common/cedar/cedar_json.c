#include "common/cedar/cedar_json.h"

#include "common/cedar/cedar_limits.h"
#include "common/cedar/cedar_sort.h"
#include "common/cedar/cedar_utf8.h"

struct reader {
	struct cedar_str text;
	size_t at;
	unsigned int nest;
	struct cedar_arena *arena;
	struct cedar_error *error;
};

/* Items are collected on a stack of blocks: an array's length comes last. */
struct pile {
	char *bytes;
	size_t count;
	size_t capacity;
};

static int read_value(struct reader *r, struct cedar_json *out);

static int wrong(struct reader *r, const char *what)
{
	return cedar_fail(r->error, CEDAR_E_SYNTAX, r->at, "JSON: %s", what);
}

static void *pile_push(struct reader *r, struct pile *pile, size_t size)
{
	size_t capacity = pile->capacity == 0 ? 4 : pile->capacity * 2;
	char *bytes;

	if (pile->count == pile->capacity) {
		bytes = cedar_arena_array(r->arena, capacity, size);
		if (bytes == NULL) {
			cedar_fail(r->error, CEDAR_E_MEMORY, r->at, "out of memory");
			return NULL;
		}
		if (pile->count > 0)
			memcpy(bytes, pile->bytes, pile->count * size);
		pile->bytes = bytes;
		pile->capacity = capacity;
	}
	return pile->bytes + pile->count++ * size;
}

static void skip_space(struct reader *r)
{
	while (r->at < r->text.n && r->text.p[r->at] != '\0' && strchr(" \t\r\n", r->text.p[r->at]) != NULL)
		r->at++;
}

static bool at_char(const struct reader *r, char c)
{
	return r->at < r->text.n && r->text.p[r->at] == c;
}

static bool at_digit(const struct reader *r)
{
	return r->at < r->text.n && r->text.p[r->at] >= '0' && r->text.p[r->at] <= '9';
}

static int read_hex4(struct reader *r, uint32_t *out)
{
	uint32_t value = 0;
	unsigned int i;
	char c;

	for (i = 0; i < 4; i++, r->at++) {
		c = r->at < r->text.n ? r->text.p[r->at] : '\0';
		if (c >= '0' && c <= '9')
			value = value << 4 | (uint32_t)(c - '0');
		else if (c >= 'a' && c <= 'f')
			value = value << 4 | (uint32_t)(c - 'a' + 10);
		else if (c >= 'A' && c <= 'F')
			value = value << 4 | (uint32_t)(c - 'A' + 10);
		else
			return wrong(r, "\\u needs four hexadecimal digits");
	}
	*out = value;
	return 0;
}

/* \uXXXX, or a pair of surrogates. */
static int read_unicode(struct reader *r, char *out, size_t *n)
{
	uint32_t high = 0, low = 0;
	size_t length;
	int rc = read_hex4(r, &high);

	if (rc != 0)
		return rc;
	if (high >= 0xd800 && high <= 0xdbff) {
		if (!at_char(r, '\\') || r->at + 1 >= r->text.n || r->text.p[r->at + 1] != 'u')
			return wrong(r, "half of a surrogate pair");
		r->at += 2;
		rc = read_hex4(r, &low);
		if (rc != 0)
			return rc;
		if (low < 0xdc00 || low > 0xdfff)
			return wrong(r, "half of a surrogate pair");
		high = 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
	}
	length = cedar_utf8_encode(high, out + *n);
	if (length == 0)
		return wrong(r, "half of a surrogate pair");
	*n += length;
	return 0;
}

static int read_escape(struct reader *r, char *out, size_t *n)
{
	static const char names[] = "\"\\/bfnrt", values[] = "\"\\/\b\f\n\r\t";
	const char *found;
	char c = r->at < r->text.n ? r->text.p[r->at] : '\0';

	if (c == 'u') {
		r->at++;
		return read_unicode(r, out, n);
	}
	found = c == '\0' ? NULL : strchr(names, c);
	if (found == NULL)
		return wrong(r, "unknown escape");
	r->at++;
	out[(*n)++] = values[found - names];
	return 0;
}

/* The end of the string that begins at r->at; whether it has escapes. */
static int measure_string(struct reader *r, size_t *end, bool *escaped)
{
	size_t at;

	*escaped = false;
	for (at = r->at; at < r->text.n && r->text.p[at] != '"'; at++) {
		if ((unsigned char)r->text.p[at] < ' ') {
			r->at = at;
			return wrong(r, "a control character in a string");
		}
		if (r->text.p[at] == '\\') {
			*escaped = true;
			at++;
		}
	}
	if (at >= r->text.n)
		return wrong(r, "this string is not closed");
	*end = at;
	return 0;
}

static int read_string(struct reader *r, struct cedar_str *out)
{
	size_t end = 0, n = 0;
	bool escaped;
	char *bytes;
	int rc;

	r->at++;
	rc = measure_string(r, &end, &escaped);
	if (rc != 0)
		return rc;
	if (!escaped) {
		*out = (struct cedar_str){r->text.p + r->at, end - r->at};
		r->at = end + 1;
		return 0;
	}
	bytes = cedar_arena_alloc(r->arena, end - r->at);
	if (bytes == NULL)
		return cedar_fail(r->error, CEDAR_E_MEMORY, r->at, "out of memory");
	while (rc == 0 && r->at < end) {
		if (r->text.p[r->at] != '\\') {
			bytes[n++] = r->text.p[r->at++];
			continue;
		}
		r->at++;
		rc = read_escape(r, bytes, &n);
	}
	r->at = end + 1;
	*out = (struct cedar_str){bytes, n};
	return rc;
}

static int skip_digits(struct reader *r)
{
	if (!at_digit(r))
		return wrong(r, "a number needs a digit here");
	while (at_digit(r))
		r->at++;
	return 0;
}

/* The rest of a number that is no integer. */
static int skip_fraction(struct reader *r)
{
	int rc = 0;

	if (at_char(r, '.')) {
		r->at++;
		rc = skip_digits(r);
	}
	if (rc == 0 && (at_char(r, 'e') || at_char(r, 'E'))) {
		r->at++;
		if (at_char(r, '+') || at_char(r, '-'))
			r->at++;
		rc = skip_digits(r);
	}
	return rc;
}

static int read_number(struct reader *r, struct cedar_json *out)
{
	int64_t sign = 1, value = 0;
	bool exact = true;
	size_t start;
	int rc;

	if (at_char(r, '-')) {
		sign = -1;
		r->at++;
	}
	for (start = r->at; at_digit(r); r->at++)
		exact = exact && !__builtin_mul_overflow(value, 10, &value) &&
			!__builtin_add_overflow(value, sign * (r->text.p[r->at] - '0'), &value);
	if (r->at == start)
		return wrong(r, "a number needs a digit here");
	if (r->at - start > 1 && r->text.p[start] == '0')
		return wrong(r, "a number begins with 0");
	/* -0 is no integer to the reference either. */
	if (sign < 0 && value == 0)
		exact = false;
	start = r->at;
	rc = skip_fraction(r);
	if (r->at != start)
		exact = false;
	out->kind = exact ? CEDAR_J_INT : CEDAR_J_NUMBER;
	out->u.i = exact ? value : 0;
	return rc;
}

static int read_word(struct reader *r, struct cedar_json *out)
{
	static const struct {
		struct cedar_str text;
		enum cedar_json_kind kind;
		bool value;
	} words[] = {
		{{"null", 4}, CEDAR_J_NULL, false},
		{{"true", 4}, CEDAR_J_BOOL, true},
		{{"false", 5}, CEDAR_J_BOOL, false},
	};
	size_t i;

	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (r->text.n - r->at < words[i].text.n ||
		    memcmp(r->text.p + r->at, words[i].text.p, words[i].text.n) != 0)
			continue;
		r->at += words[i].text.n;
		out->kind = words[i].kind;
		out->u.b = words[i].value;
		return 0;
	}
	return wrong(r, "a value was expected here");
}

/* After an item: goes past "," or `close`; *more tells which. */
static int read_separator(struct reader *r, char close, bool *more)
{
	skip_space(r);
	*more = at_char(r, ',');
	if (!*more && !at_char(r, close))
		return wrong(r, close == ']' ? "expected , or ]" : "expected , or }");
	r->at++;
	skip_space(r);
	return 0;
}

/* Past the opening bracket; *more is false for an empty array or object. */
static int open_bracket(struct reader *r, char close, bool *more)
{
	if (++r->nest > CEDAR_MAX_JSON_NEST)
		return cedar_fail(r->error, CEDAR_E_LIMIT, r->at, "JSON: more than %u levels of nesting",
				  CEDAR_MAX_JSON_NEST);
	r->at++;
	skip_space(r);
	*more = !at_char(r, close);
	if (!*more)
		r->at++;
	return 0;
}

static int read_array(struct reader *r, struct cedar_json *out)
{
	struct pile pile = {0};
	struct cedar_json item;
	void *place;
	bool more = false;
	int rc = open_bracket(r, ']', &more);

	while (rc == 0 && more) {
		rc = read_value(r, &item);
		if (rc != 0)
			break;
		place = pile_push(r, &pile, sizeof(item));
		if (place == NULL)
			return -CEDAR_E_MEMORY;
		memcpy(place, &item, sizeof(item));
		rc = read_separator(r, ']', &more);
	}
	r->nest--;
	out->kind = CEDAR_J_ARRAY;
	out->count = pile.count;
	out->u.items = (const struct cedar_json *)(void *)pile.bytes;
	return rc;
}

static int order_keys(const void *a, const void *b)
{
	return cedar_str_order(*(const struct cedar_str *)a, *(const struct cedar_str *)b);
}

/* Sorting keeps hostile keys from costing quadratic time, as hashing might. */
static int check_keys(struct reader *r, const struct cedar_json *object)
{
	struct cedar_str *keys = cedar_arena_array(r->arena, object->count, sizeof(*keys));
	size_t i;

	if (keys == NULL)
		return cedar_fail(r->error, CEDAR_E_MEMORY, r->at, "out of memory");
	for (i = 0; i < object->count; i++)
		keys[i] = object->u.members[i].key;
	cedar_sort(keys, object->count, sizeof(*keys), order_keys);
	for (i = 1; i < object->count; i++)
		if (cedar_str_equal(keys[i - 1], keys[i]))
			return cedar_fail(r->error, CEDAR_E_DUPLICATE, object->start,
					  "JSON: key \"%.*s\" stands twice "
					  "in this object",
					  CEDAR_SHOW(keys[i]));
	return 0;
}

static int read_member(struct reader *r, struct cedar_json_member *member)
{
	int rc;

	if (!at_char(r, '"'))
		return wrong(r, "a key in quotes was expected here");
	rc = read_string(r, &member->key);
	if (rc != 0)
		return rc;
	skip_space(r);
	if (!at_char(r, ':'))
		return wrong(r, "expected : after a key");
	r->at++;
	skip_space(r);
	return read_value(r, &member->value);
}

static int read_object(struct reader *r, struct cedar_json *out)
{
	struct pile pile = {0};
	struct cedar_json_member member;
	void *place;
	bool more = false;
	int rc = open_bracket(r, '}', &more);

	while (rc == 0 && more) {
		rc = read_member(r, &member);
		if (rc != 0)
			break;
		place = pile_push(r, &pile, sizeof(member));
		if (place == NULL)
			return -CEDAR_E_MEMORY;
		memcpy(place, &member, sizeof(member));
		rc = read_separator(r, '}', &more);
	}
	r->nest--;
	out->kind = CEDAR_J_OBJECT;
	out->count = pile.count;
	out->u.members = (const struct cedar_json_member *)(void *)pile.bytes;
	return rc != 0 ? rc : check_keys(r, out);
}

/* Recursion is bounded by CEDAR_MAX_JSON_NEST. */
static int read_value(struct reader *r, struct cedar_json *out)
{
	int rc;

	memset(out, 0, sizeof(*out));
	out->start = (uint32_t)r->at;
	if (at_char(r, '{')) {
		rc = read_object(r, out);
	} else if (at_char(r, '[')) {
		rc = read_array(r, out);
	} else if (at_char(r, '"')) {
		out->kind = CEDAR_J_STRING;
		rc = read_string(r, &out->u.s);
	} else if (at_char(r, '-') || at_digit(r)) {
		rc = read_number(r, out);
	} else {
		rc = read_word(r, out);
	}
	out->end = (uint32_t)r->at;
	return rc;
}

int cedar_json_parse(struct cedar_str text, struct cedar_arena *arena, struct cedar_json *root,
		     struct cedar_error *error)
{
	struct reader r = {text, 0, 0, arena, error};
	int rc;

	if (text.n > CEDAR_MAX_TEXT)
		return cedar_fail(error, CEDAR_E_LIMIT, 0, "the text is longer than %u bytes", CEDAR_MAX_TEXT);
	r.at = cedar_utf8_check(text);
	if (r.at < text.n)
		return wrong(&r, "not UTF-8");
	r.at = 0;
	skip_space(&r);
	rc = read_value(&r, root);
	skip_space(&r);
	if (rc == 0 && r.at != text.n)
		return wrong(&r, "text after the value");
	return rc;
}

const struct cedar_json *cedar_json_get(const struct cedar_json *json, const char *key)
{
	size_t i;

	if (json == NULL || json->kind != CEDAR_J_OBJECT)
		return NULL;
	for (i = 0; i < json->count; i++)
		if (cedar_str_is(json->u.members[i].key, key))
			return &json->u.members[i].value;
	return NULL;
}

int cedar_json_only(const struct cedar_json *json, const char *const *keys, const char *what, struct cedar_error *error)
{
	const char *const *known;
	size_t i;

	for (i = 0; i < json->count; i++) {
		for (known = keys; *known != NULL; known++)
			if (cedar_str_is(json->u.members[i].key, *known))
				break;
		if (*known == NULL)
			return cedar_fail(error, CEDAR_E_FORMAT, json->u.members[i].value.start,
					  "%s has no member \"%.*s\"", what, CEDAR_SHOW(json->u.members[i].key));
	}
	return 0;
}

int cedar_json_need(const struct cedar_json *json, enum cedar_json_kind kind, const struct cedar_json *parent,
		    const char *what, struct cedar_error *error)
{
	static const char *const kinds[] = {"null",     "a boolean", "an integer", "a number",
					    "a string", "an array",  "an object"};

	if (json != NULL && json->kind == kind)
		return 0;
	if (json == NULL)
		return cedar_fail(error, CEDAR_E_FORMAT, parent->start, "%s is missing", what);
	return cedar_fail(error, CEDAR_E_FORMAT, json->start, "%s must be %s, not %s", what, kinds[kind],
			  kinds[json->kind]);
}
