#include "common/jsonschema/js_uri.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "common/json_text.h"

struct span {
	const char *p;
	size_t len;
};

/* RFC 3986, section 3. A part that is not there has no address. */
struct uri {
	struct span scheme, authority, path, query;
};

static struct span take(const char **p, const char *stop)
{
	struct span s = {*p, strcspn(*p, stop)};

	*p += s.len;
	return s;
}

static struct span take_scheme(const char **p)
{
	struct span none = {NULL, 0}, s = {*p, strcspn(*p, ":/?#")};

	if (s.len == 0 || s.p[s.len] != ':' || !isalpha((unsigned char)s.p[0]))
		return none;
	*p += s.len + 1;
	return s;
}

static struct uri split(const char *p)
{
	struct uri u = {.scheme = take_scheme(&p)};

	if (p[0] == '/' && p[1] == '/') {
		p += 2;
		u.authority = take(&p, "/?#");
	}
	u.path = take(&p, "?#");
	if (*p == '?') {
		p++;
		u.query = take(&p, "#");
	}
	return u;
}

/* Section 5.2.3: the reference's path behind the base's last slash. */
static int merge(const struct uri *base, struct span path, char *out)
{
	size_t keep = base->path.len;
	int n;

	while (keep > 0 && base->path.p[keep - 1] != '/')
		keep--;
	n = snprintf(out, JS_URI_MAX, "%s%.*s%.*s", base->authority.p != NULL && base->path.len == 0 ? "/" : "",
		     (int)keep, base->path.p, (int)path.len, path.p);
	return n < 0 || n >= JS_URI_MAX ? KG_E_LIMIT : 0;
}

/* Where the path in out stands without its last segment. */
static size_t without_last(const char *out, size_t len)
{
	while (len > 0 && out[len - 1] != '/')
		len--;
	return len == 0 ? 0 : len - 1;
}

/* Section 5.2.4, in place: what is written never passes what is read. */
static void remove_dots(char *path)
{
	const char *p = path;
	size_t len = 0;

	while (*p != '\0') {
		size_t segment = 1 + strcspn(p + 1, "/");
		bool slash = p[0] == '/', last = p[segment] == '\0';
		const char *name = slash ? p + 1 : p;
		size_t n = slash ? segment - 1 : segment;

		if (n == 1 && name[0] == '.') {
			if (last && slash)
				path[len++] = '/';
		} else if (n == 2 && name[0] == '.' && name[1] == '.') {
			len = without_last(path, len);
			if (last && slash)
				path[len++] = '/';
		} else {
			memmove(path + len, p, segment);
			len += segment;
		}
		p += segment;
	}
	path[len] = '\0';
}

static int join(const struct uri *u, const char *path, char *out)
{
	int n = snprintf(out, JS_URI_MAX, "%.*s%s%s%.*s%s%s%.*s", (int)u->scheme.len,
			 u->scheme.len > 0 ? u->scheme.p : "", u->scheme.p != NULL ? ":" : "",
			 u->authority.p != NULL ? "//" : "", (int)u->authority.len,
			 u->authority.len > 0 ? u->authority.p : "", path, u->query.p != NULL ? "?" : "",
			 (int)u->query.len, u->query.len > 0 ? u->query.p : "");

	return n < 0 || n >= JS_URI_MAX ? KG_E_LIMIT : 0;
}

/* Section 5.2.2. */
static int transform(const struct uri *base, struct uri r, char *out)
{
	char path[JS_URI_MAX];
	int e = 0;

	if (r.path.len >= JS_URI_MAX)
		return KG_E_LIMIT;
	memcpy(path, r.path.p, r.path.len);
	path[r.path.len] = '\0';
	if (r.scheme.p == NULL) {
		r.scheme = base->scheme;
		if (r.authority.p == NULL) {
			r.authority = base->authority;
			if (r.path.len == 0) {
				memcpy(path, base->path.p, base->path.len);
				path[base->path.len] = '\0';
				if (r.query.p == NULL)
					r.query = base->query;
			} else if (r.path.p[0] != '/') {
				e = merge(base, r.path, path);
			}
		}
	}
	if (e != 0)
		return e;
	if (r.authority.p != NULL || path[0] == '/')
		remove_dots(path);
	return join(&r, path, out);
}

static int hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static int decode(const char *p, char *out)
{
	size_t n = 0;

	if (strlen(p) >= JS_URI_MAX)
		return KG_E_LIMIT;
	for (; *p != '\0'; p++) {
		int high, low;

		if (*p != '%') {
			out[n++] = *p;
			continue;
		}
		high = hex(p[1]);
		low = high < 0 ? -1 : hex(p[2]);
		if (low < 0 || (high == 0 && low == 0))
			return KG_E_INVALID;
		out[n++] = (char)(high << 4 | low);
		p += 2;
	}
	out[n] = '\0';
	return utf8_valid(out, n) ? 0 : KG_E_INVALID;
}

int js_uri_resolve(const char *base, const char *reference, char *uri, char *fragment)
{
	const char *hash = strchr(reference, '#');
	struct uri b = split(base);
	int r;

	if (strlen(base) >= JS_URI_MAX)
		return KG_E_LIMIT;
	r = transform(&b, split(reference), uri);
	return r != 0 ? r : decode(hash == NULL ? "" : hash + 1, fragment);
}
