#include "common/http/http1.h"

#include <string.h>
#include <strings.h>

/* tchar of RFC 9110, section 5.6.2. */
static bool is_token_char(unsigned char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c != '\0' && strchr("!#$%&'*+-.^_`|~", c) != NULL);
}

/* Line feeds only after carriage returns, no other control character but tab (RFC 9112, section 2.2; RFC 9110, 5.5). */
static bool is_allowed(unsigned char c, unsigned char before)
{
	if (before == '\r')
		return c == '\n';
	return c == '\r' || c == '\t' || (c >= 0x20 && c != 0x7f);
}

int http1_scan_head(struct http1_scan *s, const char *text, size_t len)
{
	for (; s->at < len; s->at++) {
		unsigned char c = (unsigned char)text[s->at];
		unsigned char before = s->at == 0 ? 0 : (unsigned char)text[s->at - 1];

		if (!is_allowed(c, before))
			return 400;
		if (s->lines == 0 && s->at >= HTTP1_LINE_MAX)
			return 414;
		if (s->at >= HTTP1_HEAD_MAX)
			return 431;
		if (c != '\n')
			continue;
		if (s->at - s->line_start == 1) {
			s->at++;
			return s->lines == 0 ? 400 : 1;
		}
		/* The request line, the fields; one more is refused before it is stored anywhere. */
		if (s->lines++ > HTTP1_HEADERS_MAX)
			return 431;
		s->line_start = s->at + 1;
	}
	return 0;
}

bool http1_is(struct http1_span s, const char *text)
{
	return s.n == strlen(text) && strncasecmp(s.p, text, s.n) == 0;
}

static enum http1_method parse_method(struct http1_span s)
{
	static const struct {
		const char *name;
		enum http1_method method;
	} methods[] = {{"GET", HTTP1_GET}, {"HEAD", HTTP1_HEAD},     {"POST", HTTP1_POST},
		       {"PUT", HTTP1_PUT}, {"DELETE", HTTP1_DELETE}, {"OPTIONS", HTTP1_OPTIONS}};

	/* Methods are case-sensitive (RFC 9110, section 9.1). */
	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++)
		if (s.n == strlen(methods[i].name) && memcmp(s.p, methods[i].name, s.n) == 0)
			return methods[i].method;
	return HTTP1_OTHER;
}

static bool all(struct http1_span s, bool (*is)(unsigned char))
{
	for (size_t i = 0; i < s.n; i++)
		if (!is((unsigned char)s.p[i]))
			return false;
	return s.n != 0;
}

static bool is_target_char(unsigned char c)
{
	return c > 0x20 && c < 0x7f && c != '#';
}

/* method SP target SP HTTP/1.1: single spaces, origin form alone (RFC 9112, section 3). */
static int parse_request_line(const char *line, size_t len, struct http1_head *out)
{
	const char *sp1 = memchr(line, ' ', len), *end = line + len, *sp2;
	struct http1_span method, version;

	if (sp1 == NULL)
		return 400;
	sp2 = memchr(sp1 + 1, ' ', (size_t)(end - sp1 - 1));
	if (sp2 == NULL)
		return 400;
	method = (struct http1_span){line, (size_t)(sp1 - line)};
	out->target = (struct http1_span){sp1 + 1, (size_t)(sp2 - sp1 - 1)};
	version = (struct http1_span){sp2 + 1, (size_t)(end - sp2 - 1)};
	if (!all(method, is_token_char) || !all(out->target, is_target_char) || out->target.p[0] != '/')
		return 400;
	if (version.n != 8 || memcmp(version.p, "HTTP/", 5) != 0)
		return 400;
	if (memcmp(version.p, "HTTP/1.1", 8) != 0)
		return 505;
	out->method = parse_method(method);
	return 0;
}

static struct http1_span trimmed(const char *p, size_t n)
{
	while (n > 0 && (*p == ' ' || *p == '\t'))
		p++, n--;
	while (n > 0 && (p[n - 1] == ' ' || p[n - 1] == '\t'))
		n--;
	return (struct http1_span){p, n};
}

/* field-name ":" OWS value OWS; a line that begins with white space would be obs-fold and has no token. */
static int parse_field(const char *line, size_t len, struct http1_head *out)
{
	const char *colon = memchr(line, ':', len);
	struct http1_field *f;

	if (colon == NULL)
		return 400;
	if (out->nfields == HTTP1_HEADERS_MAX)
		return 431;
	f = &out->field[out->nfields];
	f->name = (struct http1_span){line, (size_t)(colon - line)};
	f->value = trimmed(colon + 1, len - f->name.n - 1);
	if (!all(f->name, is_token_char) || memchr(f->value.p, '\r', f->value.n) != NULL)
		return 400;
	out->nfields++;
	return 0;
}

/* 1*DIGIT without sign, without leading zeros, of at most 15 digits. */
static int parse_length(struct http1_span s, uint64_t *out)
{
	uint64_t v = 0;

	if (s.n == 0 || (s.n > 1 && s.p[0] == '0'))
		return 400;
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] < '0' || s.p[i] > '9')
			return 400;
		if (i < 15)
			v = v * 10 + (uint64_t)(s.p[i] - '0');
	}
	if (s.n > 15)
		return 413;
	*out = v;
	return 0;
}

/* RFC 9112, section 6: how long the body is must have exactly one answer. */
static int parse_framing(struct http1_head *h)
{
	bool again;
	const struct http1_field *length = http1_find(h, "Content-Length", &again);
	const struct http1_field *coding;

	if (again)
		return 400;
	coding = http1_find(h, "Transfer-Encoding", &again);
	if (again || (coding != NULL && length != NULL))
		return 400;
	if (coding != NULL && (coding->value.n != 7 || memcmp(coding->value.p, "chunked", 7) != 0))
		return 501;
	h->chunked = coding != NULL;
	h->has_length = length != NULL;
	return length == NULL ? 0 : parse_length(length->value, &h->length);
}

bool http1_next_member(struct http1_span *rest, struct http1_span *member)
{
	const char *comma;

	if (rest->p == NULL)
		return false;
	comma = memchr(rest->p, ',', rest->n);
	*member = trimmed(rest->p, comma == NULL ? rest->n : (size_t)(comma - rest->p));
	if (comma == NULL)
		*rest = (struct http1_span){NULL, 0};
	else
		*rest = (struct http1_span){comma + 1, rest->n - (size_t)(comma + 1 - rest->p)};
	return true;
}

/* RFC 9112, section 9.3: persistent unless close is among the options, on whichever line. */
static bool wants_close(const struct http1_head *h)
{
	struct http1_span rest, member;

	for (size_t i = 0; i < h->nfields; i++) {
		if (!http1_is(h->field[i].name, "Connection"))
			continue;
		rest = h->field[i].value;
		while (http1_next_member(&rest, &member))
			if (http1_is(member, "close"))
				return true;
	}
	return false;
}

static int parse_connection(struct http1_head *h)
{
	bool again;
	const struct http1_field *host = http1_find(h, "Host", &again), *f;

	/* RFC 9112, section 3.2: exactly one Host. */
	if (host == NULL || again || host->value.n == 0)
		return 400;
	h->host = host->value;
	h->close = wants_close(h);
	f = http1_find(h, "Expect", &again);
	if (again || (f != NULL && !http1_is(f->value, "100-continue")))
		return 417;
	h->expect_continue = f != NULL;
	return 0;
}

int http1_parse_head(const char *text, size_t len, struct http1_head *out)
{
	const char *line = text, *end = text + len;
	int r = 0;

	out->nfields = 0;
	for (size_t n = 0; r == 0; n++) {
		const char *nl = memchr(line, '\n', (size_t)(end - line));
		size_t line_len;

		if (nl == NULL || nl == line)
			return 400;
		line_len = (size_t)(nl - line) - 1;
		if (line_len == 0)
			break;
		r = n == 0 ? parse_request_line(line, line_len, out) : parse_field(line, line_len, out);
		line = nl + 1;
	}
	if (r == 0)
		r = parse_framing(out);
	return r != 0 ? r : parse_connection(out);
}

const struct http1_field *http1_find(const struct http1_head *h, const char *name, bool *repeated)
{
	const struct http1_field *found = NULL;

	*repeated = false;
	for (size_t i = 0; i < h->nfields; i++) {
		if (!http1_is(h->field[i].name, name))
			continue;
		if (found != NULL)
			*repeated = true;
		else
			found = &h->field[i];
	}
	return found;
}
