#include "common/cedar/cedar_escape.h"

#include "common/cedar/cedar_utf8.h"

#define UNICODE_DIGITS 6u

struct reader {
	struct cedar_str raw;
	size_t at;
	size_t offset; /* of raw in the whole text */
	struct cedar_error *error;
};

static int bad_escape(struct reader *r, const char *what)
{
	return cedar_fail(r->error, CEDAR_E_SYNTAX, r->offset + r->at, "%s", what);
}

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* HH after "\x". */
static int read_byte(struct reader *r, uint32_t *scalar)
{
	int high, low;

	if (r->raw.n - r->at < 2)
		return bad_escape(r, "\\x needs two hexadecimal digits");
	high = hex_value(r->raw.p[r->at]);
	low = hex_value(r->raw.p[r->at + 1]);
	if (high < 0 || low < 0 || high > 7)
		return bad_escape(r, "\\x needs two hexadecimal digits, "
				     "at most 7F");
	*scalar = (uint32_t)(high * 16 + low);
	r->at += 2;
	return 0;
}

/* {H...} after "\u". */
static int read_unicode(struct reader *r, uint32_t *scalar)
{
	uint32_t value = 0;
	unsigned int digits = 0;
	char encoded[CEDAR_UTF8_MAX], c;

	if (r->at == r->raw.n || r->raw.p[r->at] != '{')
		return bad_escape(r, "\\u needs {");
	for (r->at++; r->at < r->raw.n; r->at++) {
		c = r->raw.p[r->at];
		if (c == '}' || (c == '_' && digits > 0)) {
			if (c == '}')
				break;
			continue;
		}
		if (hex_value(c) < 0 || ++digits > UNICODE_DIGITS)
			return bad_escape(r, "\\u{} takes 1 to 6 hexadecimal digits");
		value = value * 16 + (uint32_t)hex_value(c);
	}
	if (r->at == r->raw.n || digits == 0 || cedar_utf8_encode(value, encoded) == 0)
		return bad_escape(r, "\\u{} names no Unicode character");
	r->at++;
	*scalar = value;
	return 0;
}

static int read_escape(struct reader *r, uint32_t *scalar)
{
	static const char names[] = "nrt\\0'\"", values[] = "\n\r\t\\\0'\"";
	const char *found;
	char c;

	if (r->at == r->raw.n)
		return bad_escape(r, "lone backslash");
	c = r->raw.p[r->at++];
	if (c == 'x')
		return read_byte(r, scalar);
	if (c == 'u')
		return read_unicode(r, scalar);
	found = c == '\0' ? NULL : strchr(names, c);
	if (found == NULL) {
		r->at--;
		return bad_escape(r, "unknown escape in a string");
	}
	*scalar = (unsigned char)values[found - names];
	return 0;
}

/*
 * One character into out[*n...]; `*starred` tells a "\*", which only a pattern
 * may have.
 */
static int read_char(struct reader *r, bool pattern, char *out, size_t *n, bool *starred)
{
	uint32_t scalar = 0;
	int rc;

	*starred = false;
	if (r->raw.p[r->at] == '\r')
		return bad_escape(r, "a bare carriage return in a string");
	if (r->raw.p[r->at] != '\\') {
		out[(*n)++] = r->raw.p[r->at++];
		return 0;
	}
	r->at++;
	if (pattern && r->at < r->raw.n && r->raw.p[r->at] == '*') {
		r->at++;
		*starred = true;
		out[(*n)++] = '*';
		return 0;
	}
	rc = read_escape(r, &scalar);
	if (rc == 0)
		*n += cedar_utf8_encode(scalar, out + *n);
	return rc;
}

int cedar_unescape(struct cedar_arena *arena, struct cedar_str raw, size_t offset, struct cedar_str *out,
		   struct cedar_error *error)
{
	struct reader r = {raw, 0, offset, error};
	char *bytes = cedar_arena_alloc(arena, raw.n);
	bool starred;
	size_t n = 0;
	int rc;

	if (bytes == NULL)
		return cedar_fail(error, CEDAR_E_MEMORY, offset, "out of memory");
	/* An escape is never shorter than what it stands for. */
	while (r.at < raw.n) {
		rc = read_char(&r, false, bytes, &n, &starred);
		if (rc != 0)
			return rc;
	}
	*out = (struct cedar_str){bytes, n};
	return 0;
}

int cedar_unescape_pattern(struct cedar_arena *arena, struct cedar_str raw, size_t offset, struct cedar_pattern *out,
			   struct cedar_error *error)
{
	struct reader r = {raw, 0, offset, error};
	char *bytes = cedar_arena_alloc(arena, raw.n);
	struct cedar_str *pieces;
	size_t n = 0, start = 0, count = 0, i, most = 2;
	bool starred;
	int rc;

	/* A wildcard is written "*" or ends in "a}" or "a": bound their number. */
	for (i = 0; i < raw.n; i++)
		most += raw.p[i] == '*' || raw.p[i] == '\\';
	pieces = cedar_arena_array(arena, most, sizeof(*pieces));
	if (bytes == NULL || pieces == NULL)
		return cedar_fail(error, CEDAR_E_MEMORY, offset, "out of memory");
	while (r.at < raw.n) {
		rc = read_char(&r, true, bytes, &n, &starred);
		if (rc != 0)
			return rc;
		if (bytes[n - 1] != '*' || starred)
			continue;
		n--;
		pieces[count++] = (struct cedar_str){bytes + start, n - start};
		start = n;
	}
	pieces[count++] = (struct cedar_str){bytes + start, n - start};
	*out = (struct cedar_pattern){pieces, count};
	return 0;
}
